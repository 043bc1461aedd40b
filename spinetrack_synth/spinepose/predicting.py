"""``predict``: pictures and videos in; drawings, keypoints and angles out."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.coco.listing import Listed, Listing
from spinetrack_synth.drawing.predictions import LEAST_SCORE, draw_people
from spinetrack_synth.errors import PictureError, UserError
from spinetrack_synth.spinepose.boxes import only_person, seen_boxes
from spinetrack_synth.spinepose.detector import Detector, detect
from spinetrack_synth.spinepose.image_files import (
    Picture,
    encode_picture,
    opencv,
    read_picture,
    read_recorded,
)
from spinetrack_synth.spinepose.layout import (
    Input,
    Layout,
    file_names,
    is_video,
    lay_out,
)
from spinetrack_synth.spinepose.model import BATCH, PoseModel, estimate
from spinetrack_synth.spinepose.results import (
    AngleTable,
    CocoResults,
    whole_file,
    write_openpose,
)
from spinetrack_synth.spinepose.smoothing import OneEuro
from spinetrack_synth.spinepose.tracking import Tracked, Tracker
from spinetrack_synth.spinepose.video import VideoWriter, open_video
from spinetrack_synth.spinepose.video_pose_estimator import VideoPoseEstimator

Progress = Callable[[int, int], None]

JPEG_SIDE: Final = 65500
"""Pictures with a longer side are drawn as PNG."""


@dataclass(frozen=True)
class Options:
    """How the inputs are looked at. Without a detector and boxes each picture is one person.

    ``listing`` links pictures to a dataset, and holds the people's boxes where it was read with
    them.
    """

    detector: Detector | None = None
    listing: Listing | None = None
    every: int = 1
    most: int | None = None
    flip_test: bool = False
    sub_bin: bool = False
    smooth: bool = True
    spine_only: bool = False
    batch: int = BATCH
    least_score: float = LEAST_SCORE

    @property
    def estimating(self) -> dict[str, Any]:
        """What goes to ``estimate``."""
        return {"flip_test": self.flip_test, "sub_bin": self.sub_bin, "batch": self.batch}


@dataclass(frozen=True)
class VideoSummary:
    """A video that was looked at: how long, and how many ids were given."""

    name: str
    frames: int
    duration_s: float
    ids: int


@dataclass
class Summary:
    """How much was looked at, and how many people were found in it (the same one counts again).

    ``faults`` has a line for every input that could not be looked at, or not to its end, ``notes``
    one for every picture that was looked at otherwise than it lies there. ``interrupted``: Ctrl-C
    came before the end; what was done until then is written.
    """

    pictures: int = 0
    people: int = 0
    videos: list[VideoSummary] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    interrupted: bool = False


def predict(
    model: PoseModel,
    inputs: Sequence[Input],
    out: Path | None = None,
    options: Options | None = None,
    progress: Progress | None = None,
    *,
    openpose: Path | None = None,
) -> Summary:
    """Write ``drawn/``, ``openpose/``, ``predictions.json`` and ``angles.csv`` into a folder.

    ``out`` may also name the file to draw, which is then the only one; ``openpose`` is another
    place for OpenPose files, and these are the only ones where ``out`` is left open.

    The angles need the 37 keypoints. ``progress`` is called with the pictures and frames done and
    wanted; the frames of a video are known when its turn comes, those of a camera never. Inputs
    that cannot be looked at are told in the summary; where that is all of them, UserError is
    raised and nothing written. Ctrl-C ends the work after the picture or frame at hand; a second
    one at once.
    """
    options = options or Options()
    if options.spine_only and model.keypoints != 37:
        raise UserError(f"{model.path}: has no spine: {model.keypoints} keypoints")
    names = file_names(inputs)
    layout = lay_out(inputs, names, out, openpose)
    if layout.folder is None and layout.drawn and not is_video(layout.drawn):
        encode_picture(np.zeros((8, 8, 3), np.uint8), layout.drawn.suffix)  # can it be written?
    summary = Summary()
    counter = _Counter(progress, inputs)
    with ExitStack() as stack:
        results = stack.enter_context(_Results.opened(model, options, layout))
        ended = stack.enter_context(_ending())
        look_at = _Looking(model, options, layout, names, summary, counter, ended)
        for row, source in enumerate(inputs):
            try:
                for shot in look_at(row, source):
                    results.add(row, shot, summary.pictures)
                    summary.pictures += 1
                    summary.people += len(shot.people)
                    counter.tick(row)
            except PictureError as fault:
                summary.faults.append(str(fault))
                counter.tick(row)
            if look_at.ended():
                summary.interrupted = not isinstance(source, int)  # a camera has no other end
                break
        if not summary.pictures:
            if summary.interrupted:
                raise KeyboardInterrupt
            if summary.faults:
                raise UserError(_nothing_done(summary.faults))
        results.end()
    return summary


def look(
    model: PoseModel,
    picture: Picture,
    options: Options,
    listed: Listed | None = None,
    name: str = "",
) -> Tracked:
    """The people of a single picture, numbered from 1; in the boxes of ``listed`` if given.

    Where a network answers no numbers the error begins with the picture's ``name``.
    """
    if listed is not None:
        boxes = listed.boxes_xywh
    elif options.detector is not None:
        boxes = detect(options.detector, picture, name).boxes_xywh
    else:
        people, boxes = only_person(model, picture, name=name, **options.estimating)
        return Tracked(np.array([1]), people.keypoints_px, people.scores, boxes)
    boxes = boxes[: options.most]
    people = estimate(model, picture, boxes, image_order="bgr", name=name, **options.estimating)
    return Tracked(np.arange(1, len(boxes) + 1), people.keypoints_px, people.scores, boxes)


@dataclass(frozen=True)
class _Shot:
    """The people of one picture or frame, what it is called and what links it to a dataset."""

    people: Tracked
    file_name: str
    image_id: int | None = None
    links: Sequence[Mapping[str, int]] = ()
    frame: int | None = None
    time_s: float | None = None


@dataclass(frozen=True)
class _Results:
    """The files that hold what was found; None where one is not written."""

    layout: Layout
    spine_only: bool
    coco: CocoResults | None = None
    angles: AngleTable | None = None

    @classmethod
    @contextmanager
    def opened(cls, model: PoseModel, options: Options, layout: Layout) -> Iterator[_Results]:
        """The files are there when the block ends well."""
        with ExitStack() as stack:
            coco = angles = None
            if layout.folder is not None:
                stream = stack.enter_context(whole_file(layout.folder / "predictions.json"))
                coco = CocoResults(stream, spine_only=options.spine_only)
                if model.keypoints == 37:
                    stream = stack.enter_context(whole_file(layout.folder / "angles.csv"))
                    angles = AngleTable(stream, options.least_score)
            yield cls(layout, options.spine_only, coco, angles)

    def add(self, row: int, shot: _Shot, pictures: int) -> None:
        """The people of a picture or frame of an input, so many pictures after the first."""
        if self.coco:
            image_id = pictures if shot.image_id is None else shot.image_id
            self.coco.add(shot.people, image_id, shot.file_name, shot.frame, shot.links)
        if self.angles:
            self.angles.add(shot.people, shot.file_name, shot.frame, shot.time_s)
        place = self.layout.openpose_file(row, shot.frame)
        if place:
            write_openpose(place, shot.people, spine_only=self.spine_only)

    def end(self) -> None:
        """Close what has to be closed to be whole."""
        if self.coco:
            self.coco.end()


@dataclass(frozen=True)
class _Looking:
    """Looks at one input after the other and draws them."""

    model: PoseModel
    options: Options
    layout: Layout
    names: Sequence[str]
    summary: Summary
    counter: _Counter
    ended: Callable[[], bool]
    taken: dict[str, Path] = field(default_factory=dict)

    def __call__(self, row: int, source: Input) -> Iterator[_Shot]:
        listing = self.options.listing
        if not is_video(source):
            assert isinstance(source, Path)
            yield (
                self._picture(row, source)
                if listing is None
                else self._listed_picture(row, source, listing)
            )
        elif listing is None:
            yield from self._video(row, source)
        else:
            asked = "boxes are" if listing.with_boxes else "a dataset is"
            raise PictureError(f"{source}: {asked} for pictures, not for videos")

    def _picture(self, row: int, path: Path) -> _Shot:
        picture = read_picture(path)
        with _costs_the_picture(path):
            people = look(self.model, picture, self.options, name=str(path))
        self._draw(row, picture, people)
        return _Shot(people, self.names[row])

    def _listed_picture(self, row: int, path: Path, listing: Listing) -> _Shot:
        listed = listing.find(path)
        other = self.taken.setdefault(listed.file_name, path)
        if other != path:
            raise PictureError(f"{path}: {listing.path} names one such picture, {other} was taken")
        picture, note = read_recorded(path, listed.size_wh)
        notes = [note] if note else []
        if listing.with_boxes and len(listed.boxes_xywh):
            seen = seen_boxes(listed.boxes_xywh, (picture.shape[1], picture.shape[0]))
            if not seen.all():
                count = f"{(~seen).sum()} of its {len(seen)} boxes in {listing.path}"
                empty = f"{path}: {count} are empty or outside of it"
                if not seen.any():
                    raise PictureError(empty)
                notes.append(f"{empty}: left out")
            listed = listed.rows(np.flatnonzero(seen))
        boxes = listed if listing.with_boxes else None
        with _costs_the_picture(path):
            people = look(self.model, picture, self.options, boxes, str(path))
        links = listed.links or [{"category_id": listing.category_id}] * len(people)
        self.summary.notes.extend(notes)
        self._draw(row, picture, people)
        return _Shot(people, listed.file_name, listed.image_id, links)

    def _video(self, row: int, source: Input) -> Iterator[_Shot]:
        video = open_video(source)
        self.counter.promise(row, video.frames or 1)
        options = self.options
        estimator = VideoPoseEstimator(
            self.model,
            options.detector,
            Tracker(OneEuro() if options.smooth else None),
            every=options.every,
            most=options.most,
            **options.estimating,
        )
        path = self.layout.drawn_file(row, ".mp4")
        frame, last_s, ids, fault = 0, 0.0, set[int](), None
        with ExitStack() as stack:
            writer = path and stack.enter_context(VideoWriter(path, video.rate_hz, video.size_wh))
            try:
                for time_s, picture in video.timed():
                    with _costs_the_picture(source):
                        people = estimator(picture, time_s, f"{source}, frame {frame}")
                    if writer:
                        writer.write(self._drawn(picture, people, named=True), time_s)
                    yield _Shot(people, self.names[row], frame=frame, time_s=time_s)
                    ids |= set(people.ids.tolist())
                    frame, last_s = frame + 1, time_s
                    if self.ended():
                        break
            except PictureError as error:  # what came before is kept
                fault = error
        duration_s = last_s + 1 / video.rate_hz
        self.summary.videos.append(VideoSummary(video.name, frame, duration_s, len(ids)))
        if fault:
            raise fault

    def _draw(self, row: int, picture: Picture, people: Tracked) -> None:
        suffix = ".jpg" if max(picture.shape) <= JPEG_SIDE else ".png"
        path = self.layout.drawn_file(row, suffix)
        if path:
            write_atomic(path, encode_picture(self._drawn(picture, people), path.suffix))

    def _drawn(self, picture: Picture, people: Tracked, *, named: bool = False) -> Picture:
        return draw_people(
            picture,
            people.keypoints_px,
            people.scores,
            ids=people.ids if named else None,
            least_score=self.options.least_score,
            spine_only=self.options.spine_only,
        )


@contextmanager
def _costs_the_picture(source: Input) -> Iterator[None]:
    """What a network cannot answer for one picture it may for the next."""
    try:
        yield
    except UserError as error:
        raise PictureError(str(error)) from error
    except opencv().error as error:  # OpenCV 4 cuts nothing out of sides beyond 32,766 pixels
        raise PictureError(f"{source}: OpenCV cannot work on it: {error.err}") from error


@contextmanager
def _ending() -> Iterator[Callable[[], bool]]:
    """Tells whether Ctrl-C was pressed, so that the picture at hand is finished; the second Ctrl-C
    does what the first would have done."""
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed.is_set
        return
    before = signal.getsignal(signal.SIGINT) or signal.default_int_handler

    def note(*_: object) -> None:
        pressed.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _nothing_done(faults: Sequence[str]) -> str:
    others = f" (and {len(faults) - 1} other inputs that cannot be looked at)"
    return faults[0] + (others if len(faults) > 1 else "")


class _Counter:
    """Counts pictures and frames against what the inputs promise: a video when it is opened, and
    those that are still to come are taken to be as long."""

    def __init__(self, progress: Progress | None, inputs: Sequence[Input]) -> None:
        self._done = 0
        self._progress = progress
        self._inputs = len(inputs)
        self._promised = {row: 1 for row, source in enumerate(inputs) if not is_video(source)}
        self._videos: list[int] = []

    def promise(self, row: int, frames: int) -> None:
        """A video of so many frames was opened."""
        self._promised[row] = frames
        self._videos.append(frames)

    def tick(self, row: int) -> None:
        """A picture or frame of an input is done, or the input cannot be looked at."""
        self._done += 1
        self._promised.setdefault(row, 1)
        if self._progress:
            to_come = self._inputs - len(self._promised)
            each = sum(self._videos) / max(len(self._videos), 1)
            wanted = sum(self._promised.values()) + round(to_come * max(each, 1))
            self._progress(self._done, max(wanted, self._done))
