"""Lengths of the standing model, held against the model itself."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from spinetrack_synth import skeleton
from spinetrack_synth.anatomy.kinematics import marker_positions
from spinetrack_synth.anatomy.model import fullbody_path, load_model
from spinetrack_synth.coco.proportions import BONES_M
from spinetrack_synth.lengths import SPINE_GAPS_M, STATURE_M, distance_m
from spinetrack_synth.validation.sides import WIDTHS_M


@pytest.fixture(scope="module")
def points_m() -> np.ndarray:
    """The keypoints (37, 3) of the standing model, m."""
    tree = load_model(fullbody_path())
    markers = marker_positions(tree, tree.default_coordinates)
    return markers[[tree.marker_index[name] for name in skeleton.NAMES]]


def test_lengths_are_those_of_the_osim_file(points_m: np.ndarray) -> None:
    spine = points_m[list(skeleton.SPINE)]
    gaps = np.linalg.norm(np.diff(spine, axis=0), axis=1)
    np.testing.assert_allclose(SPINE_GAPS_M, gaps, rtol=0, atol=1e-4)
    np.testing.assert_allclose(STATURE_M, points_m[skeleton.INDEX["head"], 1], rtol=0, atol=1e-4)
    widths = {(f"left_{name}", f"right_{name}"): width for name, width in WIDTHS_M.items()}
    head = {("neck_03", "head"): distance_m("neck_03", "head")}
    for (a, b), length in (BONES_M | widths | head).items():
        found = np.linalg.norm(points_m[skeleton.INDEX[a]] - points_m[skeleton.INDEX[b]])
        assert length == pytest.approx(found, abs=1e-4), (a, b)


def test_no_model_is_loaded_for_them() -> None:
    code = "import sys, spinetrack_synth.lengths; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "spinetrack_synth.lengths" in run.stdout.split()
    assert not {"numba", "spinetrack_synth.anatomy"} & set(run.stdout.split())
