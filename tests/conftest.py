"""Settings of all tests."""

from __future__ import annotations

import os

# Two workers fill two cores: more threads would only wait for one another. Read by libraries when
# they are loaded, so before all else.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import math
import signal
import sys
from pathlib import Path

import pytest
from commands import Outcome, Run
from hypothesis import settings

from spinetrack_synth.cache import cache_folder
from spinetrack_synth.cli import main, progress

# Compiled once for all tests, also for those with a cache folder of their own.
os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_folder()))

# A busy machine is no bug: examples may take as long as they need, commands need not tell.
progress.QUIET_SECONDS = math.inf
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

# What a shell starts in its background is deaf to Ctrl-C, and so are all whom it starts: not here.
signal.signal(signal.SIGINT, signal.default_int_handler)


DEAREST = (
    "rendering/unreal/test_faults.py",
    "test_readme.py",
    "rendering/server/test_serving.py",
    "gap/test_causes.py",
    "training/test_run.py",
    "test_end_to_end.py",
    "gap/test_command.py",
    "rendering/unreal/test_against_server.py",
    "test_tutorials.py",
    "compiled/test_cache.py",
    "anatomy/ik/test_inverse_kinematics.py",
    "rendering/unreal/test_launching.py",
    "dataset/test_interruption.py",
    "training/test_export.py",
)
"""Files that take longest come first, so that workers end together."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    tests = Path(__file__).parent
    place = {(tests / name).resolve(strict=True): number for number, name in enumerate(DEAREST)}
    items.sort(key=lambda item: place.get(item.path.resolve(), len(place)))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in this process."""

    def call(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["spinetrack-synth", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Outcome(code, *capsys.readouterr())

    return call
