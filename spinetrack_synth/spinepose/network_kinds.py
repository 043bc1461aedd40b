"""Kinds of pose networks, told apart by the shapes of what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.spinepose import coordinate_decoders
from spinetrack_synth.spinepose.decoders import Decoder, Heatmaps, SimCC
from spinetrack_synth.spinepose.heatmaps import FEWEST_KEYPOINTS, cells_of

KINDS: Final = (
    "SimCC (N, K, {x}) with (N, K, {y})",
    "heatmaps (N, K, H/4, W/4)",
    "coordinates (N, K, 2 to 4)",
    "MoveNet (1, 1, 17, 3), (1, 6, 56) or its four grids",
    "PoseNet's maps (K) and offsets (2K)",
    "BlazePose (N, 195)",
    "YOLO pose (1, 5 + 3K, cells)",
    "RTMO (1, P, 5) with (1, P, K, 3)",
)
"""What is known, for messages."""


def recognise(
    answers: Mapping[str, NDArray[np.floating]],
    size_hw: tuple[int, int],
    batch: int,
    *,
    udp: bool = False,
) -> Decoder | None:
    """What reads the answers to ``batch`` crops of that size; None where the kind is not known.

    Shapes decide. Names count where two outputs are alike in shape, values where shapes are alike
    in meaning: coordinates in pixels or in parts of the crop.
    """
    shapes = {name: np.shape(answer) for name, answer in answers.items()}
    return (
        _simcc(shapes, size_hw, batch)
        or coordinate_decoders.blazepose(shapes, size_hw, batch)
        or coordinate_decoders.grids(answers, size_hw, batch)
        or coordinate_decoders.posenet(shapes, size_hw, batch)
        or _heatmaps(shapes, size_hw, batch, udp)
        or coordinate_decoders.rtmo(shapes, size_hw, batch)
        or (coordinate_decoders.one_output(shapes, size_hw, batch) if len(shapes) == 1 else None)
        or coordinate_decoders.coordinates(answers, size_hw, batch)
    )


def _simcc(
    shapes: coordinate_decoders.Shapes, size_hw: tuple[int, int], batch: int
) -> SimCC | None:
    height, width = size_hw
    names = [name for name in shapes if len(shapes[name]) == 3]
    if {"simcc_x", "simcc_y"} <= set(names):
        names = ["simcc_x", "simcc_y"]
    pairs = [(names[0], names[1])] if len(names) >= 2 else []
    pairs += [(b, a) for a, b in pairs if names[0] != "simcc_x"]
    for x, y in pairs:
        (count, keypoints, wide), (*same, high) = shapes[x], shapes[y]
        fits = wide * height == high * width and wide % width == 0
        if fits and same == [count, keypoints] and count == batch:
            return SimCC((x, y), keypoints, wide / width)
    return None


def _heatmaps(
    shapes: coordinate_decoders.Shapes, size_hw: tuple[int, int], batch: int, udp: bool
) -> Heatmaps | None:
    """Of several alike the last: networks in stages answer once a stage."""
    found = None
    for name, shape in shapes.items():
        if len(shape) == 4 and shape[0] == batch:
            fits = cells_of(shape, size_hw)
            if fits is not None:
                cells, channels_last = fits
                keypoints = shape[3 if channels_last else 1]
                if keypoints < FEWEST_KEYPOINTS:
                    continue
                found = Heatmaps((name,), keypoints, size_hw, cells, channels_last, udp)
    return found
