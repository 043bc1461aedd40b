"""Videos read and written with OpenCV; no window is opened."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import numpy as np

from spinetrack_synth.errors import PictureError, UserError
from spinetrack_synth.spinepose.image_files import Picture, opencv

VIDEO_SUFFIXES: Final = frozenset(
    ".mp4 .avi .mov .mkv .webm .m4v .mpg .mpeg .wmv .3gp .mts .m2ts .ogv .flv".split()
)
USUAL_RATE_HZ: Final = 30.0
"""Taken where a video or a camera does not tell its own."""

LONGEST_GAP_S: Final = 60.0
"""Between frames; what leaps further is a fault of the file."""

WHOLE: Final = 0.95
"""A video with less of the frames, and of the time, that its file promises was cut off."""

CODECS: Final = {".avi": "MJPG", ".webm": "VP80"}
USUAL_CODEC: Final = "mp4v"


class Clock:
    """Times of frames in seconds from what a video tells of them, made to run forwards.

    Where a file tells no times, or one that goes back or leaps further than ``LONGEST_GAP_S`` and
    ten frames, the frame comes as long after the one before as the rate says.
    """

    def __init__(self, rate_hz: float) -> None:
        self._step_s = 1 / rate_hz
        self._shift_s = 0.0
        self._last_s: float | None = None

    def __call__(self, told_s: float) -> float:
        """The time of the next frame since the first."""
        if self._last_s is None:
            self._last_s, self._shift_s = 0.0, -told_s
            return 0.0
        time_s = told_s + self._shift_s
        longest = max(LONGEST_GAP_S, 10 * self._step_s)
        if not self._last_s < time_s <= self._last_s + longest:
            time_s = self._last_s + self._step_s
            self._shift_s = time_s - told_s
        self._last_s = time_s
        return time_s


@dataclass(frozen=True, eq=False)
class Video:
    """An open video or camera: mean rate, number of frames (None: unknown), the first frame and the
    time that is told of it."""

    name: str
    rate_hz: float
    frames: int | None
    first: Picture
    first_told_s: float
    capture: Any
    is_camera: bool

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height of the frames as they are seen, also of a telephone held upright."""
        return self.first.shape[1], self.first.shape[0]

    def __iter__(self) -> Iterator[Picture]:
        """The frames, once, one after the other; the capture is closed at the end."""
        return (picture for _, picture in self.timed())

    def timed(self) -> Iterator[tuple[float, Picture]]:
        """The frames, once, with their times in seconds from the first one's, as the file tells
        them: telephones do not film at an even rate.

        Raises PictureError after the last frame where a file ends long before it says.
        """
        clock = Clock(self.rate_hz)
        picture, frames, time_s = self.first, 1, clock(self.first_told_s)
        try:
            while True:
                yield time_s, picture
                there, picture = self.capture.read()
                if not there:
                    break
                if picture.shape != self.first.shape:
                    raise PictureError(
                        f"{self.name}: frame {frames} is {picture.shape[1]} x {picture.shape[0]}, "
                        f"the first is {self.size_wh[0]} x {self.size_wh[1]}: cut the video there"
                    )
                frames += 1
                time_s = clock(_told_s(self.capture, self.is_camera))
        finally:
            self.capture.release()
        covered = max(frames, (time_s + 1 / self.rate_hz) * self.rate_hz)
        if self.frames and covered < WHOLE * self.frames:
            raise PictureError(
                f"{self.name}: breaks off after {frames} of {self.frames} frames; "
                "those were looked at"
            )


def _told_s(capture: Any, is_camera: bool) -> float:
    """When the last frame that was read is shown, or was taken."""
    import cv2

    if is_camera:
        return time.monotonic()
    told_ms = float(capture.get(cv2.CAP_PROP_POS_MSEC))
    return told_ms / 1000 if np.isfinite(told_ms) else 0.0


def open_video(source: Path | int) -> Video:
    """Open a file, or the camera of that number; raises PictureError where there is nothing to
    see."""
    cv2 = opencv()
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    if isinstance(source, Path):
        try:
            with source.open("rb") as stream:
                empty = not stream.read(1)
        except OSError as error:
            raise PictureError(f"{source}: cannot be read: {error.strerror}") from error
        if empty:
            raise PictureError(f"{source}: the file is empty")
    capture = cv2.VideoCapture(source if isinstance(source, int) else str(source))
    there, first = capture.read() if capture.isOpened() else (False, None)
    if not there or first is None:
        raise PictureError(
            f"camera {source}: there is none of this number, or it may not be used"
            if isinstance(source, int)
            else f"{source}: OpenCV cannot open it as a video; convert it to MP4, or fetch it again"
        )
    rate = capture.get(cv2.CAP_PROP_FPS)
    if not 0 < rate < 1000:
        rate = USUAL_RATE_HZ
    count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    return Video(
        name=f"camera {source}" if isinstance(source, int) else str(source),
        rate_hz=rate,
        frames=count if count > 0 else None,
        first=first.astype(np.uint8, copy=False),
        first_told_s=_told_s(capture, isinstance(source, int)),
        capture=capture,
        is_camera=isinstance(source, int),
    )


class VideoWriter:
    """Writes frames beside the wanted file and puts it in place when it is whole.

    The rate is even: frames that come with times are repeated or left out so that the video runs
    in step with them. Leaving the ``with`` block by an error removes what was written.
    """

    def __init__(self, path: Path, rate_hz: float, size_wh: tuple[int, int]) -> None:
        cv2 = opencv()
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
        self.path = path
        self.size_wh = size_wh
        # MPEG-4 counts time in at most 65,535 parts of a second, OpenCV in thousandths of a frame.
        self._rate_hz = rate_hz if rate_hz < 65 else float(round(rate_hz))
        self._written = 0
        self._shown: Picture | None = None
        self._scratch = path.with_name(f".{path.stem}.part{path.suffix}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"{path}: cannot be written: {error.strerror}") from error
        codec = CODECS.get(path.suffix.lower(), USUAL_CODEC)
        self._writer = cv2.VideoWriter(
            str(self._scratch), cv2.VideoWriter.fourcc(*codec), self._rate_hz, size_wh
        )
        if not self._writer.isOpened():
            self._remove()
            raise UserError(f"{path}: OpenCV cannot write a video there; use a name with .mp4")

    def write(self, picture: Picture, time_s: float | None = None) -> None:
        """Add a frame (H, W, 3) of blue, green and red; all have the size given.

        ``time_s`` is the time since the first frame's; without it the frame is the next.
        """
        if picture.shape[1::-1] != self.size_wh:
            raise ValueError(f"a frame of {picture.shape[1::-1]} in a video of {self.size_wh}")
        place = self._written if time_s is None else round(time_s * self._rate_hz)
        if place < self._written:
            return
        for _ in range(place - self._written):
            self._writer.write(self._shown)
        self._writer.write(picture)
        self._shown, self._written = picture, place + 1

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.release()
        if kind is not None:
            self._remove()
            return
        try:
            self._scratch.replace(self.path)
        except OSError as failure:
            self._remove()
            raise UserError(f"{self.path}: cannot be written: {failure.strerror}") from failure

    def _remove(self) -> None:
        with contextlib.suppress(OSError):
            self._scratch.unlink()
