"""Reading .osim files: couplers, locks, and files that cannot be used."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from spinetrack_synth.anatomy.kinematics import all_coordinates, coordinates_from
from spinetrack_synth.anatomy.model import fullbody_path, load_model
from spinetrack_synth.errors import UserError


def osim(
    path: Path, *, coordinates: str = "", constraints: str = "", joint: str = "GimbalJoint"
) -> Path:
    """A one-joint model with the coordinates a, b, c."""
    names = "".join(f'<Coordinate name="{n}">{coordinates}</Coordinate>' for n in "abc")
    path.write_text(
        '<OpenSimDocument Version="40500"><Model name="m"><BodySet><objects><Body name="bone">'
        "<mass>1</mass></Body></objects></BodySet><JointSet><objects>"
        f'<{joint} name="hinge"><socket_parent_frame>/ground</socket_parent_frame>'
        f"<socket_child_frame>/bodyset/bone</socket_child_frame><coordinates>{names}</coordinates>"
        f"</{joint}></objects></JointSet><ConstraintSet><objects>{constraints}</objects>"
        "</ConstraintSet></Model></OpenSimDocument>"
    )
    return path


def coupler(driven: str, driver: str, function: str) -> str:
    return (
        f'<CoordinateCouplerConstraint name="{driven}_by_{driver}">'
        f"<coupled_coordinates_function>{function}</coupled_coordinates_function>"
        f"<independent_coordinate_names>{driver}</independent_coordinate_names>"
        f"<dependent_coordinate_name>{driven}</dependent_coordinate_name>"
        "</CoordinateCouplerConstraint>"
    )


def line(slope: float, intercept: float) -> str:
    return f"<LinearFunction><coefficients>{slope} {intercept}</coefficients></LinearFunction>"


def test_couplers_in_a_row_are_eliminated(tmp_path):
    constraints = coupler("c", "b", line(3, 0.5)) + coupler("b", "a", line(2, 0.1))
    tree = load_model(osim(tmp_path / "m.osim", constraints=constraints))
    assert tree.free == ("a",)
    np.testing.assert_allclose(all_coordinates(tree, [0.2]), [0.2, 0.5, 2.0])
    np.testing.assert_allclose(tree.coupling @ [0.2] + tree.offset, [0.2, 0.5, 2.0])


def test_curved_coupler_is_followed(tmp_path):
    square = "<PolynomialFunction><coefficients>1 0 0.25</coefficients></PolynomialFunction>"
    tree = load_model(osim(tmp_path / "m.osim", constraints=coupler("b", "a", square)))
    assert tree.free == ("a", "c")
    np.testing.assert_allclose(all_coordinates(tree, [0.5, 0.1]), [0.5, 0.5, 0.1])
    with pytest.raises(UserError, match="set a instead"):
        coordinates_from(tree, {"b": 0.3})


def test_locked_coordinates_are_held(tmp_path):
    settings = "<default_value>0.3</default_value><locked>true</locked>"
    tree = load_model(osim(tmp_path / "m.osim", coordinates=settings))
    assert tree.free == ()
    np.testing.assert_allclose(tree.default_coordinates, 0.3)
    with pytest.raises(UserError, match="locked"):
        coordinates_from(tree, {"a": 0.0})


def test_disabled_coupler_is_none(tmp_path):
    constraint = coupler("b", "a", line(2, 0)).replace(
        "</CoordinateCouplerConstraint>",
        "<isEnforced>false</isEnforced></CoordinateCouplerConstraint>",
    )
    assert load_model(osim(tmp_path / "m.osim", constraints=constraint)).free == ("a", "b", "c")


@pytest.mark.parametrize("curved", [False, True])
def test_scale_factor_of_a_coupler_counts(tmp_path, curved):
    square = "<PolynomialFunction><coefficients>1 0 0.25</coefficients></PolynomialFunction>"
    constraint = coupler("b", "a", square if curved else line(2, 0.1)).replace(
        "</CoordinateCouplerConstraint>",
        "<scale_factor>1.5</scale_factor></CoordinateCouplerConstraint>",
    )
    tree = load_model(osim(tmp_path / "m.osim", constraints=constraint))
    expected = 1.5 * (0.2**2 + 0.25 if curved else 2 * 0.2 + 0.1)
    np.testing.assert_allclose(all_coordinates(tree, [0.2, 0.0]), [0.2, expected, 0.0])


def test_curved_coupler_of_a_locked_coordinate_is_held(tmp_path):
    square = "<PolynomialFunction><coefficients>1 0 0.25</coefficients></PolynomialFunction>"
    settings = "<default_value>0.3</default_value><locked>true</locked>"
    path = osim(tmp_path / "m.osim", constraints=coupler("b", "a", square))
    path.write_text(path.read_text().replace('name="a">', f'name="a">{settings}'))
    tree = load_model(path)
    assert tree.free == ("c",) and tree.steps == ()
    np.testing.assert_allclose(all_coordinates(tree, [0.1]), [0.3, 0.34, 0.1])


def test_other_constraints_are_named(tmp_path):
    roll = (
        '<RollingOnSurfaceConstraint name="grip"><isEnforced>true</isEnforced>'
        "</RollingOnSurfaceConstraint>"
    )
    with pytest.raises(UserError, match=r"grip is a RollingOnSurfaceConstraint.*--engine opensim"):
        load_model(osim(tmp_path / "m.osim", constraints=roll))
    off = roll.replace("true", "false")
    assert load_model(osim(tmp_path / "m.osim", constraints=off)).free == ("a", "b", "c")


def test_files_that_opensim_reads_though_they_are_no_xml(tmp_path):
    path = osim(tmp_path / "m.osim")
    forces = (
        '<ForceSet><HuntCrossleyForce::ContactParametersSet name="p"><objects/>'
        "</HuntCrossleyForce::ContactParametersSet></ForceSet>"
        "<!-- <!-- once two comments -- of somebody --> </Model>"
    )
    lenient = tmp_path / "lenient.osim"
    lenient.write_text(path.read_text().replace("</Model>", forces))
    assert load_model(lenient).free == load_model(path).free


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no such file"),
        ("hello", "not an OpenSim model"),
        ("<svg/>", "starts with <svg>"),
        ('<OpenSimDocument Version="40500"><ScaleTool/></OpenSimDocument>', "no <Model>"),
    ],
)
def test_what_is_no_model_is_named(tmp_path, text, message):
    path = tmp_path / "m.osim"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=message) as error:
        load_model(path)
    assert str(path) in str(error.value)


def test_unsupported_joint_is_named(tmp_path):
    with pytest.raises(UserError, match=r"joint hinge is a BeamJoint.*--engine opensim"):
        load_model(osim(tmp_path / "m.osim", joint="BeamJoint"))


def test_of_couplers_in_a_circle_one_is_solved_for(tmp_path):
    constraints = coupler("a", "b", line(1, 0)) + coupler("b", "a", line(1, 0))
    tree = load_model(osim(tmp_path / "m.osim", constraints=constraints))
    assert tree.free == ("b", "c")
    assert [tie.constraint for tie in tree.ties] == ["b_by_a"]


def test_names_that_stand_twice(tmp_path):
    marker = '<Marker name="m"><socket_parent_frame>/bodyset/bone</socket_parent_frame></Marker>'
    path = osim(tmp_path / "m.osim")
    markers = f"<MarkerSet><objects>{3 * marker}</objects></MarkerSet></Model>"
    path.write_text(path.read_text().replace("</Model>", markers))
    assert load_model(path).marker_names == ("m", "m_0", "m_1")  # as OpenSim renames them
    path.write_text(path.read_text().replace('name="c"', 'name="b"'))
    with pytest.raises(UserError, match="two coordinates are called b"):
        load_model(path)


def test_old_file_without_opensim_names_the_remedy(tmp_path, monkeypatch):
    path = tmp_path / "old.osim"
    path.write_text('<OpenSimDocument Version="20303"><Model name="m"/></OpenSimDocument>')
    monkeypatch.setenv("SPINETRACK_SYNTH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(sys.modules, "opensim", None)
    with pytest.raises(UserError, match=r"pip install 'spinetrack-synth\[opensim\]'"):
        load_model(path)


def test_coupled_and_free_models_share_bodies_and_markers(coupled, free):
    assert coupled.bodies == free.bodies
    assert coupled.marker_names == free.marker_names
    np.testing.assert_array_equal(coupled.marker_offset_m, free.marker_offset_m)
    assert len(free.free) == len(free.coordinates) == len(coupled.coordinates)
    # 75 spinal motions, of which 12 masters lead 63 driven ones.
    assert len(coupled.coordinates) - len(coupled.free) == 63


def test_parents_stand_before_children(coupled):
    assert np.all(coupled.chain.parent < np.arange(len(coupled.bodies)))


def test_the_path_is_found_in_the_checkout():
    assert fullbody_path().name == "spinetrack_fullbody.osim"
    assert fullbody_path(coupled=False).is_file()
