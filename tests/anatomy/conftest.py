"""The project's own models, read once."""

from __future__ import annotations

import pytest

from spinetrack_synth.anatomy.model import Tree, fullbody_path, load_model


@pytest.fixture(scope="session")
def coupled() -> Tree:
    return load_model(fullbody_path())


@pytest.fixture(scope="session")
def free() -> Tree:
    return load_model(fullbody_path(coupled=False))
