"""A SimCC pose network: opened, checked, and asked for the people in boxes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth import skeleton
from spinetrack_synth.coco import CocoDataset, Record
from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose import simcc
from spinetrack_synth.spinepose.crops import ColorOrder, crop_frames, cut, to_picture
from spinetrack_synth.spinepose.pictures import read_picture
from spinetrack_synth.spinepose.session import open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

KEYPOINT_SETS: Final = {17: "COCO", 26: "Halpe", 37: "SpineTrack"}
"""Numbers of keypoints that are understood; each set begins with the one before."""

BATCH: Final = 8
"""People in one call of the network. On a CPU more than one gains nothing, on a GPU they do."""

COUNTED_SCORE: Final = 0.2
"""A person's score is the mean of the keypoint scores above this (mmpose's ``CocoMetric``)."""


@dataclass(frozen=True, eq=False)
class PoseModel:
    """An open network: (N, 3, height, width) in, ``simcc_x`` and ``simcc_y`` out.

    ``input_size_hw`` in pixels; ``batch`` is the number of crops it takes at a time, None where it
    takes any number; ``half`` tells that it wants 16-bit floats.
    """

    path: Path
    session: InferenceSession
    input_size_hw: tuple[int, int]
    keypoints: int
    batch: int | None
    half: bool
    outputs: tuple[str, str]
    color_order: ColorOrder
    score: simcc.Score

    @property
    def provider(self) -> str:
        """The execution provider it runs on."""
        return str(self.session.get_providers()[0])

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its keypoints, in order."""
        return skeleton.NAMES[: self.keypoints]


@dataclass(frozen=True)
class Estimate:
    """Keypoints (P, K, 2) in pixels of the picture, and their scores (P, K)."""

    keypoints_px: NDArray[np.float64]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.keypoints_px)

    def rows(self, rows: Sequence[int]) -> Estimate:
        """Some of the people, in that order."""
        wanted = np.array(rows, np.intp)
        return Estimate(self.keypoints_px[wanted], self.scores[wanted])


def open_pose_model(
    path: Path,
    *,
    provider: str | None = None,
    threads: int | None = None,
    spinning: bool = True,
    mixed_precision: bool = False,
    color_order: ColorOrder = "rgb",
    score: simcc.Score = "min",
) -> PoseModel:
    """Open a network and run it once on an empty crop to see what it answers.

    ``provider`` is one of cpu, cuda, coreml, openvino, or None for the best that works;
    ``color_order`` is the order of the colours that the network was trained with. Raises UserError
    where the file cannot be opened or is no SimCC network of 37, 26 or 17 keypoints.
    """
    if color_order not in get_args(ColorOrder):
        raise ValueError(f"color_order {color_order!r}: rgb or bgr")
    if score not in get_args(simcc.Score):
        raise ValueError(f"score {score!r}: min or mean")
    path = Path(path)
    session = open_session(
        path,
        provider=provider,
        threads=threads,
        spinning=spinning,
        mixed_precision=mixed_precision,
    )
    size_hw, batch, half = _check_input(path, session)
    answers = _trial(path, session, size_hw, batch, half)
    outputs = _find_outputs(path, answers, size_hw)
    return PoseModel(
        path=path,
        session=session,
        input_size_hw=size_hw,
        keypoints=answers[outputs[0]].shape[1],
        batch=batch,
        half=half,
        outputs=outputs,
        color_order=color_order,
        score=score,
    )


def estimate(
    model: PoseModel,
    image_rgb: NDArray[np.uint8],
    boxes_xywh: NDArray[np.floating],
    *,
    flip_test: bool = False,
    sub_bin: bool = False,
    batch: int = BATCH,
    image_order: ColorOrder = "rgb",
) -> Estimate:
    """The people in boxes (P, 4) of a picture (H, W, 3).

    ``flip_test`` asks the network about the mirror image too and takes the mean of the answers, as
    the published results do. ``image_order`` saves turning round a picture that OpenCV read.
    """
    boxes = _check_boxes(boxes_xywh)
    pairs = [(image_rgb, box) for box in boxes]
    return _estimate(model, pairs, flip_test, sub_bin, batch, image_order)


def predict_dataset(
    model: PoseModel,
    coco: CocoDataset,
    images_dir: Path,
    *,
    flip_test: bool = True,
    sub_bin: bool = False,
    batch: int = BATCH,
    progress: Callable[[int, int], None] | None = None,
) -> list[Record]:
    """COCO keypoint results for the boxes of a dataset, with the id of each box's annotation.

    Boxes of crowds and of people without labelled keypoints are left out, as mmpose leaves them
    out. ``progress`` is called with the people done and wanted.
    """
    wanted = [
        annotation
        for annotation in coco.annotations
        if not annotation.get("iscrowd") and any(annotation["keypoints"][2::3])
    ]
    of_image: dict[int, list[Record]] = {}
    for annotation in wanted:
        of_image.setdefault(annotation["image_id"], []).append(annotation)
    names = [coco.image_of[image_id]["file_name"] for image_id in of_image]
    pictures = _read_ahead([Path(images_dir) / name for name in names])
    results: list[Record] = []
    waiting: list[tuple[NDArray[np.uint8], Record]] = []

    def flush(fewest: int) -> None:
        while len(waiting) >= max(fewest, 1):
            now, waiting[:batch] = waiting[:batch], []
            boxes = _check_boxes([annotation["bbox"] for _, annotation in now])
            pairs = [(image, box) for (image, _), box in zip(now, boxes)]
            answer = _estimate(model, pairs, flip_test, sub_bin, batch, "bgr")
            for row, (_, annotation) in enumerate(now):
                results.append(
                    result(
                        answer.keypoints_px[row],
                        answer.scores[row],
                        image_id=annotation["image_id"],
                        category_id=annotation["category_id"],
                        box_xywh=annotation["bbox"],
                        annotation_id=annotation["id"],
                    )
                )
            if progress:
                progress(len(results), len(wanted))

    for picture, people in zip(pictures, of_image.values()):
        waiting.extend((picture, person) for person in people)
        flush(batch)
    flush(1)
    return results


def result(
    keypoints_px: NDArray[np.floating],
    scores: NDArray[np.floating],
    *,
    image_id: int,
    category_id: int = 1,
    box_xywh: Sequence[float] | NDArray[np.floating],
    **others: Any,
) -> Record:
    """One person (K, 2), (K,) as a record of a COCO results file, with fields of one's own."""
    triples = np.column_stack([keypoints_px, scores]).round(4)
    counted = scores[scores > COUNTED_SCORE]
    return {
        "image_id": image_id,
        "category_id": category_id,
        "keypoints": triples.ravel().tolist(),
        "score": round(float(counted.mean()), 6) if counted.size else 0.0,
        "bbox": np.round(np.asarray(box_xywh, np.float64), 3).tolist(),
        **others,
    }


def _estimate(
    model: PoseModel,
    pairs: Sequence[tuple[NDArray[np.uint8], NDArray[np.float64]]],
    flip_test: bool,
    sub_bin: bool,
    batch: int,
    image_order: ColorOrder,
) -> Estimate:
    """People given as pictures with their boxes, ``batch`` at a time."""
    frames = crop_frames(np.array([box for _, box in pairs]), model.input_size_hw)
    size = model.batch or max(batch, 1)
    points = np.empty((len(pairs), model.keypoints, 2), np.float32)
    scores = np.empty((len(pairs), model.keypoints), np.float32)
    for first in range(0, len(pairs), size):
        rows = slice(first, min(first + size, len(pairs)))
        count = rows.stop - first
        shape = (model.batch or count, 3, *model.input_size_hw)
        crops = np.zeros(shape, np.float32) if shape[0] > count else np.empty(shape, np.float32)
        for place, (image, _) in enumerate(pairs[rows]):
            cut(
                image,
                frames[first + place],
                crops[place],
                image_order=image_order,
                network_order=model.color_order,
            )
        x, y = _run(model, crops)
        if flip_test:
            twins = np.array(skeleton.MIRROR[: model.keypoints])
            mirror_x, mirror_y = _run(model, np.ascontiguousarray(crops[..., ::-1]))
            mirror_x, mirror_y = simcc.mirrored(mirror_x, mirror_y, twins)
            x, y = x + mirror_x, y + mirror_y
            x *= 0.5
            y *= 0.5
        points[rows], scores[rows] = simcc.decode(
            x[:count], y[:count], score=model.score, sub_bin=sub_bin
        )
    return Estimate(to_picture(points, frames), scores)


def _run(
    model: PoseModel, crops: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    feed = crops.astype(np.float16) if model.half else crops
    x, y = model.session.run(model.outputs, {model.session.get_inputs()[0].name: feed})
    return np.asarray(x, np.float32), np.asarray(y, np.float32)


def _check_boxes(boxes_xywh: object) -> NDArray[np.float64]:
    boxes = np.asarray(boxes_xywh, np.float64).reshape(-1, 4)
    bad = np.flatnonzero(~np.isfinite(boxes).all(axis=1))
    if bad.size:
        raise UserError(f"boxes[{bad[0]}]: {boxes[bad[0]].tolist()}, expected finite x, y, w, h")
    return boxes


def _read_ahead(paths: Sequence[Path]) -> Iterator[NDArray[np.uint8]]:
    """Pictures in blue, green, red; while one is at work the next is being read."""
    with ThreadPoolExecutor(1) as reader:
        upcoming = reader.submit(read_picture, paths[0]) if paths else None
        for place in range(len(paths)):
            assert upcoming is not None
            picture = upcoming.result()
            if place + 1 < len(paths):
                upcoming = reader.submit(read_picture, paths[place + 1])
            yield picture


def _check_input(path: Path, session: InferenceSession) -> tuple[tuple[int, int], int | None, bool]:
    """Size in pixels, batch (None: any) and whether the input is of 16-bit floats."""
    inputs = session.get_inputs()
    shape = inputs[0].shape if inputs else []
    described = f"{path}: the input is {_described(inputs)}, expected one picture (N, 3, H, W)"
    if len(inputs) != 1 or len(shape) != 4 or (isinstance(shape[1], int) and shape[1] != 3):
        raise UserError(described)
    if not all(isinstance(side, int) for side in shape[2:]):
        raise UserError(f"{described}, with a height and width of its own such as 256 x 192")
    if inputs[0].type not in ("tensor(float)", "tensor(float16)"):
        raise UserError(f"{described} of float32 or float16")
    batch = shape[0] if isinstance(shape[0], int) else None
    return (shape[2], shape[3]), batch, inputs[0].type == "tensor(float16)"


def _trial(
    path: Path, session: InferenceSession, size_hw: tuple[int, int], batch: int | None, half: bool
) -> dict[str, NDArray]:
    crops = np.zeros((batch or 1, 3, *size_hw), np.float16 if half else np.float32)
    names = [output.name for output in session.get_outputs()]
    try:
        answers = session.run(names, {session.get_inputs()[0].name: crops})
    except Exception as error:
        reason = str(error).splitlines()[0][:200]
        raise UserError(f"{path}: the network fails on an empty crop: {reason}") from error
    return dict(zip(names, answers))


def _find_outputs(
    path: Path, answers: dict[str, NDArray], size_hw: tuple[int, int]
) -> tuple[str, str]:
    """Names of the x and the y output: as SpinePose names them, or the first two."""
    names = ("simcc_x", "simcc_y") if {"simcc_x", "simcc_y"} <= set(answers) else tuple(answers)[:2]
    height, width = size_hw
    bins = (simcc.SPLIT * width, simcc.SPLIT * height)
    shapes = [np.shape(answers[name]) for name in names]
    fits = len(shapes) == 2 and all(
        len(shape) == 3 and shape[2] == count for shape, count in zip(shapes, bins)
    )
    if not fits or shapes[0][:2] != shapes[1][:2]:
        found = ", ".join(f"{name} {np.shape(answer)}" for name, answer in answers.items())
        raise UserError(
            f"{path}: no SimCC pose network: it answers {found}, expected simcc_x "
            f"(N, K, {bins[0]}) and simcc_y (N, K, {bins[1]}) for an input of {height} x {width}"
        )
    count = shapes[0][1]
    if count not in KEYPOINT_SETS:
        raise UserError(
            f"{path}: the network has {count} keypoints, expected "
            + ", ".join(f"{number} ({name})" for number, name in KEYPOINT_SETS.items())
        )
    return names[0], names[1]


def _described(inputs: Sequence[Any]) -> str:
    return ", ".join(f"{node.name} {node.shape} {node.type}" for node in inputs) or "missing"
