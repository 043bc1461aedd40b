"""Motions written for OpenSim: it reads the pose that was meant, whatever moves an axis."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spinetrack_synth.anatomy.kinematics import all_coordinates, body_transforms_batch
from spinetrack_synth.anatomy.model import Tree, fullbody_path, load_model
from spinetrack_synth.motion.data import CoordinateMotion
from spinetrack_synth.motion.opensim_tool import pose
from spinetrack_synth.motion.storage import read_coordinates, read_storage, write_coordinates

opensim = pytest.importorskip("opensim", reason="needs the extra [opensim]")
opensim.Logger.setLevelString("Off")
opensim.Logger.removeFileSink()

TYPES = ("Undefined", "Rotational", "Translational", "Coupled")


SPLINE = "<x>-2 0 2</x><y>2 0 -2</y>"
FUNCTIONS = {
    "one to one": ("LinearFunction", "<coefficients>1 0</coefficients>"),
    "backwards": ("LinearFunction", "<coefficients>-1 0</coefficients>"),
    "shifted": ("LinearFunction", "<coefficients>1 0.3</coefficients>"),
    "scaled": ("LinearFunction", "<coefficients>0.5 0</coefficients>"),
    "spline": ("SimmSpline", SPLINE),
    "bent spline": ("SimmSpline", "<x>-2 0 1 2</x><y>2 0.3 -0.2 -2</y>"),
    "polyline": ("PiecewiseLinearFunction", "<x>-2 0 2</x><y>-1 0 2</y>"),
    "polynomial": ("PolynomialFunction", "<coefficients>1 0</coefficients>"),
    "cubic": ("PolynomialFunction", "<coefficients>0.1 0 1 0.2</coefficients>"),
    "multiple": (
        "MultiplierFunction",
        "<function><LinearFunction><coefficients>1 0</coefficients></LinearFunction></function>"
        "<scale>1</scale>",
    ),
    "multiple of a spline": (
        "MultiplierFunction",
        f"<function><SimmSpline>{SPLINE}</SimmSpline></function><scale>0.4</scale>",
    ),
    "constant": ("Constant", "<value>0.4</value>"),
}

WAYS = {
    "a rotation": {"rotation1": "one to one"},
    **{f"rotation by {name}": {"rotation2": name} for name in FUNCTIONS},
    **{f"translation by {name}": {"translation2": name} for name in FUNCTIONS},
    "a screw": {"rotation1": "one to one", "translation1": "one to one"},
    "a scaled screw": {"rotation1": "one to one", "translation1": "scaled"},
    "a gliding knee": {"rotation3": "backwards", "translation1": "spline"},
    "a slide that turns a little": {"rotation1": "scaled", "translation3": "one to one"},
    "two rotations": {"rotation1": "scaled", "rotation2": "one to one"},
    "a rotation and a curved one": {"rotation1": "one to one", "rotation3": "bent spline"},
}


def write_joints(path: Path, ways: dict[str, dict[str, str]], backwards: bool = False) -> Path:
    """A chain of bodies, each moved by one coordinate, in one of the ways."""
    bodies = joints = ""
    parent = "/ground"
    for i, axes in enumerate(ways.values()):
        child = f"/bodyset/b{i}"
        bodies += f'<Body name="b{i}"><mass>1</mass><inertia>1 1 1 0 0 0</inertia></Body>'
        spatial = ""
        for k in range(6):
            name = f"{'translation' if k > 2 else 'rotation'}{k % 3 + 1}"
            direction = " ".join(str(int(k % 3 == j)) for j in range(3))
            used = axes.get(name)
            tag, inner = FUNCTIONS[used] if used else ("Constant", "<value>0</value>")
            spatial += (
                f'<TransformAxis name="{name}"><coordinates>{f"q{i}" if used else ""}</coordinates>'
                f'<axis>{direction}</axis><{tag} name="function">{inner}</{tag}></TransformAxis>'
            )
        ends = (child, parent) if backwards and i % 2 else (parent, child)
        joints += (
            f'<CustomJoint name="j{i}"><socket_parent_frame>{ends[0]}</socket_parent_frame>'
            f"<socket_child_frame>{ends[1]}</socket_child_frame><coordinates>"
            f'<Coordinate name="q{i}"><range>-1.5 1.5</range></Coordinate></coordinates>'
            f"<SpatialTransform>{spatial}</SpatialTransform></CustomJoint>"
        )
        parent = child
    path.write_text(
        '<?xml version="1.0"?><OpenSimDocument Version="40000"><Model name="ways">'
        f'<BodySet name="bodyset"><objects>{bodies}</objects></BodySet>'
        f'<JointSet name="jointset"><objects>{joints}</objects></JointSet>'
        "</Model></OpenSimDocument>"
    )
    return path


def types_of_opensim(path: Path) -> dict[str, str]:
    model = opensim.Model(str(path))
    model.initSystem()
    coordinates = model.getCoordinateSet()
    found = [coordinates.get(i) for i in range(coordinates.getSize())]
    return {one.getName(): TYPES[one.getMotionType()] for one in found}


def assert_read_back(path: Path, tree: Tree, folder: Path) -> None:
    z = np.random.default_rng(0).uniform(-0.9, 0.9, (6, len(tree.free)))
    q = np.array([all_coordinates(tree, row) for row in z])
    file = folder / "out.mot"
    motion = CoordinateMotion(tree.coordinates, np.arange(6) / 10 - 0.2, q, tree.rotational)
    write_coordinates(file, motion, tree)
    posed = pose(path, file)
    at = [posed.body_names.index(name) for name in tree.bodies]
    np.testing.assert_allclose(
        posed.body2world[:, at], body_transforms_batch(tree, q), rtol=0, atol=1e-7
    )
    back = read_coordinates(file, tree)
    np.testing.assert_allclose(back.values, q, atol=1e-8)


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_move_is_read_back_as_meant(way: str, tmp_path: Path) -> None:
    path = write_joints(tmp_path / "model.osim", {way: WAYS[way]})
    tree = load_model(path)
    assert dict(zip(tree.coordinates, tree.motion_type)) == types_of_opensim(path)
    assert_read_back(path, tree, tmp_path)


@pytest.mark.parametrize("backwards", [False, True])
def test_all_ways_in_one_model_are_read_back_as_meant(tmp_path: Path, backwards: bool) -> None:
    path = write_joints(tmp_path / "model.osim", WAYS, backwards)
    assert_read_back(path, load_model(path), tmp_path)


def test_pure_rotations_alone_are_written_in_degrees(tmp_path: Path) -> None:
    for ways, in_degrees in ((["a rotation", "rotation by backwards"], True), (list(WAYS), False)):
        path = write_joints(tmp_path / "model.osim", {way: WAYS[way] for way in ways})
        tree = load_model(path)
        motion = CoordinateMotion(
            tree.coordinates, np.zeros(1), np.ones((1, len(tree.coordinates))), tree.rotational
        )
        write_coordinates(tmp_path / "out.mot", motion, tree)
        assert read_storage(tmp_path / "out.mot").in_degrees is in_degrees


@pytest.mark.parametrize("coupled", [True, False])
def test_our_own_models_are_read_back_as_meant(coupled: bool, tmp_path: Path) -> None:
    path = fullbody_path(coupled)
    tree = load_model(path)
    assert dict(zip(tree.coordinates, tree.motion_type)) == types_of_opensim(path)
    assert_read_back(path, tree, tmp_path)
