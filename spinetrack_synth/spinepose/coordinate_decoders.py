"""Decoders of networks that answer coordinates, each told by the shapes of its outputs.

Every function here is given outputs by name and answers a decoder, or None where they are those of
something else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.spinepose import movenet
from spinetrack_synth.spinepose.crops import (
    BALANCED,
    IMAGENET,
    PADDING,
    RAW,
    UNIT,
    Normalisation,
)
from spinetrack_synth.spinepose.decoders import Floats, Found, Reading, planes
from spinetrack_synth.spinepose.heatmaps import FEWEST_KEYPOINTS, cells_of

Shapes = Mapping[str, tuple[int, ...]]

Read = Callable[[list[Floats], NDArray[np.float64]], Found]
"""From answers, and the boxes that were asked about in pixels of the crop (N, 4)."""

LANDMARKS: Final = 39
"""BlazePose's 33 landmarks and six points of its own use, each x, y, z, visibility, presence."""

MOST_PEOPLE: Final = 20
"""MoveNet answers with room for six, YOLO with room for hundreds."""

TIGHT: Final = 1.0
"""Padding for MoveNet: of 0.85 to 2 the best with true boxes (68 people of COCO: mean OKS .650 for
the larger network, .609 with the padding of the others)."""

FURTHEST_PART: Final = 4.0
"""Coordinates beyond are no parts of the crop but its pixels."""


@dataclass(frozen=True)
class CoordinateDecoder:
    """Decodes answers that are coordinates already; ``read`` turns them into ``Found``.

    The answer to a mirror image is mirrored as it is, and the two are averaged.
    """

    kind: str
    outputs: tuple[str, ...]
    keypoints: int
    size_hw: tuple[int, int]
    normalisation: Normalisation
    read: Read
    padding: float = PADDING
    mirror_shift_px: int = 0

    def decode(
        self, answers: list[Floats], mirrored: list[Floats] | None, reading: Reading
    ) -> Found:
        points, scores = self.read(answers, reading.boxes_crop)
        if mirrored is None:
            return points, scores
        last = np.float32(self.size_hw[1] - 1)
        turned = reading.boxes_crop.copy()
        turned[:, [0, 2]] = last - turned[:, [2, 0]]
        back, back_scores = self.read(mirrored, turned)
        back = back[:, reading.twins]
        back[..., 0] = last - back[..., 0]
        half = np.float32(0.5)
        return (points + back) * half, (scores + back_scores[:, reading.twins]) * half


def grids(
    answers: Mapping[str, NDArray[np.floating]], size_hw: tuple[int, int], batch: int
) -> CoordinateDecoder | None:
    """MoveNet's heads: one channel, K, 2K and 2K. The farther-reaching of the last two leads from
    the middle of the person. Graphs of TensorFlow (channels last) answer y before x."""
    fitting = {}
    for name, answer in answers.items():
        fits = cells_of(answer.shape, size_hw) if answer.ndim == 4 else None
        if fits is not None and answer.shape[0] == batch:
            fitting[name] = (*fits, answer.shape[3 if fits[1] else 1])
    if len(fitting) != 4 or len({fit[:2] for fit in fitting.values()}) > 1:
        return None
    channels = {name: fit[2] for name, fit in fitting.items()}
    centre, heights, *both = sorted(channels, key=channels.__getitem__)
    keypoints = channels[heights]
    if [channels[name] for name in (centre, *both)] != [1, 2 * keypoints, 2 * keypoints]:
        return None
    ways, offsets = sorted(both, key=lambda name: -float(np.abs(answers[name]).mean()))
    channels_last = next(iter(fitting.values()))[1]
    logistic = _is_raw(answers[heights])

    def read(arrays: list[Floats], boxes_crop: NDArray[np.float64]) -> Found:
        maps = [planes(array, channels_last) for array in arrays]
        pairs = [array.reshape(len(array), keypoints, 2, *array.shape[2:]) for array in maps[2:]]
        if channels_last:
            pairs = [array[:, :, ::-1] for array in pairs]
        if logistic:
            maps[:2] = [_logistic(array) for array in maps[:2]]
        points, scores = movenet.decode(maps[0][:, 0], maps[1], *pairs)
        return _in_pixels(points, size_hw), scores

    names = (centre, heights, ways, offsets)
    return CoordinateDecoder("MoveNet's grids", names, keypoints, size_hw, RAW, read, TIGHT)


def posenet(shapes: Shapes, size_hw: tuple[int, int], batch: int) -> CoordinateDecoder | None:
    """Maps, and for each of their cells the way to the keypoint in pixels, all y before all x.

    Cells begin at the first pixel and end at the last one, 16 or another stride apart.
    """
    fitting = {
        name: shape for name, shape in shapes.items() if len(shape) == 4 and shape[0] == batch
    }
    maps = [name for name in fitting if fitting[name][3] >= FEWEST_KEYPOINTS]
    for heights in maps:
        _, high, wide, keypoints = fitting[heights]
        ways = [name for name in maps if fitting[name] == (batch, high, wide, 2 * keypoints)]
        strides = {(side - 1) / max(cells - 1, 1) for side, cells in zip(size_hw, (high, wide))}
        if len(ways) != 1 or len(strides) != 1 or min(strides) not in (8, 16, 32):
            continue
        return CoordinateDecoder(
            "PoseNet", (heights, ways[0]), keypoints, size_hw, BALANCED, _posenet_read(min(strides))
        )
    return None


def _posenet_read(stride: float) -> Read:
    def read(arrays: list[Floats], wanted: NDArray[np.float64]) -> Found:
        chances, ways = (planes(array, channels_last=True) for array in arrays)
        count, keypoints, _, wide = chances.shape
        flat = chances.reshape(count, keypoints, -1)
        place = flat.argmax(axis=-1)
        found = ways.reshape(count, 2, keypoints, -1)[:, ::-1]  # x before y
        way = np.take_along_axis(found, place[:, None, :, None], axis=-1)[..., 0]
        cells = np.stack([place % wide, place // wide], axis=1)
        points = (cells * np.float32(stride) + way).transpose(0, 2, 1)
        top = np.take_along_axis(flat, place[..., None], axis=-1)[..., 0]
        return points.astype(np.float32), _logistic(top)

    return read


def blazepose(shapes: Shapes, size_hw: tuple[int, int], batch: int) -> CoordinateDecoder | None:
    """Landmarks in pixels; their visibility is a likelihood before the logistic function."""
    names = [name for name, shape in shapes.items() if shape == (batch, 5 * LANDMARKS)]
    if not names:
        return None

    def read(arrays: list[Floats], wanted: NDArray[np.float64]) -> Found:
        rows = arrays[0].reshape(-1, LANDMARKS, 5)
        return rows[..., :2], _logistic(rows[..., 3])

    return CoordinateDecoder("BlazePose", (names[0],), LANDMARKS, size_hw, UNIT, read)


def coordinates(
    answers: Mapping[str, NDArray[np.floating]], size_hw: tuple[int, int], batch: int
) -> CoordinateDecoder | None:
    """x, y, and perhaps a score or two deviations (RLE), of every keypoint."""
    for name, answer in answers.items():
        if answer.ndim != 3 or answer.shape[0] != batch or answer.shape[2] not in (2, 3, 4):
            continue
        in_pixels = bool(np.nanmax(np.abs(answer[..., :2]), initial=0) > FURTHEST_PART)
        logistic = _is_raw(answer[..., 2:])

        def read(
            arrays: list[Floats],
            boxes_crop: NDArray[np.float64],
            in_pixels: bool = in_pixels,
            logistic: bool = logistic,
        ) -> Found:
            places, rest = arrays[0][..., :2], arrays[0][..., 2:]
            rest = _logistic(rest) if logistic else rest
            if rest.shape[-1] == 2:  # deviations in parts of the crop: the less the better
                rest = 1 - rest
            scores = rest.mean(axis=-1) if rest.shape[-1] else np.ones_like(places[..., 0])
            scores = np.where(np.isfinite(places).all(axis=-1), scores, np.float32(np.nan))
            return places if in_pixels else _in_pixels(places, size_hw), scores

        return CoordinateDecoder("coordinates", (name,), answer.shape[1], size_hw, IMAGENET, read)
    return None


def rtmo(shapes: Shapes, size_hw: tuple[int, int], batch: int) -> CoordinateDecoder | None:
    """Boxes with scores beside keypoints with scores, in pixels, of several people."""
    if sorted(map(len, shapes.values())) != [3, 4]:
        return None
    boxes, points = sorted(shapes, key=lambda name: len(shapes[name]))
    people = (batch, shapes[boxes][1])
    if shapes[boxes] != (*people, 5) or shapes[points][:2] != people or shapes[points][3] != 3:
        return None

    def read(arrays: list[Floats], wanted: NDArray[np.float64]) -> Found:
        found, triples = arrays
        return _asked(found[..., :4], found[..., 4], triples, wanted)

    return CoordinateDecoder("RTMO", (boxes, points), shapes[points][2], size_hw, RAW, read)


def one_output(shapes: Shapes, size_hw: tuple[int, int], batch: int) -> CoordinateDecoder | None:
    """MoveNet and YOLO pose with what their graphs make of their heads."""
    ((name, shape),) = shapes.items()
    if shape[:1] != (batch,):
        return None
    if len(shape) == 4 and shape[1] == 1 and shape[3] == 3:
        return CoordinateDecoder(
            "MoveNet", (name,), shape[2], size_hw, RAW, _movenet(size_hw), TIGHT
        )
    if len(shape) != 3:
        return None
    _, rows, columns = shape
    cells = sum((size_hw[0] // stride) * (size_hw[1] // stride) for stride in (8, 16, 32))
    if columns == cells and rows > 5 and rows % 3 == 2:
        return CoordinateDecoder("YOLO pose", (name,), (rows - 5) // 3, size_hw, UNIT, _yolo_pose)
    if rows <= MOST_PEOPLE and columns == 56:
        read = _multipose(size_hw)
        return CoordinateDecoder("MoveNet multipose", (name,), 17, size_hw, RAW, read, TIGHT)
    if rows > MOST_PEOPLE and 6 < columns <= 120 and columns % 3 == 0:
        return CoordinateDecoder(
            "YOLO pose", (name,), columns // 3 - 2, size_hw, UNIT, _yolo_pose_suppressed
        )
    return None


def _movenet(size_hw: tuple[int, int]) -> Read:
    def read(arrays: list[Floats], wanted: NDArray[np.float64]) -> Found:
        triples = arrays[0][:, 0]
        return _in_pixels(triples[..., 1::-1], size_hw), triples[..., 2]

    return read


def _multipose(size_hw: tuple[int, int]) -> Read:
    """Rows of y, x, score of every keypoint, then top, left, bottom, right, score."""

    def read(arrays: list[Floats], wanted: NDArray[np.float64]) -> Found:
        rows = arrays[0]
        triples = rows[..., :-5].reshape(*rows.shape[:2], -1, 3)
        places = _in_pixels(triples[..., 1::-1], size_hw)
        corners = rows[..., [-4, -5, -2, -3]].reshape(*rows.shape[:2], 2, 2)
        boxes = _in_pixels(corners, size_hw).reshape(*rows.shape[:2], 4)
        triples = np.concatenate([places, triples[..., 2:]], axis=-1)
        return _asked(boxes, rows[..., -1], triples, wanted)

    return read


def _yolo_pose(arrays: list[Floats], wanted: NDArray[np.float64]) -> Found:
    """Columns of x and y of the middle, width, height, score, and x, y, score of every keypoint."""
    rows = arrays[0].transpose(0, 2, 1)
    half = rows[..., 2:4] / 2
    boxes = np.concatenate([rows[..., :2] - half, rows[..., :2] + half], axis=-1)
    return _asked(boxes, rows[..., 4], rows[..., 5:].reshape(*rows.shape[:2], -1, 3), wanted)


def _yolo_pose_suppressed(arrays: list[Floats], wanted: NDArray[np.float64]) -> Found:
    """Rows of left, top, right, bottom, score, class, and x, y, score of every keypoint."""
    rows = arrays[0]
    triples = rows[..., 6:].reshape(*rows.shape[:2], -1, 3)
    return _asked(rows[..., :4], rows[..., 4], triples, wanted)


def _asked(
    boxes: Floats, confidence: Floats, triples: Floats, wanted: NDArray[np.float64]
) -> Found:
    """Of the people (N, P) the likeliest in each wanted box (N, 4): keypoints and scores."""
    low = np.maximum(boxes[..., :2], wanted[:, None, :2])
    high = np.minimum(boxes[..., 2:], wanted[:, None, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=-1)
    area = np.clip(boxes[..., 2:] - boxes[..., :2], 0, None).prod(axis=-1)
    own = (wanted[:, 2:] - wanted[:, :2]).prod(axis=1)[:, None]
    overlap = shared / np.maximum(area + own - shared, 1e-9)
    best = (np.nan_to_num(confidence) * (overlap + 1e-3)).argmax(axis=1)
    chosen = triples[np.arange(len(triples)), best]
    return chosen[..., :2], chosen[..., 2]


def _in_pixels(parts: Floats, size_hw: tuple[int, int]) -> Floats:
    """Places in parts of the crop, which end at its border, as pixels."""
    return parts * np.array([size_hw[1], size_hw[0]], np.float32) - np.float32(0.5)


def _is_raw(values: NDArray[np.floating]) -> bool:
    """Whether the logistic function is still to come: likelihoods are between 0 and 1."""
    return bool(values.size and (values.min() < 0 or values.max() > 1))


def _logistic(values: Floats) -> Floats:
    return (1 / (1 + np.exp(-np.clip(values, -30, 30)))).astype(np.float32)
