"""Tests of this room reach no server, whatever the machine's cache holds."""

from __future__ import annotations

from dataclasses import replace

import pytest


@pytest.fixture(autouse=True)
def unreachable_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default detector is published where nobody answers, under a name that no cache holds, and
    the package has none: it would find nobody in people of dots."""
    zoo = pytest.importorskip("spinetrack_synth.spinepose.zoo")
    away = replace(zoo.YOLOX_NANO, url="http://127.0.0.1:9/published-nowhere.onnx")
    monkeypatch.setattr(zoo, "YOLOX_NANO", away)
    monkeypatch.setitem(zoo.OFFICIAL, away.name, away)
    monkeypatch.setattr("spinetrack_synth.spinepose.packaged.DETECTOR", "none")
