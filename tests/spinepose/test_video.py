"""Videos: their own times, what breaks off, what lies on its side."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[spinepose]'")

from matroska import write_timed_video

from spinetrack_synth.errors import PictureError
from spinetrack_synth.spinepose.video import Clock, VideoWriter, open_video

TIMES_MS = (0, 33, 67, 100, 300, 500, 700, 733, 767, 800)
"""A telephone that films ten frames, four of them in the dark."""


def shades(count: int, size_hw: tuple[int, int] = (64, 96)) -> list[np.ndarray]:
    return [np.full((*size_hw, 3), 20 * (number % 12), np.uint8) for number in range(count)]


def even_video(path: Path, frames: int, rate_hz: float = 30.0) -> Path:
    with VideoWriter(path, rate_hz, (96, 64)) as writer:
        for frame in shades(frames):
            writer.write(frame)
    return path


def test_frames_come_with_the_times_of_the_file(tmp_path: Path) -> None:
    video = open_video(write_timed_video(tmp_path / "v.mkv", shades(10), TIMES_MS))
    frames = list(video.timed())
    assert [round(1000 * time_s) for time_s, _ in frames] == list(TIMES_MS)
    np.testing.assert_allclose([f.mean() for _, f in frames], np.arange(10) * 20, atol=3)


def test_what_is_written_runs_in_step_with_the_times(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "v.avi", 30, (96, 64)) as writer:
        for frame, time_ms in zip(shades(10), TIMES_MS):
            writer.write(frame, time_ms / 1000)
    shown = [round(frame.mean() / 20) for frame in open_video(tmp_path / "v.avi")]
    wanted = [
        int(np.searchsorted(TIMES_MS, place * 1000 / 30 + 1, "right")) - 1 for place in range(25)
    ]
    assert shown == wanted


@pytest.mark.parametrize("rate_hz", [0.5, 23.976, 119.88, 239.76, 240.0])
def test_rates_of_telephones_can_be_written(tmp_path: Path, rate_hz: float) -> None:
    times_s = np.arange(6) / rate_hz
    with VideoWriter(tmp_path / "v.mp4", rate_hz, (96, 64)) as writer:
        for frame, time_s in zip(shades(6), times_s):
            writer.write(frame, time_s)
    video = open_video(tmp_path / "v.mp4")
    assert video.rate_hz == pytest.approx(rate_hz, rel=2e-3)
    assert len(list(video)) == 6


def test_times_always_run_forwards() -> None:
    clock = Clock(10)
    told = (5.0, 5.1, 5.3, 5.3, 5.2, 5.3, 900.0, 900.1, 0.0)
    times = [clock(time_s) for time_s in told]
    np.testing.assert_allclose(times, [0, 0.1, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    silent = Clock(25)
    np.testing.assert_allclose([silent(0.0) for _ in range(4)], [0, 0.04, 0.08, 0.12])


def test_a_rare_frame_is_no_leap() -> None:
    clock = Clock(1 / 120)  # one in two minutes
    np.testing.assert_allclose([clock(t) for t in (0, 120, 360)], [0, 120, 360])


def test_a_file_that_is_cut_off_is_told_after_its_last_frame(tmp_path: Path) -> None:
    whole = even_video(tmp_path / "v.avi", 60)
    frames = open_video(whole).timed()
    assert sum(1 for _ in frames) == 60
    content = whole.read_bytes()
    whole.write_bytes(content[: len(content) // 2])
    seen = []
    with pytest.raises(PictureError, match=r"v.avi: breaks off after \d+ of 60 frames"):
        seen.extend(open_video(whole).timed())
    assert 10 < len(seen) < 50


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "the file is empty"), (b"nothing", "cannot open it"), (None, "No such file")],
)
def test_what_is_no_video_is_told(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "v.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PictureError, match=message):
        open_video(path)


def test_a_telephone_held_upright_is_turned(tmp_path: Path) -> None:
    path = even_video(tmp_path / "v.mp4", 3)
    content = path.read_bytes()
    matrix = content.index(b"tkhd") + 4 + 4 + 20 + 16
    quarter = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 64 << 16, 0, 1 << 30)
    path.write_bytes(content[:matrix] + quarter + content[matrix + 36 :])
    video = open_video(path)
    assert video.size_wh == (64, 96)
    assert all(frame.shape == (96, 64, 3) for frame in video)
