"""Videos read and written with OpenCV; no window is opened."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import numpy as np

from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose.pictures import Picture

VIDEO_SUFFIXES: Final = {".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v"}
USUAL_RATE_HZ: Final = 30.0
"""Taken where a video or a camera does not tell its own."""

CODECS: Final = {".avi": "MJPG", ".webm": "VP80"}
USUAL_CODEC: Final = "mp4v"


@dataclass(frozen=True, eq=False)
class Video:
    """An open video or camera: rate, number of frames (None: unknown) and the first frame."""

    name: str
    rate_hz: float
    frames: int | None
    first: Picture
    capture: Any

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height of the frames as they are seen, also of a telephone held upright."""
        return self.first.shape[1], self.first.shape[0]

    def __iter__(self) -> Iterator[Picture]:
        """The frames, once, one after the other; the capture is closed at the end."""
        picture, number = self.first, 0
        try:
            while True:
                if picture.shape != self.first.shape:
                    raise UserError(
                        f"{self.name}: frame {number} is {picture.shape[1]} x {picture.shape[0]}, "
                        f"the first is {self.size_wh[0]} x {self.size_wh[1]}: cut the video there"
                    )
                yield picture
                there, picture = self.capture.read()
                if not there:
                    return
                number += 1
        finally:
            self.capture.release()


def open_video(source: Path | int) -> Video:
    """Open a file, or the camera of that number; raises UserError where there is nothing to see."""
    import cv2

    if isinstance(source, Path) and not source.is_file():
        raise UserError(f"{source}: no such file")
    with _quiet():
        capture = cv2.VideoCapture(source if isinstance(source, int) else str(source))
        there, first = capture.read() if capture.isOpened() else (False, None)
    if not there or first is None:
        raise UserError(
            f"camera {source}: there is none of this number, or it may not be used"
            if isinstance(source, int)
            else f"{source}: OpenCV cannot open it as a video; convert it to MP4, or fetch it again"
        )
    rate = capture.get(cv2.CAP_PROP_FPS)
    if not 0 < rate < 1000:
        rate = USUAL_RATE_HZ
    count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    name = f"camera {source}" if isinstance(source, int) else str(source)
    return Video(
        name, rate, count if count > 0 else None, first.astype(np.uint8, copy=False), capture
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep OpenCV and FFmpeg from talking to the terminal: what is wrong is told by us."""
    from cv2.utils import logging

    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    before = logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logging.setLogLevel(before)


class VideoWriter:
    """Writes frames beside the wanted file and puts it in place when it is whole.

    Leaving the ``with`` block by an error removes what was written.
    """

    def __init__(self, path: Path, rate_hz: float, size_wh: tuple[int, int]) -> None:
        import cv2

        self.path = path
        self.size_wh = size_wh
        self._scratch = path.with_name(f".{path.stem}.part{path.suffix}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"{path}: cannot be written: {error.strerror}") from error
        codec = CODECS.get(path.suffix.lower(), USUAL_CODEC)
        with _quiet():
            self._writer = cv2.VideoWriter(
                str(self._scratch), cv2.VideoWriter.fourcc(*codec), rate_hz, size_wh
            )
        if not self._writer.isOpened():
            self._remove()
            raise UserError(f"{path}: OpenCV cannot write a video there; use a name with .mp4")

    def write(self, picture: Picture) -> None:
        """Add a frame (H, W, 3) of blue, green and red; all have the size given."""
        if picture.shape[1::-1] != self.size_wh:
            raise ValueError(f"a frame of {picture.shape[1::-1]} in a video of {self.size_wh}")
        self._writer.write(picture)

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
