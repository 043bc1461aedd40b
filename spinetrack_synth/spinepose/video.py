"""Videos read and written with OpenCV; no window is opened."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose.pictures import Picture

VIDEO_SUFFIXES: Final = {".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v"}
USUAL_RATE_HZ: Final = 30.0
"""Taken where a video or a camera does not tell its own."""

CODECS: Final = {".avi": "MJPG", ".webm": "VP80"}
USUAL_CODEC: Final = "mp4v"


@dataclass(frozen=True, eq=False)
class Video:
    """An open video or camera: rate, size (width, height) and number of frames (None: unknown)."""

    name: str
    rate_hz: float
    size_wh: tuple[int, int]
    frames: int | None
    capture: Any

    def __iter__(self) -> Iterator[Picture]:
        """The frames, one after the other; the capture is closed at the end."""
        try:
            while True:
                there, picture = self.capture.read()
                if not there:
                    return
                yield picture
        finally:
            self.capture.release()


def open_video(source: Path | int) -> Video:
    """Open a file, or the camera of that number; raises UserError where there is nothing to see."""
    import cv2

    if isinstance(source, Path) and not source.is_file():
        raise UserError(f"{source}: no such file")
    capture = cv2.VideoCapture(source if isinstance(source, int) else str(source))
    name = f"camera {source}" if isinstance(source, int) else str(source)
    if not capture.isOpened():
        raise UserError(f"{name}: OpenCV cannot open it as a video")
    rate = capture.get(cv2.CAP_PROP_FPS)
    count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    size = (
        int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
        int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
    )
    known = 0 < rate < 1000
    return Video(
        name, rate if known else USUAL_RATE_HZ, size, count if count > 0 else None, capture
    )


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
