"""The likelihood of a spine's shape in the picture, under what the OpenSim model can do.

Nine points are laid on a common place, turned so that they run one way, and scaled by the longest
looking limb, so that a spine seen end on is short and not merely odd. Of these 15 numbers a mixture
of Gaussians is known, fitted to samples of the model (``spine_samples``) by
``scripts/spine_shapes.py``: a table of 16 kB in the package, so that all machines of a run have the
same numbers and no run waits for them. Shapes are *unlikely* below the density that 99 % of the
model's own samples exceed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spinetrack_synth import skeleton
from spinetrack_synth.lengths import SPINE_GAPS_M, distance_m

TABLE: Final = "spine_shapes.npz"
DIMENSIONS: Final = 15
"""18 coordinates less a place and a turn."""

LEVEL: Final = 0.01
"""Share of the model's own samples that count as unlikely."""

SPEAKING: Final = 3
"""With so many labelled points of a spine its labels have a shape of their own."""

SHORT: Final = 0.02
"""A spine that is this part of its length from end to end has hardly a direction in the picture: it
is turned, and pulled, less."""

LEAST_PX_PER_M: Final = 1.0
"""Limbs show at least this scale: answers may have none."""

LIMBS: Final = (
    *((f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in (
        ("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"),
    )),
    ("left_hip", "right_hip"),
)  # fmt: skip
"""Bones whose longest looking one tells the scale."""


@dataclass(frozen=True)
class Mixture:
    """C Gaussians: logarithms of their ``shares`` (C,), ``means`` (C, 15), ``whitening`` (C, 15,
    15), lower triangular, which makes each's deviations standard normal; and the log density
    ``threshold`` below which a shape is unlikely."""

    shares: Tensor
    means: Tensor
    whitening: Tensor
    threshold: float

    def log_density(self, shapes: Tensor) -> Tensor:
        """Of shapes (B, 15), in nats (B,)."""
        away = shapes[:, None] - self.means
        standard = torch.einsum("cij,bcj->bci", self.whitening, away)
        scale = self.whitening.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        normal = scale - 0.5 * (standard.square().sum(-1) + DIMENSIONS * math.log(2 * math.pi))
        density: Tensor = (self.shares + normal).logsumexp(-1)
        return density


def mixture(device: torch.device | str = "cpu") -> Mixture:
    """What the table in the package holds."""
    return _mixture(str(device))


@cache
def _mixture(device: str) -> Mixture:
    with files(__package__).joinpath(TABLE).open("rb") as stream, np.load(stream) as table:
        shares, means, whitening = (
            torch.from_numpy(table[name]).to(device) for name in ("shares", "means", "whitening")
        )
        return Mixture(shares.log(), means, whitening, float(table["threshold"]))


def shapes(points: Tensor, scale: Tensor) -> Tensor:
    """The shapes (B, 15) of the spines of people (B, 37, 2), of the ``scale`` (B,) of their limbs.

    Coefficients of polynomials along the spine, of the points' places along (8) and across (7) the
    direction in which they run.
    """
    spine = points[:, torch.tensor(skeleton.SPINE, device=points.device)]
    spine = (spine - spine.mean(dim=1, keepdim=True)) / scale[:, None, None]
    basis = spine.new_tensor(_polynomials())
    x, y = spine.unbind(-1)
    run_x, run_y = x @ basis[:, 1:2], y @ basis[:, 1:2]
    length = (run_x.square() + run_y.square() + SHORT**2).sqrt()
    along, across = (x * run_x + y * run_y) / length, (y * run_x - x * run_y) / length
    return torch.cat([along @ basis[:, 1:], across @ basis[:, 2:]], dim=-1)


def limb_scale(points: Tensor) -> Tensor:
    """How long (B,) the spines of people (B, 37, 2) are by their longest looking limb, in pixels.

    The longest, because limbs look shorter than they are and not longer; and where a point is
    wrong, a spine that is thought too short is merely thought seen end on.
    """
    ends = [[skeleton.INDEX[name] for name in limb] for limb in LIMBS]
    index = torch.tensor(ends, device=points.device)
    length = (points[:, index[:, 0]] - points[:, index[:, 1]]).norm(dim=-1)
    lengths_m = length.new_tensor([distance_m(*limb) for limb in LIMBS])
    longest: Tensor = (length / lengths_m).amax(-1).clamp(min=LEAST_PX_PER_M) * float(
        SPINE_GAPS_M.sum()
    )
    return longest


def unlikeliness(points: Tensor, scale: Tensor) -> Tensor:
    """How far (B,) the spines' log densities are below the threshold, in nats; 0 above it."""
    known = mixture(points.device)
    return (known.threshold - known.log_density(shapes(points, scale))).clamp(min=0)


def spine_shape_loss(points: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
    """Mean of log(1 + unlikeliness) of the spines as answered, ``points`` (B, 37, 2), over all
    people; 0 for shapes that the model takes.

    It never works against labels: with some points of a spine labelled (``weight`` (B, 37) above 0)
    it counts only where all nine are and their own shape is likely, and with one or two, which have
    no shape. The logarithm keeps wild answers from pulling more than those that are merely wrong.
    """
    labels = torch.where(weight[..., None] > 0, labels, points.detach())
    scale = limb_scale(labels)
    labelled = (weight[:, torch.tensor(skeleton.SPINE, device=weight.device)] > 0).sum(-1)
    silent = labelled < SPEAKING
    agreeing = (labelled == len(skeleton.SPINE)) & (unlikeliness(labels, scale) == 0)
    pulling = (silent | agreeing).to(points.dtype)
    return (pulling * unlikeliness(points, scale).log1p()).mean()


@cache
def _polynomials() -> NDArray[np.float32]:
    """Orthonormal polynomials (9, 9) along the spine of the model, degree 0 to 8 by column."""
    along = np.concatenate([[0.0], np.cumsum(SPINE_GAPS_M)])
    powers = np.polynomial.legendre.legvander(2 * along / along[-1] - 1, len(along) - 1)
    basis, triangle = np.linalg.qr(powers)
    return (basis * np.sign(np.diag(triangle))).astype(np.float32)


def as_table(known: Mixture) -> dict[str, Any]:
    """The arrays of the table."""
    return {
        "shares": known.shares.exp().numpy(),
        "means": known.means.numpy(),
        "whitening": known.whitening.numpy(),
        "threshold": np.float32(known.threshold),
    }
