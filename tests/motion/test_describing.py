"""Motions in words and in pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import CoordinateMotion, MarkerMotion
from spinetrack_synth.motion.describing import describe
from spinetrack_synth.motion.model_motion import marker_motion
from spinetrack_synth.motion.plotting import plot_motion


def test_points_are_described(tree: Tree, steps: CoordinateMotion) -> None:
    markers = marker_motion(tree, steps)
    positions_m = markers.positions_m[:, :17].copy()
    positions_m[:3, 0] = np.nan
    text = "\n".join(describe(MarkerMotion(markers.names[:17], markers.times_s, positions_m), tree))
    assert "12 points" not in text
    assert "17 points" in text
    assert "frames    12, 0 to 0.366667 s, 30 a second" in text
    assert "nose 25.0%" in text
    assert "coco17 (COCO, 17 keypoints), 17 of 17 points" in text
    assert "--axes" not in text


def test_lying_axes_are_remarked(tree: Tree, steps: CoordinateMotion) -> None:
    markers = marker_motion(tree, steps)
    turned = MarkerMotion(markers.names, markers.times_s, markers.positions_m[..., [0, 2, 1]])
    assert any("longest along Z" in line for line in describe(turned, tree))


def test_coordinates_are_described(tree: Tree, steps: CoordinateMotion) -> None:
    lines = list(describe(steps, tree))
    assert any("pelvis_tx" in line and "0.550 m" in line for line in lines)
    assert lines[-1].strip().endswith("others stay where they are")


@pytest.mark.parametrize("ending", [".png", ".svg"])
def test_motions_are_drawn(
    tmp_path: Path, tree: Tree, steps: CoordinateMotion, ending: str
) -> None:
    pytest.importorskip("matplotlib", reason="plots need the extra motion")
    path = tmp_path / f"plot{ending}"
    plot_motion(steps, path, ["knee_angle_r"])
    assert path.read_bytes()[:5] in (b"\x89PNG\r", b"<?xml")
    with pytest.raises(UserError, match="did you mean 'knee_angle_r'"):
        plot_motion(steps, path, ["knee_angel_r"])
    with pytest.raises(UserError, match=r"a plot ends in \.png"):
        plot_motion(steps, tmp_path / "plot.gif")
