"""Bars on a terminal, lines elsewhere; rate and time left in both."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import pytest
from commands import Run
from small_datasets import write_dataset

from spinetrack_synth.cli import progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which stands still until it is changed."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_elsewhere_it_is_a_line_now_and_then(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with progress.progress_bar("pictures") as show:
        for done in range(0, 61, 2):
            show(done, 60)
            clock[0] += 1
    assert capsys.readouterr().err.splitlines() == [
        "20 of 60 pictures, 0.50 s each, 00:00:20 left",
        "40 of 60 pictures, 0.50 s each, 00:00:10 left",
        "60 of 60 pictures, 0.50 s each, 00:00:00 left",
    ]


def test_what_goes_fast_is_told_by_the_second(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with progress.progress_bar("records") as show:
        show(0, 90_000)
        clock[0] += 20
        show(30_000, 90_000)
    told = "30000 of 90000 records, 1,500 a second, 00:00:40 left\n"
    assert capsys.readouterr().err == told


def test_what_takes_a_moment_is_not_told(
    clock: list[float], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "QUIET_SECONDS", 2.0)
    with progress.patient_bar("pictures") as show:
        show(0, 3)
        show(3, 3)
    with progress.patient_bar("pictures") as show:
        show(0, 3)
        clock[0] += 3
        show(1, 3)
        clock[0] += 11
        show(2, 3)
    assert capsys.readouterr().err == "2 of 3 pictures, 14.00 s each, 00:00:14 left\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_it_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress.progress_bar("pictures") as show:
        for done in range(1001):
            show(done, 1000)
    shown = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", sys.stderr.getvalue())
    assert "1000/1000 pictures" in shown and "0:00:00" in shown


@pytest.mark.parametrize("command", [
    "merge OUT OUT --out NEW",
    "split OUT --parts a:0.5,b:0.5 --by file_name --out NEW",
    "convert OUT --to webdataset --out NEW",
    "package OUT --out NEW.zip",
])  # fmt: skip
def test_tools_tell_it_at_the_side_of_what_they_print(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("spinetrack.toml").write_text('select = ["SPT0"]\n')  # points at random are no bodies
    monkeypatch.setattr(progress, "QUIET_SECONDS", -1)
    write_dataset(tmp_path / "OUT", [{}, {}, {}, {}])
    code, out, err = run(*command.split())
    assert code == 0 and " left" not in out
    assert re.search(r"^\d+ of \d+ pictures, .*, 00:00:00 left$", err, re.M), err
