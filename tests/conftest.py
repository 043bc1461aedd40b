"""Settings of all tests."""

from __future__ import annotations

import os
import signal
import sys

import pytest
from commands import Outcome, Run
from hypothesis import settings

from spinetrack_synth.cache import cache_folder
from spinetrack_synth.cli import main

# Compiled once for all tests, also for those with a cache folder of their own.
os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_folder()))

# A busy machine is no bug: examples may take as long as they need.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

# What a shell starts in its background is deaf to Ctrl-C, and so are all whom it starts: not here.
signal.signal(signal.SIGINT, signal.default_int_handler)


DEAREST = ("test_readme.py", "test_tutorials.py", "test_end_to_end.py", "test_faults.py")
"""Files that take minutes come first, the longest ahead, so that workers end together."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: number for number, name in enumerate(DEAREST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))


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
