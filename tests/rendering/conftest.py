"""One renderer a variant for all tests."""

from __future__ import annotations

import importlib.util

import pytest

from spinetrack_synth.rendering import open_renderer

if any(importlib.util.find_spec(module) is None for module in ("mitsuba", "pyoidn")):
    collect_ignore = ["test_compositing.py", "test_drawing.py", "test_light_transport.py"]


@pytest.fixture(scope="session")
def renderer():
    """The fastest renderer this machine has."""
    renderer = open_renderer()
    yield renderer
    renderer.close()


@pytest.fixture(scope="session")
def scalar_renderer():
    """The renderer that needs no compiler."""
    renderer = open_renderer(variant="scalar_rgb")
    yield renderer
    renderer.close()


@pytest.fixture(params=["fastest", "scalar"])
def any_renderer(request):
    """Both ways of drawing in turn."""
    name = "renderer" if request.param == "fastest" else "scalar_renderer"
    return request.getfixturevalue(name)
