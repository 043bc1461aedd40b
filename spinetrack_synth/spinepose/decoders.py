"""How the answers of pose networks are read: what all kinds have in common, and those of maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.spinepose import heatmaps, simcc
from spinetrack_synth.spinepose.crops import IMAGENET, PADDING, Normalisation

Floats = NDArray[np.float32]
Found = tuple[Floats, Floats]
"""Keypoints (N, K, 2) in pixels of the crop, integers being pixel centres, and scores (N, K)."""


@dataclass(frozen=True, eq=False)
class Reading:
    """How answers are read: the wishes of the caller, and what is known of the crops.

    ``twins`` (K,) is each keypoint's mirror twin; ``boxes_xywh`` (N, 4) are the boxes in the
    picture that were asked about, ``frames`` (N, 3) their crops.
    """

    twins: NDArray[np.intp]
    boxes_xywh: NDArray[np.float64]
    frames: NDArray[np.float64]
    score: simcc.Score = "min"
    sub_bin: bool = False

    @property
    def boxes_crop(self) -> NDArray[np.float64]:
        """The boxes (N, 4) as left, top, right, bottom in pixels of their crops."""
        scale = self.frames[:, 2:]
        low = (self.boxes_xywh[:, :2] - self.frames[:, :2]) / scale
        return np.concatenate([low, low + self.boxes_xywh[:, 2:] / scale], axis=1)


class Decoder(Protocol):
    """Reads the answers of one kind of network. Takes arrays in the order of ``outputs``; those to
    mirror images, where there are any, come second. Knows nothing of pictures and files."""

    @property
    def kind(self) -> str: ...
    @property
    def outputs(self) -> tuple[str, ...]: ...
    @property
    def keypoints(self) -> int: ...
    @property
    def normalisation(self) -> Normalisation:
        """What networks of this kind are trained with where nothing else is known."""
        ...

    @property
    def padding(self) -> float:
        """A crop's size over its box's."""
        ...

    @property
    def mirror_shift_px(self) -> int:
        """How far left mirror images have to be moved."""
        ...

    def decode(
        self, answers: list[Floats], mirrored: list[Floats] | None, reading: Reading
    ) -> Found: ...


@dataclass(frozen=True)
class SimCC:
    """A row of bins for every column and every row of the crop (RTMPose, SpinePose, SimCC)."""

    outputs: tuple[str, ...]
    keypoints: int
    split: float
    kind: str = "SimCC"
    normalisation: Normalisation = IMAGENET
    padding: float = PADDING
    mirror_shift_px: int = 0

    def decode(
        self, answers: list[Floats], mirrored: list[Floats] | None, reading: Reading
    ) -> Found:
        x, y = answers
        if mirrored is not None:
            back_x, back_y = simcc.mirrored(
                mirrored[0], mirrored[1], reading.twins, split=self.split
            )
            x, y = (x + back_x) * np.float32(0.5), (y + back_y) * np.float32(0.5)
        return simcc.decode(x, y, score=reading.score, sub_bin=reading.sub_bin, split=self.split)


@dataclass(frozen=True)
class Heatmaps:
    """A map for every keypoint (HRNet, SimpleBaseline, ViTPose)."""

    outputs: tuple[str, ...]
    keypoints: int
    size_hw: tuple[int, int]
    cells_hw: tuple[int, int]
    channels_last: bool
    udp: bool
    kind: str = "heatmaps"
    normalisation: Normalisation = IMAGENET
    padding: float = PADDING

    @property
    def mirror_shift_px(self) -> int:
        return heatmaps.mirror_shift_px(self.size_hw, self.cells_hw, self.udp)

    def decode(
        self, answers: list[Floats], mirrored: list[Floats] | None, reading: Reading
    ) -> Found:
        maps = planes(answers[0], self.channels_last)
        if mirrored is not None:
            back = heatmaps.mirrored(planes(mirrored[0], self.channels_last), reading.twins)
            maps = (maps + back) * np.float32(0.5)
        return heatmaps.decode(maps, self.size_hw, udp=self.udp, sub_bin=reading.sub_bin)


def planes(maps: Floats, channels_last: bool) -> Floats:
    """Maps with their channels before their cells."""
    return maps.transpose(0, 3, 1, 2) if channels_last else maps
