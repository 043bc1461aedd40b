"""Does a network that has seen 64 people know them? And how many people a second it learns from.

    python benchmarks/training.py [--steps 800]

Renders 64 pictures of one person each, trains the small network on them without augmentation, from
MoveNet's weights (npm is needed once), and judges it on the same people: mean OKS of body and spine
(wanted: .98), people a second over whole steps. All of it is `spinetrack-synth train`.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from spinetrack_synth.training.augmentation import PROBABILITIES

PEOPLE = 64
WANTED = 0.98

CONFIG = """
workers = 0
[network]
name = "small"
start = "movenet"
input_hw = [160, 128]
[[sources]]
annotations = "SET/annotations/person_keypoints_train.json"
licence = "CC0-1.0"
[losses]
structure = 0
smoothness = 0
spine_shape = 0
[optimisation]
steps = {steps}
batch_size = 16
learning_rate = 5e-3
warmup_steps = 20
ema_decay = 0.97
precision = "bf16"
[judging]
every = {every}
[[judging.sets]]
name = "the same people"
annotations = "SET/annotations/person_keypoints_train.json"
[augmentation]
{augmentation}
"""


def train(folder: Path, steps: int) -> dict[str, str]:
    """Render, train, and return the last row of what was judged."""
    start = [sys.executable, "-m", "spinetrack_synth"]
    render = ["render", "--scenes", "yoga", "--count", str(PEOPLE), "--subjects", "1"]
    render += ["--size", "320x240", "--quality", "draft", "--out", str(folder / "SET")]
    subprocess.run([*start, *render], check=True)
    nothing = "\n".join(f"{name} = 0" for name in PROBABILITIES)
    text = CONFIG.format(steps=steps, every=max(steps // 4, 1), augmentation=nothing)
    (folder / "config.toml").write_text(text)
    run = folder / "RUN"
    subprocess.run([*start, "train", str(folder / "config.toml"), "--out", str(run)], check=True)
    with (run / "log.csv").open(newline="") as stream:
        rates = [float(row["pictures_s"]) for row in csv.DictReader(stream)]
    print(f"{np.median(rates):.1f} people a second, the median of {len(rates)} steps")
    with (run / "judged.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))[-1]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=800)
    steps = parser.parse_args(arguments).steps
    with tempfile.TemporaryDirectory() as folder:
        judged = train(Path(folder), steps)
    body, spine = float(judged["body_oks"]), float(judged["spine_oks"])
    verdict = "known" if min(body, spine) >= WANTED else "not known"
    print(f"{judged['people']} people after {steps} steps: OKS body {body:.3f}, spine {spine:.3f}")
    print(f"{verdict} (wanted: {WANTED})")


if __name__ == "__main__":
    main()
