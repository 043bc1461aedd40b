"""People found by a detector network: YOLOX, RTMDet, RF-DETR or YOLO, known by what it answers."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose.crops import IMAGENET, UNIT, Normalisation
from spinetrack_synth.spinepose.image_files import Picture
from spinetrack_synth.spinepose.network_input import NetworkInput, named_shapes, read_input
from spinetrack_synth.spinepose.session import open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Kind = Literal["yolox", "yolox with nms", "rtmdet", "rf-detr", "yolov5", "yolov8", "yolo with nms"]
Floats = NDArray[np.float64]

LEAST_SCORE: Final[dict[Kind, float]] = {
    "yolox": 0.7, "yolox with nms": 0.3, "rtmdet": 0.3, "rf-detr": 0.3, "yolov5": 0.25,
    "yolov8": 0.25, "yolo with nms": 0.25,
}  # fmt: skip
"""Detections below are dropped; the thresholds of the ``spinepose`` package, of rtmlib and of
Ultralytics."""

NORMALISATIONS: Final[dict[Kind, Normalisation]] = {
    "rtmdet": IMAGENET, "rf-detr": IMAGENET, "yolov5": UNIT, "yolov8": UNIT, "yolo with nms": UNIT,
}  # fmt: skip
"""What the kinds are trained with; YOLOX takes colours as they are."""

RED_FIRST: Final = ("rf-detr", "yolov5", "yolov8", "yolo with nms")
"""Kinds that want red, green, blue; the others want blue, green, red."""

SUPPRESSED_HERE: Final = ("yolox", "rtmdet", "yolov5", "yolov8")

USUAL_SIZES_HW: Final = ((640, 640), (416, 416), (320, 320))
"""Tried in turn where a detector's height and width are free: those of RTMDet and YOLOX."""

OVERLAP: Final = 0.45
"""Of two boxes that overlap more (intersection over union) the better one stays."""

STRIDES: Final = (8, 16, 32)
PAD_VALUE: Final = 114
RTMDET_HEAD: Final = b"rtm_cls"
"""Part of a weight's name in RTMDet's head, and in no other network's."""

RFDETR_PERSON: Final = 1
"""RF-DETR counts COCO's own category numbers; 0 is nobody's."""


@dataclass(frozen=True, eq=False)
class Detector:
    """An open detector and the input it wants, in pixels."""

    path: Path
    session: InferenceSession
    input: NetworkInput
    kind: Kind
    input_size_hw: tuple[int, int]
    least_score: float


@dataclass(frozen=True)
class Boxes:
    """People's boxes (P, 4), x, y, width, height in pixels, and their scores (P,), best first."""

    boxes_xywh: Floats
    scores: Floats


def open_detector(
    path: Path,
    *,
    provider: str | None = None,
    threads: int | None = None,
    spinning: bool = True,
    mixed_precision: bool = False,
    least_score: float | None = None,
) -> Detector:
    """Open a detector and run it once to see what it answers.

    YOLOX answers one array with a row for every cell of its grids; with its own suppression it
    answers boxes with scores, and labels, as RTMDet does, which the names of its weights tell;
    RF-DETR answers boxes and a score for every class; YOLOv5 three rows a cell, YOLOv8 and its
    successors a column a cell, or rows of six after suppression (keypoints may follow). Where
    height and width are free, pictures of ``USUAL_SIZES_HW`` are tried. Raises UserError for
    anything else.
    """
    path = Path(path)
    session = open_session(
        path,
        provider=provider,
        threads=threads,
        spinning=spinning,
        mixed_precision=mixed_precision,
    )
    entrance = read_input(path, session, "one picture (1, 3, H, W) or (1, H, W, 3)")
    problem = ""
    for usual in USUAL_SIZES_HW:
        height, width = (given or side for given, side in zip(entrance.size_hw, usual))
        blank = np.zeros((entrance.batch or 1, 3, height, width), np.float32)
        try:
            answers = _run(path, session, entrance, blank)
        except UserError as error:
            problem = problem or str(error)
            continue
        kind = _recognise(path, [np.shape(answer) for answer in answers.values()], (height, width))
        if kind is not None:
            least = LEAST_SCORE[kind] if least_score is None else least_score
            return Detector(path, session, entrance, kind, (height, width), least)
        problem = (
            f"{path}: no detector that is known here: it answers {named_shapes(answers)} to a "
            f"picture of {height} x {width}; expected YOLOX, RTMDet, RF-DETR or YOLO"
        )
        break
    raise UserError(problem)


def detect(detector: Detector, picture: Picture, name: str = "") -> Boxes:
    """The people in a picture (H, W, 3) of blue, green and red.

    Raises UserError where the network answers no numbers, beginning with the picture's ``name``.
    """
    fed, picture_per_input = _prepare(detector, picture)
    answers = list(_run(detector.path, detector.session, detector.input, fed).values())
    if detector.kind == "yolox":
        corners, scores = _yolox(answers[0][0], detector.input_size_hw)
    elif detector.kind == "rf-detr":
        corners, scores = _rfdetr(answers[0][0], answers[1][0], detector.input_size_hw)
    elif detector.kind == "yolov5":
        corners, scores = _corners(answers[0][0, :, :4]), answers[0][0, :, 4] * answers[0][0, :, 5]
    elif detector.kind == "yolov8":
        corners, scores = _corners(answers[0][0, :4].T), answers[0][0, 4]
    elif detector.kind == "yolo with nms":
        rows = answers[0][0][answers[0][0, :, 5] == 0]
        corners, scores = rows[:, :4], rows[:, 4]
    else:
        person = answers[1][0] == 0
        corners, scores = answers[0][0, person, :4], answers[0][0, person, 4]
    if any(answer.size and not np.isfinite(answer).any() for answer in answers):
        raise UserError(
            f"{name}{': ' * bool(name)}{detector.path} answers no numbers (NaN or infinity) to "
            "this picture: the detector is broken, or its input is not as it was trained"
        )
    kept = (scores >= detector.least_score) & np.isfinite(corners).all(axis=1)
    corners = corners[kept].astype(np.float64) * np.tile(picture_per_input, 2)
    scores = scores[kept].astype(np.float64)
    height, width = picture.shape[:2]
    corners = np.clip(corners, 0, [width, height, width, height])
    boxes = np.column_stack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
    order = np.argsort(-scores, kind="stable")
    order = order[(boxes[order, 2:] >= 1).all(axis=1)]
    if detector.kind in SUPPRESSED_HERE:
        order = order[suppress(boxes[order])]
    return Boxes(boxes[order], scores[order])


def overlap(boxes: Floats, others: Floats) -> Floats:
    """Intersection over union (P, Q) of boxes (P, 4) and (Q, 4), x, y, width, height."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(
        boxes[:, None, :2] + boxes[:, None, 2:], others[None, :, :2] + others[None, :, 2:]
    )
    shared = np.clip(high - low, 0, None).prod(axis=2)
    area = boxes[:, 2:].prod(axis=1)[:, None] + others[:, 2:].prod(axis=1)[None]
    share: Floats = shared / np.maximum(area - shared, 1e-9)
    return share


def suppress(boxes: Floats, most: float = OVERLAP) -> NDArray[np.intp]:
    """Which of boxes (P, 4), best first, stay when those that overlap a better one go."""
    near = overlap(boxes, boxes) > most
    kept: list[int] = []
    for row in range(len(boxes)):
        if not near[row, kept].any():
            kept.append(row)
    return np.array(kept, np.intp)


def _recognise(path: Path, shapes: list[tuple[int, ...]], size_hw: tuple[int, int]) -> Kind | None:
    cells = sum((size_hw[0] // stride) * (size_hw[1] // stride) for stride in STRIDES)
    if len(shapes) == 1 and len(shapes[0]) == 3:
        _, rows, columns = shapes[0]
        if columns == cells and rows >= 5:
            return "yolov8"
        if columns >= 6 and rows in (cells, 3 * cells):
            return "yolox" if rows == cells else "yolov5"
        with_points = rows > 20 and columns > 6 and columns % 3 == 0
        return "yolo with nms" if columns == 6 or with_points else None
    if len(shapes) == 2 and len(shapes[0]) == 3 and shapes[0][:2] == shapes[1][:2]:
        if shapes[0][2] == 5 and len(shapes[1]) == 2:
            return "rtmdet" if _holds(path, RTMDET_HEAD) else "yolox with nms"
        if shapes[0][2] == 4 and len(shapes[1]) == 3:
            return "rf-detr"
    return None


def _holds(path: Path, text: bytes) -> bool:
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as all_:
        return all_.find(text) >= 0


def _run(
    path: Path, session: InferenceSession, entrance: NetworkInput, fed: NDArray[np.float32]
) -> dict[str, NDArray[np.floating]]:
    names = [node.name for node in session.get_outputs()]
    try:
        answers = session.run(names, {entrance.name: entrance.feed(fed)})
    except Exception as error:  # onnxruntime's own exceptions share no other base
        reason = str(error).splitlines()[0][:200]
        raise UserError(f"{path}: the detector fails on pictures {fed.shape}: {reason}") from error
    return {name: np.asarray(answer) for name, answer in zip(names, answers)}


def _prepare(detector: Detector, picture: Picture) -> tuple[NDArray[np.float32], Floats]:
    """The network's input, and picture pixels for a pixel of it along x and y.

    RF-DETR wants the stretched picture, the others want it in the upper left corner of a grey
    input. Networks that take whole numbers do the rest themselves.
    """
    import cv2

    height, width = detector.input_size_hw
    size = np.array([picture.shape[1], picture.shape[0]], np.float64)
    if detector.kind == "rf-detr":
        filled = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
        picture_per_input = size / [width, height]
    else:
        ratio = min(width / size[0], height / size[1])
        inner = np.maximum((size * ratio).astype(int), 1)
        filled = np.full((height, width, 3), PAD_VALUE, np.uint8)
        filled[: inner[1], : inner[0]] = cv2.resize(
            picture, inner.tolist(), interpolation=cv2.INTER_LINEAR
        )
        picture_per_input = np.array([1 / ratio, 1 / ratio])
    order = slice(None, None, -1) if detector.kind in RED_FIRST else slice(None)
    fed = np.repeat(
        filled[..., order].transpose(2, 0, 1)[None].astype(np.float32),
        detector.input.batch or 1,
        axis=0,
    )
    if not detector.input.whole_numbers and detector.kind in NORMALISATIONS:
        normal = NORMALISATIONS[detector.kind]
        mean, deviation = (
            np.array(values, np.float32) for values in (normal.mean_rgb, normal.std_rgb)
        )
        if detector.kind not in RED_FIRST:
            mean, deviation = mean[::-1], deviation[::-1]
        fed -= mean[:, None, None]
        fed /= deviation[:, None, None]
    return fed, picture_per_input


def _corners(middles: NDArray[np.floating]) -> NDArray[np.floating]:
    """Left, top, right, bottom (A, 4) of x and y of the middle, width and height."""
    half = middles[:, 2:] / 2
    return np.concatenate([middles[:, :2] - half, middles[:, :2] + half], axis=1)


def _yolox(
    rows: NDArray[np.floating], size_hw: tuple[int, int]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Corners (A, 4) in pixels of the input and scores (A,) of the first class, a person."""
    cells, strides = [], []
    for stride in STRIDES:
        y, x = np.mgrid[: size_hw[0] // stride, : size_hw[1] // stride]
        cells.append(np.column_stack([x.ravel(), y.ravel()]))
        strides.append(np.full(x.size, stride))
    stride_of = np.concatenate(strides)[:, None]
    centre = (rows[:, :2] + np.concatenate(cells)) * stride_of
    half = np.exp(np.minimum(rows[:, 2:4], 20)) * stride_of / 2
    return np.column_stack([centre - half, centre + half]), rows[:, 4] * rows[:, 5]


def _rfdetr(
    boxes: NDArray[np.floating], logits: NDArray[np.floating], size_hw: tuple[int, int]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Corners (Q, 4) in pixels of the input and scores (Q,) of the person class."""
    column = min(RFDETR_PERSON, logits.shape[1] - 1)
    half = np.maximum(boxes[:, 2:], 0) / 2
    corners = np.column_stack([boxes[:, :2] - half, boxes[:, :2] + half])
    scores = 1 / (1 + np.exp(-logits[:, column].astype(np.float64)))
    return corners * np.tile([size_hw[1], size_hw[0]], 2), scores
