"""BVH files: hierarchy, channels, rotation orders, located errors."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.axes import Convention
from spinetrack_synth.motion.bvh import Bvh, Joint, joint_motion, read_bvh, write_bvh

SMALL = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Left Leg {
    OFFSET 10 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 -40 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.1
0 90 0 0 0 0 0 0 0
0 90 0 0 0 90 90 0 0
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "small.bvh"
    path.write_text(text)
    return path


def test_a_file_is_read_as_it_stands(tmp_path: Path) -> None:
    bvh = read_bvh(written(tmp_path, SMALL))
    assert [joint.name for joint in bvh.joints] == ["Hips", "Left Leg", "Left Leg_end"]
    assert [joint.parent for joint in bvh.joints] == [-1, 0, 1]
    assert bvh.joints[1].offset == (10, 0, 0)
    assert bvh.joints[2].channels == ()
    assert bvh.values.shape == (2, 9)
    assert bvh.frame_time_s == 0.1


def test_joints_stand_where_the_channels_put_them(tmp_path: Path) -> None:
    motion = joint_motion(read_bvh(written(tmp_path, SMALL)), Convention(unit="cm", axes="y-up"))
    leg_end = motion.positions_m[:, 2]
    np.testing.assert_allclose(leg_end[0], [0.1, 0.5, 0], atol=1e-12)
    # The hips turn 90 degrees about Y (x to -z), the leg then 90 about its own Z (-y to x).
    np.testing.assert_allclose(motion.positions_m[1, 1], [0, 0.9, -0.1], atol=1e-12)
    np.testing.assert_allclose(leg_end[1], [0, 0.9, -0.5], atol=1e-12)
    np.testing.assert_allclose(motion.rest_m[2], [0.1, -0.4, 0], atol=1e-12)


@pytest.mark.parametrize("order", list(permutations("XYZ")))
def test_rotations_apply_in_the_order_of_the_channels(order: tuple[str, ...]) -> None:
    from scipy.spatial.transform import Rotation

    angles = [20.0, -50.0, 70.0]
    joint = Joint("Hips", -1, (0, 0, 0), tuple(f"{axis}rotation" for axis in order))
    motion = joint_motion(Bvh((joint,), 0.1, np.array([angles])), Convention(axes="y-up"))
    expected = Rotation.from_euler("".join(order), angles, degrees=True).as_matrix()
    np.testing.assert_allclose(motion.turns[0, 0], expected, atol=1e-12)


def test_axes_turn_positions_and_rotations_alike() -> None:
    channels = ("Xposition", "Yposition", "Zposition", "Zrotation", "Xrotation", "Yrotation")
    joints = (Joint("Hips", -1, (0, 0, 0), channels), Joint("Head", 0, (0, 50, 8), ("Xrotation",)))
    bvh = Bvh(joints, 0.1, np.array([[1.0, 90, 3, 10, 20, 30, 40]]))
    plain = joint_motion(bvh, Convention(axes="y-up"))
    world = joint_motion(bvh)
    turn = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])  # a file looks along Z, the world along X
    np.testing.assert_allclose(world.positions_m, plain.positions_m @ turn.T, atol=1e-12)
    arm = world.positions_m[0, 1] - world.positions_m[0, 0]
    rest_arm = world.rest_m[1] - world.rest_m[0]
    np.testing.assert_allclose(world.turns[0, 0] @ rest_arm, arm, atol=1e-12)


numbers = st.floats(-500, 500, allow_nan=False).map(lambda x: round(x, 4))


@st.composite
def documents(draw: st.DrawFn) -> Bvh:
    """Hierarchies of up to five joints in depth-first order, with end sites."""
    joints: list[Joint] = []
    depth_path: list[int] = []
    for k in range(draw(st.integers(1, 5))):
        keep = draw(st.integers(1, len(depth_path))) if depth_path else 0
        depth_path = depth_path[:keep]
        rotations = tuple(f"{axis}rotation" for axis in draw(st.permutations("XYZ")))
        slides = k == 0 or draw(st.booleans())
        channels = (*(f"{axis}position" for axis in "XYZ"), *rotations) if slides else rotations
        offset = tuple(draw(st.tuples(numbers, numbers, numbers)))
        joints.append(Joint(f"joint {k}", depth_path[-1] if depth_path else -1, offset, channels))
        depth_path.append(len(joints) - 1)
    columns = sum(len(joint.channels) for joint in joints)
    row = st.lists(numbers, min_size=columns, max_size=columns)
    return Bvh(tuple(joints), 0.04, np.array(draw(st.lists(row, min_size=1, max_size=3))))


@given(documents())
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, bvh: Bvh) -> None:
    path = tmp_path_factory.mktemp("bvh") / "document.bvh"
    write_bvh(path, bvh)
    again = read_bvh(path)
    # A joint without children keeps its channels, so nothing turns into an end site.
    assert again.joints == bvh.joints
    np.testing.assert_allclose(again.values, bvh.values)
    assert again.frame_time_s == bvh.frame_time_s


def test_columns_follow_the_hierarchy_whatever_the_order_of_joints(tmp_path: Path) -> None:
    root = Joint("root", -1, (0, 0, 0), ("Xrotation",))
    a, b = (Joint(name, 0, (1, 0, 0), ("Xrotation",)) for name in "ab")
    child_of_a = Joint("c", 1, (1, 0, 0), ("Xrotation",))
    bvh = Bvh((root, a, b, child_of_a), 0.1, np.array([[0.0, 1.0, 2.0, 3.0]]))
    write_bvh(tmp_path / "wide.bvh", bvh)
    again = read_bvh(tmp_path / "wide.bvh")
    assert [joint.name for joint in again.joints] == ["root", "a", "c", "b"]
    assert again.values.tolist() == [[0.0, 1.0, 3.0, 2.0]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("HIERARCHY", "MAYHEM"), "line 1: expected 'HIERARCHY'"),
        (("OFFSET 10 0 0", "OFFSET 10 zero 0"), "line 7: 'zero' is no number"),
        (("3 Zrotation", "3 Wrotation"), "line 8: channel 'Wrotation' of 'Left Leg'"),
        (("Left Leg", "Hips"), "line 6: joint 'Hips' stands twice"),
        (("MOTION", "MOTIONS"), "no line 'MOTION'"),
        (("Frame Time: 0.1", "Frame Time: 0"), "line 17: a frame time of 0 s"),
        (("0 90 0 0 0 90 90 0 0", "0 90 0 0 0 90 90 0"), "line 19: 8 fields, expected 9"),
        (("0 90 0 0 0 90 90 0 0", "0 90 0 0 0 90 nan 0 0"), "frame 2: holds a value that is no"),
        (("0 90 0 0 0 90 90 0 0", "0 90 0 0 0 90 x 0 0"), "line 19, field 7: 'x' is no number"),
        (("  }\n}\nMOTION", "  }\nMOTION"), "ends where '}' should stand"),
        (("}\nMOTION", "}\nROOT B { }\nMOTION"), "one ROOT a file"),
    ],
)
def test_damage_is_located(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    path = written(tmp_path, SMALL.replace(*change))
    with pytest.raises(UserError) as error:
        read_bvh(path)
    assert message in str(error.value)
    assert "small.bvh" in str(error.value)


@pytest.mark.parametrize(("said", "cut"), [(3, ": the file may be cut off"), (1, "")])
def test_frames_that_are_not_there_are_noted(tmp_path: Path, said: int, cut: str) -> None:
    bvh = read_bvh(written(tmp_path, SMALL.replace("Frames: 2", f"Frames: {said}")))
    assert len(bvh.values) == 2
    assert bvh.notes == (f"its header says {said} frames, there are 2{cut}",)
    assert joint_motion(bvh).notes == bvh.notes


def test_a_file_that_ends_within_a_row_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, SMALL.rstrip("\n")[:-6])
    with pytest.raises(UserError, match=r"line 19: the file ends within this row \(6 of 9 fields"):
        read_bvh(path)


def test_blank_lines_may_stand_anywhere(tmp_path: Path) -> None:
    loose = "\n" + SMALL.replace("MOTION\n", "\nMOTION\n\n").replace("Frame Time", "\nFrame Time")
    bvh = read_bvh(written(tmp_path, loose + "\n\n"))
    assert bvh.values.shape == (2, 9)
    broken = loose.replace("90 90 0 0", "90 x 0 0")
    with pytest.raises(UserError, match="line 23, field 7: 'x' is no number"):
        read_bvh(written(tmp_path, broken))


def test_positions_that_would_shrink_the_bones_are_added() -> None:
    channels = ("Xposition", "Yposition", "Zposition", "Zrotation")
    joints = (Joint("Hips", -1, (0, 0, 0), channels), Joint("Head", 0, (0, 50, 8), channels))
    moved = Bvh(joints, 0.1, np.array([[0.0, 90, 0, 0, 1, 0, 0, 0]]))
    motion = joint_motion(moved, Convention(unit="cm", axes="y-up"))
    np.testing.assert_allclose(motion.positions_m[0, 1], [0.01, 1.4, 0.08])
    assert "added to their offsets" in motion.notes[0]
    placed = Bvh(joints, 0.1, np.array([[0.0, 90, 0, 0, 1, 50, 8, 0]]))
    motion = joint_motion(placed, Convention(unit="cm", axes="y-up"))
    np.testing.assert_allclose(motion.positions_m[0, 1], [0.01, 1.4, 0.08])
    assert motion.notes == ()


@pytest.mark.parametrize("number", ["1e400", "1e30"])
@pytest.mark.filterwarnings("error")
def test_numbers_beyond_range_are_one_line(tmp_path: Path, number: str) -> None:
    path = written(tmp_path, SMALL.replace("0 90 0 0 0 90 90", f"0 {number} 0 0 0 90 90"))
    with pytest.raises(UserError, match=r"no finite number|beyond every length"):
        read_bvh(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("OFFSET 10 0 0", "OFFSET 10 1e400 0"), "line 7: the offset of 'Left Leg', 10 inf 0, is"),
        (("OFFSET 10 0 0", "OFFSET nan 0 0"), "is beyond every length"),
        (("CHANNELS 3", "CHANNELS nan"), "'Left Leg' has nan channels"),
        (("CHANNELS 3", "CHANNELS 30"), "'Left Leg' has 30 channels; give 0 to 6"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_broken_hierarchies_are_located(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    with pytest.raises(UserError) as error:
        read_bvh(written(tmp_path, SMALL.replace(*change)))
    assert message in str(error.value)
