"""How often the 95% intervals of agreement hold the truth, on simulated people.

python benchmarks/agreement.py [--rounds 500]
"""

from __future__ import annotations

import argparse

import numpy as np

from spinetrack_synth.gap.agreement import agree, contrast

BETWEEN, WITHIN, PEOPLE, BIAS = 2.0, 4.0, 12.0, 1.0
"""Spread of the error by cluster and by person, of the people, and the bias: degrees."""
SIZES = ((8, 1), (15, 1), (30, 1), (100, 1), (10, 5), (20, 5), (100, 3))


def truth() -> dict[str, float]:
    """What each figure tends to with many people."""
    sd = np.hypot(BETWEEN, WITHIN)
    first = PEOPLE**2 + WITHIN**2 / 2
    second = first + BETWEEN**2
    concordance = 2 * PEOPLE**2 / (first + second + BIAS**2)
    return {
        "bias": BIAS,
        "lower": BIAS - 1.96 * sd,
        "upper": BIAS + 1.96 * sd,
        "icc": concordance,
        "ccc": concordance,
        "mdc": 1.96 * sd,
        "slope": 2 * (second - first) / (first + second + 2 * PEOPLE**2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=500)
    rounds = parser.parse_args().rounds
    rng = np.random.default_rng(0)
    wanted = truth()
    for clusters, size in SIZES:
        cluster = np.repeat(np.arange(clusters), size)
        held, null = dict.fromkeys(wanted, 0), dict.fromkeys(("bias", "absolute", "sd", "icc"), 0)
        for number in range(rounds):
            people = rng.normal(0, PEOPLE, len(cluster))
            x, *models = (people + rng.normal(0, WITHIN / np.sqrt(2), (3, len(cluster)))).copy()
            y, z = (BIAS + m + rng.normal(0, BETWEEN, clusters)[cluster] for m in models)
            found = agree(x, y, cluster, seed=number, resamples=300)
            apart = contrast(x, y, z, cluster, seed=number, resamples=300)
            for name, value in wanted.items():
                held[name] += getattr(found, name).low <= value <= getattr(found, name).high
            for name in null:
                null[name] += apart[name].holds_zero
        told = "  ".join(f"{name} {count / rounds:.3f}" for name, count in held.items())
        alike = "  ".join(f"{name} {count / rounds:.3f}" for name, count in null.items())
        print(f"{clusters} clusters of {size}: {told}\n    two models alike: {alike}", flush=True)


if __name__ == "__main__":
    main()
