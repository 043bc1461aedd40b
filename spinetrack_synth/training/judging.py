"""Networks in training judged as ``spinetrack-synth evaluate`` judges: the same numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from spinetrack_synth import skeleton
from spinetrack_synth.gap import oks
from spinetrack_synth.gap.bootstrap import Interval, draws, interval
from spinetrack_synth.gap.evaluation import Evaluation, evaluate
from spinetrack_synth.gap.labels import Floats, Labels, read_labels
from spinetrack_synth.gap.measures import quotient
from spinetrack_synth.gap.predictions import predictions_of
from spinetrack_synth.gap.running import needed_folder, with_notes
from spinetrack_synth.spinepose.crops import IMAGENET
from spinetrack_synth.spinepose.decoders import SimCC
from spinetrack_synth.spinepose.keypoint_sets import keypoint_map
from spinetrack_synth.spinepose.model import PoseModel, predict_dataset
from spinetrack_synth.spinepose.network_input import NetworkInput
from spinetrack_synth.spinepose.simcc import SPLIT
from spinetrack_synth.training.config import JudgedSet

GROUPS: Final = ("body", "spine", "feet", "all")
FIGURES: Final = tuple(f"{group}_{kind}" for kind in ("oks", "ap") for group in GROUPS)
"""Mean OKS and AP of COCO's 17 points, the nine of the spine, the feet, all 37."""
OUTPUTS: Final = ("simcc_x", "simcc_y")
BATCH: Final = 32
RESAMPLES: Final = 200


@dataclass(frozen=True, eq=False)
class OpenSet:
    """A named set whose labels are read and whose pictures are found."""

    name: str
    labels: Labels
    folder: Path
    licence: str


@dataclass(frozen=True, eq=False)
class Judgement:
    """What a network is worth on a named set: ``figures`` by the names of ``FIGURES``, of those
    that its labels can tell."""

    name: str
    evaluation: Evaluation
    figures: Mapping[str, float]

    @property
    def people(self) -> int:
        """How many there were to find."""
        return int(self.evaluation.labels.people.sum())

    def told(self) -> str:
        """The mean OKS of body and spine, as far as there are labels for them, in a line."""
        names = [name for name in ("body", "spine") if f"{name}_oks" in self.figures]
        parts = [f"{name} {self.figures[f'{name}_oks']:.3f}" for name in names]
        return f"{self.name}: mean OKS {', '.join(parts)}" if parts else f"{self.name}: no figure"


def open_sets(sets: Sequence[JudgedSet]) -> list[OpenSet]:
    """Read the labels and find the pictures. Raises UserError where either is not there."""
    opened = []
    for each in sets:
        labels = read_labels(each.annotations)
        folder = needed_folder(labels, each.images, "images")
        opened.append(OpenSet(each.name, labels, folder, each.licence))
    return opened


def judge(network: nn.Module, input_hw: tuple[int, int], judged: OpenSet) -> Judgement:
    """Run a network on the people of a set, in their boxes, with flip test, and measure it.

    Raises UserError where a picture is gone or the network answers no numbers.
    """
    notes: list[str] = []
    model = pose_model(network, input_hw, judged.name)
    results = predict_dataset(
        model, judged.labels.coco, judged.folder, flip_test=True, batch=BATCH, tell=notes.append
    )
    labels = with_notes(judged.labels, notes)
    evaluation = evaluate(labels, predictions_of(results, labels, judged.name))
    return Judgement(judged.name, evaluation, figures_of(evaluation))


def pose_model(network: nn.Module, input_hw: tuple[int, int], name: str) -> PoseModel:
    """A network, put into evaluation mode, as the runner of ONNX files takes one; messages call it
    ``name``."""
    count = len(skeleton.NAMES)
    keypoints = keypoint_map(skeleton.NAMES)
    assert keypoints is not None
    return PoseModel(
        path=Path(name),
        session=_TorchSession(network.eval()),
        input=NetworkInput("input", input_hw, None, False, np.float32),
        input_size_hw=input_hw,
        batch=None,
        decoder=SimCC(OUTPUTS, count, SPLIT),
        keypoint_map=keypoints,
        normalisation=IMAGENET,
        color_order="rgb",
        score="min",
    )


@dataclass(frozen=True)
class _TorchSession:
    """Answers crops as an ONNX session of the exported network would."""

    network: Any

    def run(self, outputs: Sequence[str], feed: Mapping[str, Any]) -> list[np.ndarray]:
        device = next(self.network.parameters()).device
        with torch.inference_mode():
            crops = torch.from_numpy(feed["input"]).to(device)
            logits = self.network(crops.to(memory_format=torch.channels_last))
            answers = [self.network.scores(axis) for axis in logits]
        return [answer.float().cpu().numpy() for answer in answers]


def figures_of(evaluation: Evaluation) -> dict[str, float]:
    """Mean OKS and AP by group."""
    means = {
        f"{group}_oks": float(quotient(similar.sum(), counted.sum()))
        for group, (similar, counted) in _person_oks(evaluation).items()
    }
    found = evaluation.precision
    return means | {f"{group}_ap": found[group]["AP"] for group in GROUPS if group in found}


def intervals_of(
    evaluation: Evaluation, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Interval]:
    """The same figures with intervals of 95%, by drawing pictures, or sequences where there are
    some, again with everybody in them."""
    labels = evaluation.labels
    people = _person_oks(evaluation)
    groups = tuple(group for group in GROUPS if group in evaluation.precision)
    matches = oks.of_groups(evaluation.matches, groups)
    clusters = int(labels.cluster.max()) + 1
    sums = {
        group: [np.bincount(labels.cluster[labels.image], each, clusters) for each in pair]
        for group, pair in people.items()
    }
    replicates: dict[str, list[Floats]] = {}
    for chunk in draws(clusters, resamples, seed):
        times = chunk.astype(np.float64)
        for group, (similar, counted) in sums.items():
            replicates.setdefault(f"{group}_oks", []).append(
                quotient(times @ similar, times @ counted)
            )
        average = np.array([oks.precisions(matches, each[labels.cluster]) for each in chunk])
        for place, group in enumerate(groups):
            replicates.setdefault(f"{group}_ap", []).append(average[:, 2 * place])
    return {
        name: interval(value, np.concatenate(replicates[name]))
        for name, value in figures_of(evaluation).items()
    }


def _person_oks(evaluation: Evaluation) -> dict[str, tuple[Floats, Floats]]:
    """OKS of each labelled person (N,) by group, 0 for who was not found, and who counts (N,)."""
    labels, similarity = evaluation.labels, evaluation.errors.similarity
    groups = oks.groups_of(evaluation.judged)
    found: dict[str, tuple[Floats, Floats]] = {}
    for group in (name for name in GROUPS if name in groups):
        columns = list(groups[group])
        labelled = (labels.v[:, columns] > 0) & labels.people[:, None]
        count = labelled.sum(1)
        sums = np.where(labelled, np.nan_to_num(similarity[:, columns]), 0.0).sum(1)
        found[group] = (sums / np.maximum(count, 1), (count > 0).astype(np.float64))
    return found
