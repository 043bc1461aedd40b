"""Write spinetrack_synth/training/spine_shapes.npz anew: after a change of the model or the poses.

Samples the model, fits a mixture of Gaussians to the shapes of its spines by expectation
maximisation, sets the threshold by other samples, and tells how both do on a third lot. Takes about
a minute.

    python scripts/spine_shapes.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

from spinetrack_synth.training.spine_samples import sample_people
from spinetrack_synth.training.spine_shapes import (
    DIMENSIONS,
    LEVEL,
    TABLE,
    Mixture,
    as_table,
    limb_scale,
    shapes,
)

FITTED, JUDGED = 40_000, 30_000
COMPONENTS = 16
"""Held-out log density in nats: 8 components 37.7, 16 37.9, 32 37.9."""
FLOOR = 0.003
"""Least deviation of a component in any direction, in lengths of the spine."""
STEPS, ENOUGH = 80, 1e-4
"""Steps at most, and the gain in nats at which it stops."""


def main() -> None:
    fitted, threshold, judged = (
        sampled(count, seed) for seed, count in enumerate((FITTED, JUDGED, JUDGED))
    )
    known = fit(fitted, COMPONENTS, np.random.default_rng(0))
    level = float(np.quantile(known.log_density(threshold).numpy(), LEVEL))
    known = Mixture(known.shares, known.means, known.whitening, level)
    density = known.log_density(judged)
    folder = Path(__file__).resolve().parents[1] / "spinetrack_synth" / "training"
    np.savez(folder / TABLE, **as_table(known))
    sys.stdout.write(
        f"log density: fitted {known.log_density(fitted).mean():.3f}, others {density.mean():.3f}; "
        f"threshold {level:.3f}, below it {(density < level).float().mean():.4f} of others\n"
    )


def sampled(count: int, seed: int) -> torch.Tensor:
    """Shapes (count, 15) of the model's own spines."""
    points = torch.from_numpy(sample_people(count, np.random.default_rng(seed)))
    return shapes(points, limb_scale(points)).float()


def fit(data: torch.Tensor, components: int, rng: np.random.Generator) -> Mixture:
    """The mixture of so many Gaussians that makes the data likely, from k-means onwards."""
    x = data.double()
    means = x[rng.choice(len(x), components, replace=False)]
    for _ in range(15):
        nearest = torch.cdist(x, means).argmin(1)
        means = torch.stack([x[nearest == c].mean(0) for c in range(components)])
    share = torch.nn.functional.one_hot(nearest, components).double()
    before = -np.inf
    for _ in range(STEPS):
        known = _maximised(x, share)
        single = torch.stack(
            [
                Mixture(
                    known.shares[c : c + 1], known.means[c : c + 1], known.whitening[c : c + 1], 0.0
                ).log_density(x)
                for c in range(components)
            ],
            dim=1,
        )
        total = single.logsumexp(1)
        share = (single - total[:, None]).exp()
        if total.mean() - before < ENOUGH:
            break
        before = float(total.mean())
    return Mixture(known.shares.float(), known.means.float(), known.whitening.float(), 0.0)


def _maximised(x: torch.Tensor, share: torch.Tensor) -> Mixture:
    """The mixture whose components have these shares (N, C) of the data (N, 15)."""
    count = share.sum(0)
    means = share.T @ x / count[:, None]
    whitening = []
    for c, mean in enumerate(means):
        away = x - mean
        covariance = (share[:, c, None] * away).T @ away / count[c]
        covariance += FLOOR**2 * torch.eye(DIMENSIONS)
        whitening.append(torch.linalg.inv(torch.linalg.cholesky(covariance)))
    return Mixture((count / len(x)).log(), means, torch.stack(whitening), 0.0)


if __name__ == "__main__":
    main()
