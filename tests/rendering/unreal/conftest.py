"""Engines of balls and drivers that do not wait long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from ball_engine import BallEngine, open_hastily

from spinetrack_synth.rendering.unreal import engine as driver
from spinetrack_synth.rendering.unreal.renderer import UnrealRenderer


@pytest.fixture
def balls() -> Iterator[BallEngine]:
    with BallEngine() as engine:
        yield engine


@pytest.fixture
def drive(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., UnrealRenderer]]:
    """Renderers of engines at some ports, closed in the end."""
    pytest.importorskip("unrealcv")
    monkeypatch.setattr(driver, "NOTICE_S", 0.0)
    monkeypatch.setattr(driver, "RETRY_S", 0.02)
    monkeypatch.setattr(driver, "RETURN_S", 0.1)
    with ExitStack() as stack:

        def open_at(*ports: int) -> UnrealRenderer:
            renderer = open_hastily(*ports)
            stack.callback(renderer.close)
            return renderer

        yield open_at
