"""C3D files, written by ezc3d itself: units, axes, missing markers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.axes import Convention
from spinetrack_synth.motion.c3d import read_c3d

ezc3d = pytest.importorskip("ezc3d", reason="C3D files need the extra motion")

NAMES = ["Subject:LHIP", "RHIP", "HEAD"]
AT_MM = np.array([[[100.0, 200, 900], [100, -200, 900], [120, 0, 1700]]] * 4)
"""Frames, markers, X forward, Y left, Z up."""


def write(
    path: Path,
    unit: str = "mm",
    screen: tuple[str, str] | None = None,
    names: Sequence[str] = NAMES,
    computed: Sequence[str] = (),
) -> Path:
    document = ezc3d.c3d()
    document["parameters"]["POINT"]["UNITS"]["value"] = [unit]
    document["parameters"]["POINT"]["RATE"]["value"] = [50.0]
    document["parameters"]["POINT"]["LABELS"]["value"] = list(names)
    if screen:
        document.add_parameter("POINT", "X_SCREEN", [screen[0]])
        document.add_parameter("POINT", "Y_SCREEN", [screen[1]])
    if computed:
        document.add_parameter("POINT", "ANGLES", list(computed))
    points = np.ones((4, len(NAMES), len(AT_MM)))
    points[:3] = AT_MM.transpose(2, 1, 0)
    points[:3, 2, 1] = np.nan
    document["data"]["points"] = points
    document.write(str(path))
    return path


def test_markers_come_in_metres_with_y_up(tmp_path: Path) -> None:
    motion = read_c3d(write(tmp_path / "a.c3d"))
    assert motion.names == ("LHIP", "RHIP", "HEAD")
    np.testing.assert_allclose(motion.times_s, [0, 0.02, 0.04, 0.06])
    np.testing.assert_allclose(motion.positions_m[0, 0], [0.1, 0.9, -0.2], atol=1e-6)
    np.testing.assert_allclose(motion.positions_m[0, 2], [0.12, 1.7, 0.0], atol=1e-6)
    assert np.isnan(motion.positions_m[1, 2]).all()


def test_units_and_screen_axes_of_the_file_count(tmp_path: Path) -> None:
    metres = read_c3d(write(tmp_path / "m.c3d", unit="m"))
    np.testing.assert_allclose(metres.positions_m[0, 0], [100, 900, -200], atol=1e-3)
    sideways = read_c3d(write(tmp_path / "s.c3d", screen=("+Y", "+Z")))
    np.testing.assert_allclose(sideways.positions_m[0, 0], [0.2, 0.9, 0.1], atol=1e-6)


def test_the_user_overrules_the_file(tmp_path: Path) -> None:
    motion = read_c3d(write(tmp_path / "a.c3d"), Convention(unit="cm", axes="y-up"))
    np.testing.assert_allclose(motion.positions_m[0, 0], [1, 2, 9], atol=1e-5)


@pytest.mark.parametrize(
    ("unit", "metres"),
    [("Mm", 1e-3), ("METERS", 1.0), ("micron", 1e-6), ("", 1e-3), ("inch", 0.0254)],
)
def test_unusual_units_are_understood(tmp_path: Path, unit: str, metres: float) -> None:
    motion = read_c3d(write(tmp_path / "a.c3d", unit=unit))
    np.testing.assert_allclose(motion.positions_m[0, 0] / metres, [100, 900, -200], atol=1e-2)


def test_a_unit_nobody_knows_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.c3d", unit="furlong")
    with pytest.raises(UserError, match=r"POINT:UNITS is 'furlong'.*: give --unit"):
        read_c3d(path)
    np.testing.assert_allclose(
        read_c3d(path, Convention(unit="mm")).positions_m[0, 0], [0.1, 0.9, -0.2], atol=1e-6
    )


def test_two_people_keep_their_prefixes(tmp_path: Path) -> None:
    motion = read_c3d(write(tmp_path / "a.c3d", names=["Ann:HIP", "Ben:HIP", "Ben:HEAD"]))
    assert motion.names == ("Ann:HIP", "Ben:HIP", "Ben:HEAD")
    assert "2 subjects (Ann, Ben)" in motion.notes[0]


def test_a_repeated_label_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    motion = read_c3d(write(tmp_path / "a.c3d", names=["HIP", "HIP", "HEAD"]))
    assert motion.names == ("HEAD",)
    np.testing.assert_allclose(motion.positions_m[0, 0], [0.12, 1.7, 0.0], atol=1e-6)
    assert motion.notes == ("label 'HIP' stands for 2 different points: none of them is read",)


def test_points_without_a_name_and_computed_ones_are_left_out(tmp_path: Path) -> None:
    motion = read_c3d(
        write(tmp_path / "a.c3d", names=["HIP", "LKneeAngles", ""], computed=["LKneeAngles"])
    )
    assert motion.names == ("HIP",)
    assert "1 angles, forces and the like are no points, left out: LKneeAngles" in motion.notes[0]
    assert "1 points without a name" in motion.notes[1]


def test_what_is_no_c3d_file_is_said(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.c3d"
    wrong.write_text("no markers here")
    with pytest.raises(UserError, match=r"wrong\.c3d: is no C3D file"):
        read_c3d(wrong)
    with pytest.raises(UserError, match="no such file"):
        read_c3d(tmp_path / "absent.c3d")


def test_frames_that_are_not_there_are_noted(tmp_path: Path) -> None:
    whole = write(tmp_path / "a.c3d").read_bytes()
    frame_bytes = 4 * 4 * len(NAMES)  # three coordinates and a residual for each marker
    for cut in range(1, 12):
        (tmp_path / "cut.c3d").write_bytes(whole[: -cut * frame_bytes])
        motion = read_c3d(tmp_path / "cut.c3d")
        if len(motion.times_s) < len(AT_MM):
            break
    assert motion.notes[0] == (
        f"its header says 4 frames, there are {len(motion.times_s)}: the file may be cut off"
    )
