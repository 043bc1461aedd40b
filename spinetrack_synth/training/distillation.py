"""Distillation: a student learns what a teacher answers to the same crops.

A teacher counts on the points that it knows, by their names, and where it is sure. It needs no
labels: people of a source without any learn from it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spinetrack_synth import skeleton
from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose.crops import MEAN_RGB, PADDING, STD_RGB, cut
from spinetrack_synth.spinepose.decoders import SimCC
from spinetrack_synth.spinepose.keypoint_sets import KeypointMap, keypoint_map
from spinetrack_synth.spinepose.simcc import SPLIT
from spinetrack_synth.training.distributions import (
    SHARPNESS,
    Logits,
    divergence,
    inside,
    label_logits,
    sureness,
)

if TYPE_CHECKING:
    from spinetrack_synth.spinepose.model import PoseModel

K: Final = len(skeleton.NAMES)


@dataclass(frozen=True)
class TeacherAnswer:
    """What a teacher answers to B crops: ``logits`` in the student's bins and in the skeleton's
    order, and ``weight`` (B, 37), 1 where the point counts, 0 where the teacher does not know it or
    is not sure."""

    logits: Logits
    weight: Tensor

    def to(self, device: torch.device | str) -> TeacherAnswer:
        """The same on another device."""
        x, y = self.logits
        return TeacherAnswer((x.to(device), y.to(device)), self.weight.to(device))


class Crops(Protocol):
    """What a teacher is shown: ``images`` (B, H, W, 3) RGB; the number of each person's ``source``
    (B,) and its row in it, ``person`` (B,); and ``picture2crop`` (B, 2, 3), from pixels of the
    picture to those of the crop, both with integers as pixel centres; it mirrors where its
    determinant is negative."""

    @property
    def images(self) -> NDArray[np.uint8]: ...
    @property
    def source(self) -> NDArray[np.int64]: ...
    @property
    def person(self) -> NDArray[np.int64]: ...
    @property
    def picture2crop(self) -> NDArray[np.float64]: ...


class Teacher(Protocol):
    """Answers for crops. ``names`` are the keypoints that it knows, in the skeleton's order."""

    @property
    def names(self) -> tuple[str, ...]: ...

    def answer(self, crops: Crops) -> TeacherAnswer: ...


def distillation(logits: Logits, teacher: TeacherAnswer, temperature: float = 1.0) -> Tensor:
    """Mean divergence of the teacher's distributions from the student's, in nats."""
    return (divergence(logits, teacher.logits, temperature) * teacher.weight.float()).mean()


@dataclass(frozen=True, eq=False)
class TorchTeacher:
    """A network in torch that answers logits to normalised crops (B, 3, H, W), on its device.

    ``keypoint_names`` are those of its points in order. It is put into evaluation mode by whoever
    makes it. ``least_score`` is the share of an axis' distribution that has to lie around its
    highest bin. Raises UserError where it has none of the skeleton's points but those to ignore.
    """

    network: Callable[[Tensor], Logits]
    keypoint_names: tuple[str, ...]
    least_score: float
    ignore: tuple[str, ...] = ()
    device: torch.device | str = "cpu"
    title: str = "teacher"

    def __post_init__(self) -> None:
        known_points(self.title, self._map, self.ignore, self.keypoint_names)

    @property
    def names(self) -> tuple[str, ...]:
        return known_points(self.title, self._map, self.ignore)

    @property
    def _map(self) -> KeypointMap | None:
        return keypoint_map(self.keypoint_names)

    @torch.no_grad()
    def answer(self, crops: Crops) -> TeacherAnswer:
        """Raises UserError where it answers other points or other bins than the student's."""
        x, y = self.network(normalised(crops.images, self.device))
        height, width = crops.images.shape[1:3]
        count = len(self.keypoint_names)
        expected = [(count, round(SPLIT * side)) for side in (width, height)]
        if [tuple(axis.shape[1:]) for axis in (x, y)] != expected:
            raise UserError(
                f"{self.title}: answers {tuple(x.shape[1:])} and {tuple(y.shape[1:])} to a crop of "
                f"{height} x {width}, expected {expected[0]} and {expected[1]}: {count} keypoints, "
                "bins of half a pixel; a teacher of another size has to be exported to ONNX"
            )
        assert self._map is not None
        logits = x.float(), y.float()
        return _in_order(logits, self._map, self.names, sureness(logits) >= self.least_score)


@dataclass(frozen=True, eq=False)
class OnnxTeacher:
    """Any network that ``predict`` opens.

    SimCC of the student's bins teaches by its distributions. Others are turned into the
    distributions that labels at their coordinates would ask for: a heatmap's bump is several times
    as wide as those, and would blur the student. ``least_score`` is of the scores that ``predict``
    tells. Raises UserError where it has none of the skeleton's points but those to ignore.
    """

    model: PoseModel
    least_score: float
    ignore: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        known_points(str(self.model.path), self.model.keypoint_map, self.ignore)

    @property
    def names(self) -> tuple[str, ...]:
        return known_points(str(self.model.path), self.model.keypoint_map, self.ignore)

    def answer(self, crops: Crops) -> TeacherAnswer:
        """Raises UserError where the network answers no numbers."""
        height, width = crops.images.shape[1:3]
        decoder = self.model.decoder
        same = self.model.input_size_hw == (height, width)
        if same and isinstance(decoder, SimCC) and decoder.split == SPLIT:
            return self._by_distributions(crops.images)
        return self._by_coordinates(crops.images)

    def _by_distributions(self, images: NDArray[np.uint8]) -> TeacherAnswer:
        model = self.model
        count, (height, width) = len(images), model.input_size_hw
        size = model.batch or count
        answers = []
        for first in range(0, count, size):
            planes = np.zeros((size, 3, height, width), np.float32)
            for plane, image in zip(planes, images[first : first + size]):
                cut(
                    image,
                    np.array([0.0, 0.0, 1.0]),
                    plane,
                    normalisation=model.normalisation,
                    network_order=model.color_order,
                )
            told = model.session.run(model.outputs, {model.input.name: model.input.feed(planes)})
            answers.append([np.asarray(each, np.float32) for each in told])
        x, y = (torch.from_numpy(np.concatenate(parts)[:count]) for parts in zip(*answers))
        if not bool(torch.isfinite(x.sum() + y.sum())):
            raise UserError(f"{model.path}: the teacher answers no numbers (NaN or infinity)")
        sure = torch.minimum(x.amax(-1), y.amax(-1)) >= self.least_score
        # What mmpose's networks answer is the tenth of a logit (its KLDiscretLoss).
        return _in_order((SHARPNESS * x, SHARPNESS * y), model.keypoint_map, self.names, sure)

    def _by_coordinates(self, images: NDArray[np.uint8]) -> TeacherAnswer:
        from spinetrack_synth.spinepose.model import estimate

        height, width = images.shape[1:3]
        inner = np.array([width, height]) / PADDING  # the person's box, as crops are cut
        corner = (np.array([width, height]) - inner) / 2
        box = np.concatenate([corner, inner])[None]
        points = np.full((len(images), K, 2), np.nan)
        scores = np.zeros((len(images), K))
        known = [skeleton.INDEX[name] for name in self.names]
        for row, image in enumerate(images):
            found = estimate(self.model, image, box, sub_bin=True)
            points[row, known] = found.keypoints_px[0, known]
            scores[row, known] = found.scores[0, known]
        return as_labels(points, scores >= self.least_score, (width, height))


def normalised(images: NDArray[np.uint8], device: torch.device | str) -> Tensor:
    """Crops (B, H, W, 3) RGB as networks of ours take them: (B, 3, H, W), by ImageNet's colours."""
    planes = torch.from_numpy(np.ascontiguousarray(images)).to(device).permute(0, 3, 1, 2).float()
    mean, std = (planes.new_tensor(values)[:, None, None] for values in (MEAN_RGB, STD_RGB))
    return (planes - mean) / std


def known_points(
    title: str,
    points: KeypointMap | None,
    ignore: Sequence[str],
    given: Sequence[str] = skeleton.NAMES,
) -> tuple[str, ...]:
    """Names of the skeleton's points that a teacher has, without those to ignore; raises UserError
    where there are none, with some of the names ``given``."""
    there = [] if points is None else np.flatnonzero(points.places >= 0).tolist()
    names = [skeleton.NAMES[index] for index in there]
    known = tuple(name for name in names if name not in ignore)
    if not known:
        shown = ", ".join(given[:4]) + (", ..." if len(given) > 4 else "")
        but = f" but those to ignore ({', '.join(ignore)})" if names else f": its are {shown}"
        raise UserError(f"{title}: the teacher knows none of SpineTrack's 37 keypoints{but}")
    return known


def _in_order(
    logits: Logits, points: KeypointMap, names: Sequence[str], sure: Tensor
) -> TeacherAnswer:
    """Logits of a network's own points, sure or not (B, own), as those of the skeleton's."""
    known = [skeleton.INDEX[name] for name in names]
    places = torch.from_numpy(points.places[known]).to(sure.device)
    weight = logits[0].new_zeros(len(logits[0]), K)
    weight[:, known] = sure[:, places].to(weight.dtype)
    ordered = [axis.new_zeros(len(axis), K, axis.shape[-1]) for axis in logits]
    for axis, given in zip(ordered, logits):
        axis[:, known] = given[:, places]
    return TeacherAnswer((ordered[0], ordered[1]), weight)


def as_labels(
    points: NDArray[np.floating], sure: NDArray[np.bool_], size_wh: tuple[int, int]
) -> TeacherAnswer:
    """Coordinates (B, 37, 2) in pixels of the crop as a teacher's answer."""
    places = torch.from_numpy(points).float()
    weight = torch.from_numpy(sure) & inside(places, *size_wh)
    return TeacherAnswer(label_logits(places, *size_wh), weight.float())
