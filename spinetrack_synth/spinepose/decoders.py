"""Kinds of pose networks, told apart by the shapes of what they answer, and how each is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.spinepose import heatmaps, movenet, simcc
from spinetrack_synth.spinepose.crops import IMAGENET, PADDING, RAW, UNIT, Normalisation

Floats = NDArray[np.float32]
Found = tuple[Floats, Floats]
"""Keypoints (N, K, 2) in pixels of the crop, integers being pixel centres, and scores (N, K)."""

Read = Callable[[list[Floats], NDArray[np.float64]], Found]
"""From answers, and the boxes that were asked about in pixels of the crop (N, 4)."""

MOST_PEOPLE: Final = 20
"""MoveNet answers with room for six, YOLO with room for hundreds."""

TIGHT: Final = 1.0
"""Padding for MoveNet: of 0.85 to 2 the best with true boxes (68 people of COCO: mean OKS .650 for
the larger network, .609 with the padding of the others)."""

FURTHEST_PART: Final = 4.0
"""Coordinates beyond are no parts of the crop but its pixels."""


@dataclass(frozen=True, eq=False)
class Reading:
    """How answers are read: the wishes of the caller, and what is known of the crops.

    ``twins`` (K,) is each keypoint's mirror twin; ``boxes_crop`` (N, 4) are the boxes that were
    asked about, left, top, right, bottom in pixels of the crop.
    """

    twins: NDArray[np.intp]
    boxes_crop: NDArray[np.float64]
    score: simcc.Score = "min"
    sub_bin: bool = False


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
        maps = _planes(answers[0], self.channels_last)
        if mirrored is not None:
            back = heatmaps.mirrored(_planes(mirrored[0], self.channels_last), reading.twins)
            maps = (maps + back) * np.float32(0.5)
        return heatmaps.decode(maps, self.size_hw, udp=self.udp, sub_bin=reading.sub_bin)


@dataclass(frozen=True)
class Places:
    """Networks whose answers are places already; ``read`` turns them into ``Found``.

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


KINDS: Final = (
    "SimCC (N, K, {x}) with (N, K, {y})",
    "heatmaps (N, K, H/4, W/4)",
    "coordinates (N, K, 2 to 4)",
    "MoveNet (1, 1, 17, 3), (1, 6, 56) or its four grids",
    "YOLO pose (1, 5 + 3K, cells)",
    "RTMO (1, P, 5) with (1, P, K, 3)",
)
"""What is known, for messages."""


def recognise(
    answers: Mapping[str, NDArray], size_hw: tuple[int, int], batch: int, *, udp: bool = False
) -> Decoder | None:
    """What reads the answers to ``batch`` crops of that size; None where the kind is not known.

    Shapes decide. Names count where two outputs are alike in shape, values where shapes are alike
    in meaning: coordinates in pixels or in parts of the crop.
    """
    shapes = {name: np.shape(answer) for name, answer in answers.items()}
    return (
        _simcc(shapes, size_hw, batch)
        or _grids(answers, size_hw, batch)
        or _heatmaps(shapes, size_hw, batch, udp)
        or _rtmo(shapes, size_hw, batch)
        or (_one_output(shapes, size_hw, batch) if len(shapes) == 1 else None)
        or _coordinates(answers, size_hw, batch)
    )


def _simcc(
    shapes: Mapping[str, tuple[int, ...]], size_hw: tuple[int, int], batch: int
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


def _cells(shape: tuple[int, ...], size_hw: tuple[int, int]) -> tuple[tuple[int, int], bool] | None:
    """Cells of a map and whether its channels are last; None where the sides do not fit."""
    for channels_last, (high, wide) in ((False, shape[2:4]), (True, shape[1:3])):
        stride = size_hw[0] // max(high, 1)
        if stride in (1, 2, 4, 8, 16, 32) and (high * stride, wide * stride) == size_hw:
            return (high, wide), channels_last
    return None


def _heatmaps(
    shapes: Mapping[str, tuple[int, ...]], size_hw: tuple[int, int], batch: int, udp: bool
) -> Heatmaps | None:
    """Of several alike the last: networks in stages answer once a stage."""
    found = None
    for name, shape in shapes.items():
        if len(shape) == 4 and shape[0] == batch:
            fits = _cells(shape, size_hw)
            if fits is not None:
                cells, channels_last = fits
                keypoints = shape[3 if channels_last else 1]
                found = Heatmaps((name,), keypoints, size_hw, cells, channels_last, udp)
    return found


def _grids(answers: Mapping[str, NDArray], size_hw: tuple[int, int], batch: int) -> Places | None:
    """MoveNet's heads: one channel, K, 2K and 2K. The farther-reaching of the last two leads from
    the middle of the person. Graphs of TensorFlow (channels last) answer y before x."""
    fitting = {}
    for name, answer in answers.items():
        fits = _cells(answer.shape, size_hw) if answer.ndim == 4 else None
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
        planes = [_planes(array, channels_last) for array in arrays]
        pairs = [array.reshape(len(array), keypoints, 2, *array.shape[2:]) for array in planes[2:]]
        if channels_last:
            pairs = [array[:, :, ::-1] for array in pairs]
        if logistic:
            planes[:2] = [_logistic(array) for array in planes[:2]]
        points, scores = movenet.decode(planes[0][:, 0], planes[1], *pairs)
        return _in_pixels(points, size_hw), scores

    names = (centre, heights, ways, offsets)
    return Places("MoveNet's grids", names, keypoints, size_hw, RAW, read, TIGHT)


def _coordinates(
    answers: Mapping[str, NDArray], size_hw: tuple[int, int], batch: int
) -> Places | None:
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

        return Places("coordinates", (name,), answer.shape[1], size_hw, IMAGENET, read)
    return None


def _rtmo(
    shapes: Mapping[str, tuple[int, ...]], size_hw: tuple[int, int], batch: int
) -> Places | None:
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

    return Places("RTMO", (boxes, points), shapes[points][2], size_hw, RAW, read)


def _one_output(
    shapes: Mapping[str, tuple[int, ...]], size_hw: tuple[int, int], batch: int
) -> Places | None:
    """MoveNet and YOLO pose with what their graphs make of their heads."""
    ((name, shape),) = shapes.items()
    if shape[:1] != (batch,):
        return None
    if len(shape) == 4 and shape[1] == 1 and shape[3] == 3:
        return Places("MoveNet", (name,), shape[2], size_hw, RAW, _movenet(size_hw), TIGHT)
    if len(shape) != 3:
        return None
    _, rows, columns = shape
    cells = sum((size_hw[0] // stride) * (size_hw[1] // stride) for stride in (8, 16, 32))
    if columns == cells and rows > 5 and rows % 3 == 2:
        return Places("YOLO pose", (name,), (rows - 5) // 3, size_hw, UNIT, _yolo_pose)
    if rows <= MOST_PEOPLE and columns == 56:
        read = _multipose(size_hw)
        return Places("MoveNet multipose", (name,), 17, size_hw, RAW, read, TIGHT)
    if rows > MOST_PEOPLE and 6 < columns <= 120 and columns % 3 == 0:
        return Places("YOLO pose", (name,), columns // 3 - 2, size_hw, UNIT, _yolo_pose_suppressed)
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


def _planes(maps: Floats, channels_last: bool) -> Floats:
    return maps.transpose(0, 3, 1, 2) if channels_last else maps


def _in_pixels(parts: Floats, size_hw: tuple[int, int]) -> Floats:
    """Places in parts of the crop, which end at its border, as pixels."""
    return parts * np.array([size_hw[1], size_hw[0]], np.float32) - np.float32(0.5)


def _is_raw(values: NDArray) -> bool:
    """Whether the logistic function is still to come: likelihoods are between 0 and 1."""
    return bool(values.size and (values.min() < 0 or values.max() > 1))


def _logistic(values: Floats) -> Floats:
    return (1 / (1 + np.exp(-np.clip(values, -30, 30)))).astype(np.float32)
