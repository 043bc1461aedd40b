"""Engines that are started here: awaited, started again when they fail, ended in the end."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest
from ball_engine import HASTY
from fakes import BallRenderer, ball_source

from spinetrack_synth.dataset import DatasetConfig, run_dataset
from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering import EngineSettings
from spinetrack_synth.rendering.unreal.launching import free_ports
from spinetrack_synth.rendering.unreal.renderer import open_engines

pytestmark = pytest.mark.slow

pytest.importorskip("unrealcv")

CONFIG = DatasetConfig(scene="balls", count=4, seed=8, size=(64, 48), format="png")

ENGINE = """
    import os, sys, time
    sys.path.insert(0, {tests!r})
    from pathlib import Path
    from ball_engine import BallEngine
    marks = Path({marks!r})
    engine = BallEngine(port=int(sys.argv[sys.argv.index("-cvport") + 1]))
    (marks / str(os.getpid())).touch()
    def die_once(command, reply):
        depths = sum("depth" in known for known in engine.commands)
        if depths == {dies_at} and not (marks / "died").exists():
            (marks / "died").touch()
            os._exit(7)
        return reply
    engine.spoil = die_once
    time.sleep(600)
"""


def program(folder: Path, text: str, **values: object) -> Path:
    """A program that can be launched."""
    path = folder / "Engine.sh"
    path.write_text(f"#!{sys.executable}\n" + textwrap.dedent(text).format(**values))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def ball_program(tmp_path: Path, dies_at: int) -> tuple[Path, Path]:
    """A ball engine as a program, and the folder where each run of it leaves its process id."""
    marks = tmp_path / "marks"
    marks.mkdir()
    tests = str(Path(__file__).parents[2])
    return program(tmp_path, ENGINE, tests=tests, marks=str(marks), dies_at=dies_at), marks


def gone(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.rglob("*.png"))}


@pytest.mark.parametrize("count", [1, pytest.param(2, marks=pytest.mark.exhaustive)])
def test_an_engine_that_dies_is_started_again(tmp_path: Path, count: int) -> None:
    binary, marks = ball_program(tmp_path, dies_at=4)
    settings = EngineSettings(ports=(23_500,), launch=binary, count=count)
    made = run_dataset(
        CONFIG,
        tmp_path / "out",
        open_source=ball_source,
        open_renderer=lambda backend: open_engines(settings, HASTY),
    )
    assert made == CONFIG.count
    pids = [int(path.name) for path in marks.iterdir() if path.name != "died"]
    assert (marks / "died").exists() and len(pids) == count + 1
    assert all(gone(pid) for pid in pids)
    run_dataset(
        CONFIG,
        tmp_path / "exact",
        open_source=ball_source,
        open_renderer=lambda backend: BallRenderer(),
    )
    assert contents(tmp_path / "out/images") == contents(tmp_path / "exact/images")


def test_a_program_that_ends_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    binary = program(Path(), "print('no GPU found')\nraise SystemExit(3)")
    with pytest.raises(UserError, match=r"--launch .*Engine\.sh: it ended with code 3: no GPU"):
        open_engines(EngineSettings(launch=binary), HASTY)


def test_a_program_that_never_listens(tmp_path: Path) -> None:
    binary = program(tmp_path, "import time\ntime.sleep(600)")
    short = replace(HASTY, start_s=0.5)
    with pytest.raises(UserError, match=r"not ready after 0 s: 127\.0\.0\.1:\d+: nothing"):
        open_engines(EngineSettings(launch=binary), short)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_told_to_end_ends_its_engine(tmp_path: Path, number: signal.Signals) -> None:
    text = "import os, time\nopen({mark!r}, 'w').write(str(os.getpid()) + '.')\ntime.sleep(600)"
    mark = tmp_path / "pid"
    binary = program(tmp_path, text, mark=str(mark))
    with subprocess.Popen(
        [sys.executable, "-m", "spinetrack_synth", "render", "--scenes", "yoga", "--count", "1",
         "--backend", "unreal", "--launch", binary, "--port", "23700", "--out", tmp_path / "out"],
        stderr=subprocess.PIPE,
        text=True,
    ) as run:  # fmt: skip
        while run.poll() is None and not (mark.exists() and mark.read_text().endswith(".")):
            time.sleep(0.05)
        run.send_signal(number)
        _, errors = run.communicate(timeout=60)
    assert run.returncode == 130, errors
    assert errors.endswith("stopped; run the same command to go on\n")
    assert gone(int(mark.read_text().rstrip(".")))
    assert not (tmp_path / "out").exists()


def test_a_program_that_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be started: No such file"):
        open_engines(EngineSettings(launch=tmp_path / "Nothing.sh"), HASTY)


def test_ports_that_are_taken_are_passed_over() -> None:
    (first,) = free_ports(1, 23_600)
    with socket.create_server(("127.0.0.1", first)):
        ports = free_ports(3, first)
    assert len(set(ports)) == 3 and first not in ports
    with pytest.raises(UserError, match="no 2 free ports"):
        free_ports(2, 65_535)
