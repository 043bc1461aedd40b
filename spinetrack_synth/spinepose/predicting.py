"""``predict``: pictures and videos in; drawings, keypoints and angles out."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose.detector import Detector, detect
from spinetrack_synth.spinepose.drawing import LEAST_SCORE, draw_people
from spinetrack_synth.spinepose.following import Follower
from spinetrack_synth.spinepose.model import BATCH, PoseModel, estimate
from spinetrack_synth.spinepose.people import FileBoxes, only_person
from spinetrack_synth.spinepose.pictures import (
    PICTURE_SUFFIXES,
    Picture,
    encode_picture,
    read_picture,
)
from spinetrack_synth.spinepose.results import (
    AngleTable,
    CocoResults,
    whole_file,
    write_openpose,
)
from spinetrack_synth.spinepose.smoothing import OneEuro
from spinetrack_synth.spinepose.tracking import Tracked, Tracker
from spinetrack_synth.spinepose.video import VIDEO_SUFFIXES, VideoWriter, open_video

Progress = Callable[[int, int], None]
Input = Path | int


@dataclass(frozen=True)
class Wishes:
    """How the inputs are looked at. Without a detector and boxes each picture is one person."""

    detector: Detector | None = None
    boxes: FileBoxes | None = None
    every: int = 1
    most: int | None = None
    flip_test: bool = False
    sub_bin: bool = False
    smooth: bool = True
    spine_only: bool = False
    batch: int = BATCH
    least_score: float = LEAST_SCORE

    @property
    def options(self) -> dict[str, Any]:
        """What goes to ``estimate``."""
        return {"flip_test": self.flip_test, "sub_bin": self.sub_bin, "batch": self.batch}


@dataclass(frozen=True)
class Seen:
    """How much was looked at, and how many people were found in it (the same one counts again)."""

    pictures: int
    people: int


def find_inputs(arguments: Sequence[str]) -> tuple[Input, ...]:
    """Files, folders (what lies directly in them), patterns, or numbers of cameras.

    Raises UserError for what does not exist.
    """
    found: list[Input] = []
    for argument in arguments:
        path = Path(argument)
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if _suffix(p) in _KNOWN)
            if not inside:
                raise UserError(f"{path}: no picture and no video in this folder")
            found.extend(inside)
        elif path.is_file():
            found.append(path)
        elif argument.isdecimal() or argument == "webcam":
            found.append(int(argument) if argument.isdecimal() else 0)
        else:
            names = glob.glob(argument, recursive=True)  # noqa: PTH207 (may be absolute)
            matching = sorted(p for p in map(Path, names) if _suffix(p) in _KNOWN)
            if not matching:
                raise UserError(f"{argument}: no such file, folder, pattern or camera number")
            found.extend(matching)
    return tuple(found)


def predict(
    model: PoseModel,
    inputs: Sequence[Input],
    out: Path,
    wishes: Wishes,
    progress: Progress | None = None,
) -> Seen:
    """Write ``drawn/``, ``openpose/``, ``predictions.json`` and ``angles.csv`` into a folder.

    The angles need the 37 keypoints. ``progress`` is called with the pictures and frames done and
    wanted; with a camera nobody knows how many. Ctrl-C ends a camera, and with it the whole.
    """
    if wishes.spine_only and model.keypoints != 37:
        raise UserError(f"{model.path}: has no spine: {model.keypoints} keypoints")
    if wishes.boxes and any(_is_video(source) for source in inputs):
        raise UserError(f"{wishes.boxes.path}: boxes are for pictures, not for videos")
    names = _output_names(inputs)
    counter = _Counter(progress, inputs)
    people_seen = 0
    with ExitStack() as stack:
        coco = CocoResults(
            stack.enter_context(whole_file(out / "predictions.json")),
            spine_only=wishes.spine_only,
        )
        angles = None
        if model.keypoints == 37:
            stream = stack.enter_context(whole_file(out / "angles.csv"))
            angles = AngleTable(stream, wishes.least_score)
        for source, name in zip(inputs, names):
            if _is_video(source):
                shots = _video(model, source, out / "drawn" / f"{name}.mp4", wishes)
            else:
                assert isinstance(source, Path)
                shots = _picture(model, source, out / "drawn" / f"{name}.jpg", wishes)
            for shot in shots:
                number = counter.done if shot.image_id is None else shot.image_id
                coco.add(shot.people, number, shot.file_name, shot.frame)
                if angles:
                    angles.add(shot.people, shot.file_name, shot.frame, shot.time_s)
                file = name if shot.frame is None else f"{name}/{name}_{shot.frame:012d}"
                write_openpose(
                    out / "openpose" / f"{file}_keypoints.json",
                    shot.people,
                    spine_only=wishes.spine_only,
                )
                people_seen += len(shot.people)
                counter.tick()
        coco.end()
    return Seen(counter.done, people_seen)


def look(model: PoseModel, picture: Picture, wishes: Wishes, name: Path | None = None) -> Tracked:
    """The people of a single picture, numbered from 1."""
    called: dict[str, Any] = {"name": str(name or "")}
    if wishes.boxes is not None and name is not None:
        boxes = wishes.boxes.boxes_xywh[wishes.boxes.name_of(name)]
    elif wishes.detector is not None:
        boxes = detect(wishes.detector, picture, **called).boxes_xywh
    else:
        people, boxes = only_person(model, picture, **wishes.options, **called)
        return Tracked(np.array([1]), people.keypoints_px, people.scores, boxes)
    boxes = boxes[: wishes.most]
    people = estimate(model, picture, boxes, image_order="bgr", **wishes.options, **called)
    return Tracked(np.arange(1, len(boxes) + 1), people.keypoints_px, people.scores, boxes)


@dataclass(frozen=True)
class _Shot:
    """The people of one picture or frame, and what it is called."""

    people: Tracked
    file_name: str
    image_id: int | None = None
    frame: int | None = None
    time_s: float | None = None


def _picture(model: PoseModel, path: Path, drawn: Path, wishes: Wishes) -> Iterator[_Shot]:
    picture = read_picture(path)
    people = look(model, picture, wishes, path)
    image = draw_people(
        picture,
        people.keypoints_px,
        people.scores,
        least_score=wishes.least_score,
        spine_only=wishes.spine_only,
    )
    write_atomic(drawn, encode_picture(image, drawn.suffix))
    if wishes.boxes is None:
        yield _Shot(people, path.name)
    else:
        name = wishes.boxes.name_of(path)
        yield _Shot(people, name, wishes.boxes.image_ids[name])


def _video(model: PoseModel, source: Input, drawn: Path, wishes: Wishes) -> Iterator[_Shot]:
    video = open_video(source)
    name = source.name if isinstance(source, Path) else video.name
    follower = Follower(
        model,
        wishes.detector,
        Tracker(OneEuro() if wishes.smooth else None),
        every=wishes.every,
        most=wishes.most,
        **wishes.options,
    )
    with VideoWriter(drawn, video.rate_hz, video.size_wh) as writer:
        frames = iter(video)
        frame = 0
        while True:
            try:
                picture = next(frames, None)
            except KeyboardInterrupt:
                if isinstance(source, int):
                    return  # a camera has no other end
                raise
            if picture is None:
                return
            time_s = frame / video.rate_hz
            people = follower(picture, time_s, f"{name}, frame {frame}")
            writer.write(
                draw_people(
                    picture,
                    people.keypoints_px,
                    people.scores,
                    ids=people.ids,
                    least_score=wishes.least_score,
                    spine_only=wishes.spine_only,
                )
            )
            yield _Shot(people, name, None, frame, time_s)
            frame += 1


class _Counter:
    """Counts pictures and frames against what the inputs promise."""

    def __init__(self, progress: Progress | None, inputs: Sequence[Input]) -> None:
        self.done = 0
        self._progress = progress
        self._wanted = 0
        for source in inputs if progress else ():
            video = open_video(source) if _is_video(source) and isinstance(source, Path) else None
            self._wanted += (video.frames or 1) if video else 1
            if video:
                video.capture.release()

    def tick(self) -> None:
        self.done += 1
        if self._progress:
            self._progress(self.done, max(self._wanted, self.done))


_KNOWN: Final = PICTURE_SUFFIXES | VIDEO_SUFFIXES


def _suffix(path: Path) -> str:
    return path.suffix.lower()


def _is_video(source: Input) -> bool:
    return isinstance(source, int) or _suffix(source) in VIDEO_SUFFIXES


def _output_names(inputs: Sequence[Input]) -> list[str]:
    """A name for each input's files: its own without the ending, counted where two are alike."""
    names: list[str] = []
    taken: set[str] = set()
    for source in inputs:
        stem = f"camera{source}" if isinstance(source, int) else source.stem
        name, count = stem, 1
        while name in taken:
            count += 1
            name = f"{stem}_{count}"
        taken.add(name)
        names.append(name)
    return names
