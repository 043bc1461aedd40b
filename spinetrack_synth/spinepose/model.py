"""A pose network: opened, checked, and asked for the people in boxes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth import skeleton
from spinetrack_synth.coco import CocoDataset, Record
from spinetrack_synth.coco.listing import recorded_size
from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose import simcc
from spinetrack_synth.spinepose.crops import (
    RAW,
    ColorOrder,
    Normalisation,
    crop_frames,
    cut,
    to_picture,
)
from spinetrack_synth.spinepose.decoders import Decoder, Floats, Reading
from spinetrack_synth.spinepose.graph import own_normalisation
from spinetrack_synth.spinepose.image_files import read_recorded
from spinetrack_synth.spinepose.keypoint_sets import BY_COUNT, SETS, KeypointMap, keypoint_map
from spinetrack_synth.spinepose.metadata import Metadata, normalisation, read_metadata
from spinetrack_synth.spinepose.network_input import NetworkInput, named_shapes, read_input
from spinetrack_synth.spinepose.network_kinds import KINDS, recognise
from spinetrack_synth.spinepose.session import open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

BATCH: Final = 8
"""People in one call of the network. On a CPU more than one gains nothing, on a GPU they do."""

USUAL_SIZES_HW: Final = ((256, 192), (384, 288), (256, 256), (192, 192), (640, 640))
"""Tried in turn where a network's height and width are free."""

COUNTED_SCORE: Final = 0.2
"""A person's score is the mean of the keypoint scores above this (mmpose's ``CocoMetric``)."""


@dataclass(frozen=True, eq=False)
class PoseModel:
    """An open network, how it is fed and how its answers are read.

    ``size_hw`` is that of a crop in pixels; ``batch`` is the number of crops it takes at a time,
    None where it takes any number; ``keypoint_map`` leads from its keypoints to the skeleton's.
    """

    path: Path
    session: InferenceSession
    input: NetworkInput
    input_size_hw: tuple[int, int]
    batch: int | None
    decoder: Decoder
    keypoint_map: KeypointMap
    normalisation: Normalisation
    color_order: ColorOrder
    score: simcc.Score

    @property
    def kind(self) -> str:
        """What kind of network it is: SimCC, heatmaps, MoveNet and others."""
        return self.decoder.kind

    @property
    def keypoints(self) -> int:
        """Keypoints of an estimate: 37 (SpineTrack), 26 (Halpe) or 17 (COCO)."""
        return self.keypoint_map.count

    @property
    def half(self) -> bool:
        """Whether it wants 16-bit floats."""
        return bool(self.input.dtype == np.float16)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs that are read."""
        return self.decoder.outputs

    @property
    def provider(self) -> str:
        """The execution provider it runs on."""
        return str(self.session.get_providers()[0])

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the keypoints of an estimate, in order."""
        return skeleton.NAMES[: self.keypoints]


@dataclass(frozen=True)
class Estimate:
    """Keypoints (P, K, 2) in pixels of the picture, and their scores (P, K).

    Keypoints that the network does not have are at 0, 0 with a score of 0.
    """

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
    color_order: ColorOrder | None = None,
    score: simcc.Score = "min",
    input_size_hw: tuple[int, int] | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    names: str | Sequence[str] | None = None,
    udp: bool | None = None,
) -> PoseModel:
    """Open a network and run it once on an empty crop to see what it answers.

    ``provider`` is one of cpu, cuda, coreml, openvino, or None for the best that works. The rest
    is taken from the file's metadata, else as usual for the kind of network, where it is not given:
    ``color_order``, ``mean`` and ``std`` of red, green, blue in training, ``names`` of the
    keypoints (a list, or one of the sets of ``keypoint_sets.SETS``), ``udp`` for heatmaps of
    unbiased data processing, ``input_size_hw`` where height and width are free. Raises UserError
    where the file cannot be opened or is of no known kind.
    """
    if color_order not in (None, *get_args(ColorOrder)):
        raise ValueError(f"color_order {color_order!r}: rgb or bgr")
    if score not in get_args(simcc.Score):
        raise ValueError(f"score {score!r}: min or mean")
    if (mean is None) != (std is None):
        raise ValueError("mean and std go together")
    path = Path(path)
    session = open_session(
        path,
        provider=provider,
        threads=threads,
        spinning=spinning,
        mixed_precision=mixed_precision,
    )
    told = read_metadata(path, session)
    entrance = read_input(path, session, "one picture (N, 3, H, W) or (N, H, W, 3)")
    udp = bool(told.udp) if udp is None else udp
    size_hw, batch, decoder, seen = _try(path, session, entrance, input_size_hw, udp)
    given = None if mean is None else normalisation(mean, std)
    return PoseModel(
        path=path,
        session=session,
        input=entrance,
        input_size_hw=size_hw,
        batch=batch,
        decoder=decoder,
        keypoint_map=_map_keypoints(path, decoder, names, told.names, seen),
        normalisation=given or _normalisation(path, entrance, told, decoder),
        color_order=color_order or told.color_order or "rgb",
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
    name: str = "",
) -> Estimate:
    """The people in boxes (P, 4) of a picture (H, W, 3).

    ``flip_test`` asks the network about the mirror image too and takes the mean of the answers, as
    the published results do. ``image_order`` saves turning round a picture that OpenCV read.
    Raises UserError where the network answers no numbers, beginning with the picture's ``name``
    where that is given.
    """
    boxes = _check_boxes(boxes_xywh)
    pairs = [(image_rgb, box) for box in boxes]
    names = [name] * len(pairs)
    return _estimate(model, pairs, names, flip_test, sub_bin, batch, image_order)


def predict_dataset(
    model: PoseModel,
    coco: CocoDataset,
    images_dir: Path,
    *,
    flip_test: bool = True,
    sub_bin: bool = False,
    batch: int = BATCH,
    progress: Callable[[int, int], None] | None = None,
    tell: Callable[[str], None] = lambda note: None,
) -> list[Record]:
    """COCO keypoint results for the boxes of a dataset, with the id of each box's annotation.

    Boxes of crowds and of people without labelled keypoints are left out, as mmpose leaves them
    out. ``progress`` is called with the people done and wanted, ``tell`` with a note of each
    picture that is not as its record says. Raises PictureError where no way of looking at one fits.
    """
    wanted = [
        annotation
        for annotation in coco.annotations
        if not annotation.get("iscrowd") and any(annotation["keypoints"][2::3])
    ]
    of_image: dict[int, list[Record]] = {}
    for annotation in wanted:
        of_image.setdefault(annotation["image_id"], []).append(annotation)
    images = [coco.image_of[image_id] for image_id in of_image]
    pictures = _read_ahead(
        [(Path(images_dir) / image["file_name"], recorded_size(image)) for image in images]
    )
    results: list[Record] = []
    waiting: list[tuple[NDArray[np.uint8], Record]] = []

    def flush(fewest: int) -> None:
        while len(waiting) >= max(fewest, 1):
            now, waiting[:batch] = waiting[:batch], []
            boxes = _check_boxes([annotation["bbox"] for _, annotation in now])
            pairs = [(image, box) for (image, _), box in zip(now, boxes)]
            files = [coco.image_of[person["image_id"]]["file_name"] for _, person in now]
            answer = _estimate(model, pairs, files, flip_test, sub_bin, batch, "bgr")
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

    for (picture, note), people in zip(pictures, of_image.values()):
        if note:
            tell(note)
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
    names: Sequence[str],
    flip_test: bool,
    sub_bin: bool,
    batch: int,
    image_order: ColorOrder,
) -> Estimate:
    """People given as pictures with their boxes, ``batch`` at a time."""
    boxes = np.array([box for _, box in pairs]).reshape(-1, 4)
    frames = crop_frames(boxes, model.input_size_hw, model.decoder.padding)
    ours = model.keypoint_map
    size = model.batch or max(batch, 1)
    points = np.zeros((len(pairs), ours.count, 2), np.float32)
    scores = np.zeros((len(pairs), ours.count), np.float32)
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
                normalisation=model.normalisation,
                image_order=image_order,
                network_order=model.color_order,
            )
        reading = Reading(ours.twins, boxes[rows], frames[rows], model.score, sub_bin)
        answers = [answer[:count] for answer in _run(model, crops)]
        mirrored = None
        if flip_test:
            turned = _turned(crops, model.decoder.mirror_shift_px)
            mirrored = [answer[:count] for answer in _run(model, turned)]
        found, heights = model.decoder.decode(answers, mirrored, reading)
        if not np.isfinite(found.sum() + heights.sum()):
            found, heights = _numbers(model.path, found, heights, names[rows])
        if ours.as_it_stands:
            points[rows], scores[rows] = found, heights
        else:
            there = ours.places >= 0
            points[rows, there] = found[:, ours.places[there]]
            scores[rows, there] = heights[:, ours.places[there]]
    in_picture = to_picture(points, frames)
    if not ours.as_it_stands:
        in_picture[:, ours.places < 0] = 0
    return Estimate(in_picture, scores)


def _turned(crops: Floats, shift_px: int) -> Floats:
    """Mirror images of crops (N, 3, H, W), moved to the left; the last column goes on."""
    turned = crops[..., ::-1]
    if shift_px:
        turned = np.concatenate(
            [turned[..., shift_px:], np.repeat(turned[..., -1:], shift_px, axis=-1)], axis=-1
        )
    return np.ascontiguousarray(turned)


def _numbers(
    path: Path, points: Floats, scores: Floats, names: Sequence[str]
) -> tuple[Floats, Floats]:
    """Places and scores with 0 for what is no number; raises UserError where a person, in the
    picture of that name, has none."""
    sound = np.isfinite(scores) & np.isfinite(points).all(axis=-1)
    nobody = np.flatnonzero(~sound.any(axis=1))
    if nobody.size:
        where = names[nobody[0]]
        raise UserError(
            f"{where}{': ' * bool(where)}{path} answers no numbers (NaN or infinity) to this "
            "picture: the network is broken, or its input is not as it was trained"
        )
    return np.where(sound[..., None], points, 0), np.where(sound, scores, np.float32(0))


def _run(model: PoseModel, crops: Floats) -> list[Floats]:
    answers = model.session.run(model.outputs, {model.input.name: model.input.feed(crops)})
    return [np.asarray(answer, np.float32) for answer in answers]


def _check_boxes(boxes_xywh: object) -> NDArray[np.float64]:
    boxes = np.asarray(boxes_xywh, np.float64).reshape(-1, 4)
    bad = np.flatnonzero(~np.isfinite(boxes).all(axis=1))
    if bad.size:
        raise UserError(f"boxes[{bad[0]}]: {boxes[bad[0]].tolist()}, expected finite x, y, w, h")
    return boxes


def _read_ahead(
    recorded: Sequence[tuple[Path, tuple[int, int] | None]],
) -> Iterator[tuple[NDArray[np.uint8], str]]:
    """Pictures in blue, green, red, as their records know them, with their notes; while one is at
    work the next is being read."""
    with ThreadPoolExecutor(1) as reader:
        upcoming = reader.submit(read_recorded, *recorded[0]) if recorded else None
        for place in range(len(recorded)):
            assert upcoming is not None
            picture = upcoming.result()
            if place + 1 < len(recorded):
                upcoming = reader.submit(read_recorded, *recorded[place + 1])
            yield picture


def _try(
    path: Path,
    session: InferenceSession,
    entrance: NetworkInput,
    wished_hw: tuple[int, int] | None,
    udp: bool,
) -> tuple[tuple[int, int], int | None, Decoder, str]:
    """Size in pixels, batch (None: any), decoder and the outputs seen, by running it on empty
    crops."""
    sizes = [wished_hw] if wished_hw else list(USUAL_SIZES_HW)
    fitting = [size for size in sizes if _fits(size, entrance.size_hw)]
    if None not in entrance.size_hw:
        fitting = fitting or [entrance.size_hw]  # type: ignore[list-item]
    if wished_hw and fitting != [wished_hw]:
        raise UserError(f"{path}: takes pictures of {entrance.size_hw}, not of {wished_hw}")
    problem = ""
    for size in fitting:
        for batch in (entrance.batch,) if entrance.batch else (2, 1):
            crops = entrance.feed(np.zeros((batch, 3, *size), np.float32))
            try:
                answers = dict(
                    zip(
                        [output.name for output in session.get_outputs()],
                        [
                            np.asarray(answer)
                            for answer in session.run(None, {entrance.name: crops})
                        ],
                    )
                )
            except Exception as error:  # onnxruntime's own exceptions share no other base
                reason = str(error).splitlines()[0][:200]
                problem = problem or f"{path}: the network fails on an empty crop: {reason}"
                continue
            decoder = recognise(answers, size, batch, udp=udp)
            if decoder is not None:
                taken = None if batch == 2 and not entrance.batch else batch
                return size, taken, decoder, named_shapes(answers)
            if batch == 1 or entrance.batch:
                problem = _unknown(path, answers, size)
    raise UserError(problem or f"{path}: takes pictures of {entrance.size_hw}; give a size")


def _normalisation(
    path: Path, entrance: NetworkInput, told: Metadata, decoder: Decoder
) -> Normalisation:
    """What a network is fed where nobody says: as its file tells, else as is usual for its kind."""
    if entrance.whole_numbers:
        return RAW
    own = own_normalisation(path, entrance.name)
    return told.normalisation or own or decoder.normalisation


def _fits(size: tuple[int, int], sides: tuple[int | None, int | None]) -> bool:
    return all(side is None or side == wished for side, wished in zip(sides, size))


def _unknown(path: Path, answers: Mapping[str, NDArray[np.floating]], size: tuple[int, int]) -> str:
    height, width = size
    x, y = (f"{int(simcc.SPLIT * side)}" for side in (width, height))
    kinds = "; ".join(KINDS).format(x=x, y=y)
    return (
        f"{path}: no pose network of a kind that is known here: it answers {named_shapes(answers)} "
        f"to a picture of {height} x {width}, expected {kinds}"
    )


def _map_keypoints(
    path: Path,
    decoder: Decoder,
    given: str | Sequence[str] | None,
    told: tuple[str, ...] | None,
    seen: str,
) -> KeypointMap:
    """By the names given, else those of the metadata where they are as many, else by number;
    ``seen`` describes the outputs."""
    count = decoder.keypoints
    names = SETS.get(given) if isinstance(given, str) else given
    if given is not None and (names is None or len(names) != count):
        raise UserError(
            f"{path}: names {given!r} for {count} keypoints, expected {count} names or one of "
            + ", ".join(SETS)
        )
    if names is None and told is not None and len(told) == count:
        names = told
    if names is None:
        names = BY_COUNT.get(count)
    found = keypoint_map(names) if names is not None else None
    if found is None:
        sets = "17 (COCO), 26 (Halpe), 37 (SpineTrack), 16 (MPII), 133 (COCO-WholeBody), 136"
        raise UserError(
            f"{path}: the network has {count} keypoints, expected {sets}; others by their names, "
            "in the file's metadata (names) or open_pose_model(names=...); it was taken for "
            f"{decoder.kind}, for it answers {seen}"
        )
    return found
