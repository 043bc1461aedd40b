"""Kinematics and scaling against OpenSim: our models, a published one, and one with every joint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from osim_models import Reference, scale_factors

from spinetrack_synth.anatomy.kinematics import all_coordinates
from spinetrack_synth.anatomy.model import Tree, fullbody_path, load_model
from spinetrack_synth.anatomy.scaling import scale_tree

opensim = pytest.importorskip("opensim", reason="needs the extra [opensim]")
opensim.Logger.setLevelString("Off")
opensim.Logger.removeFileSink()

SHARED = Path(__file__).resolve().parents[3] / "shared"


def subject01() -> Path:
    """A published model of OpenSim's own tests; skips where it is absent."""
    path = SHARED / "data" / "opensim-ik" / "subject01_simbody.osim"
    if not path.is_file():
        pytest.skip("needs ../shared/data/opensim-ik")
    return path


def random_q(tree: Tree, rng: np.random.Generator, beyond: float = 0.0) -> np.ndarray:
    """Free coordinates spread over their ranges (at most +-4) and ``beyond``, couplers applied."""
    lower = np.maximum(tree.lower, -4)[tree.free_index] - beyond
    upper = np.minimum(tree.upper, 4)[tree.free_index] + beyond
    return all_coordinates(tree, rng.uniform(lower, upper))


@pytest.fixture(params=["coupled", "free", "subject01", "every joint", "joints turned round"])
def path(request, tmp_path) -> Path:
    match request.param:
        case "coupled" | "free":
            return fullbody_path(coupled=request.param == "coupled")
        case "subject01":
            return subject01()
        case "joints turned round":
            return write_model_with_every_joint(tmp_path / "turned.osim", turned=TURNED)
    return write_model_with_every_joint(tmp_path / "every_joint.osim")


def test_bodies_and_markers_equal_opensim(path):
    tree, reference = load_model(path), Reference(path)
    assert reference.coordinates == list(tree.coordinates)
    rng = np.random.default_rng(1)
    for _ in range(25):
        q = random_q(tree, rng, beyond=0.3 if "fullbody" not in path.name else 0.0)
        reference.assert_puts_alike(tree, q)


def test_motion_types_equal_opensims(path):
    assert list(load_model(path).motion_type) == Reference(path).motion_types


def test_scaling_equals_opensim(path):
    tree, reference = load_model(path), Reference(path)
    rng = np.random.default_rng(2)
    factors = rng.uniform(0.7, 1.4, (len(tree.bodies), 3))
    reference.scale(scale_factors(tree.bodies, factors))
    scaled = scale_tree(tree, factors)
    # On a turned plate OpenSim stretches along the plate's axes, we along the body's.
    on_bodies = [not name.endswith("on_plate") for name in tree.marker_names]
    for _ in range(10):
        q = random_q(tree, rng)
        reference.assert_puts_alike(scaled, q, on_bodies)


def test_couplers_equal_opensims_assembly(coupled):
    """Setting the masters alone, OpenSim's own assembly brings the driven levels where ours are."""
    reference = Reference(fullbody_path())
    rng = np.random.default_rng(3)
    q = random_q(coupled, rng)
    coordinates = reference.model.getCoordinateSet()
    for name in coupled.free:
        value = float(q[coupled.coordinate_index[name]])
        coordinates.get(name).setValue(reference.state, value, False)
    reference.model.assemble(reference.state)
    ours = q
    theirs = [coordinates.get(n).getValue(reference.state) for n in coupled.coordinates]
    np.testing.assert_allclose(theirs, ours, atol=1e-5)


@pytest.mark.parametrize("name", ["spinetrack_fullbody.osim", "spinetrack_fullbody_free.osim"])
def test_mass_is_what_opensim_weighs(name):
    path = fullbody_path(coupled="free" not in name)
    reference = Reference(path)
    weighed = reference.model.getTotalMass(reference.state)
    assert weighed == pytest.approx(load_model(path).mass_kg.sum(), abs=1e-9)


# -- a model with every supported joint, function and frame -------------------------------------

SPLINE = "<x>-1 -0.4 0.1 0.7 1.1</x><y>0.2 0.35 -0.1 0 0.4</y>"
THREE_POINTS = "<x>-0.5 0.2 0.9</x><y>0.1 0.4 -0.2</y>"
AXES = (
    ("rotation1", "0.2 0.3 1", "swing", "LinearFunction", "<coefficients>0.8 0.1</coefficients>"),
    ("rotation2", "2 0 0.4", "swing", "SimmSpline", THREE_POINTS),
    ("rotation3", "0 1 0", "", "Constant", "<value>0.25</value>"),
    (
        "translation1", "0.6 -0.8 0", "swing", "MultiplierFunction",
        f"<function><SimmSpline>{SPLINE}</SimmSpline></function><scale>1.7</scale>",
    ),
    (
        "translation2", "0 1 0", "slide", "PolynomialFunction",
        "<coefficients>0.3 -0.2 0.1 0.5 0.05</coefficients>",
    ),
    ("translation3", "0 0 -1", "swing", "PiecewiseLinearFunction", THREE_POINTS),
)  # fmt: skip
JOINTS = {
    "FreeJoint": 6, "PinJoint": 1, "SliderJoint": 1, "UniversalJoint": 2, "GimbalJoint": 3,
    "BallJoint": 3, "PlanarJoint": 3, "WeldJoint": 0, "CustomJoint": 2,
}  # fmt: skip


TURNED = ("PinJoint", "GimbalJoint", "PlanarJoint", "CustomJoint")


def write_model_with_every_joint(path: Path, turned: tuple[str, ...] = ()) -> Path:
    """A chain through all supported joints and functions, with turned frames; the joints
    ``turned`` run from the far body to the near one."""
    rng = np.random.default_rng(4)
    bodies, joints, markers = "", "", ""
    parent = "/ground"

    def place() -> str:
        return " ".join(f"{x:.3f}" for x in rng.uniform(-1, 1, 3))

    def frame(name: str, base: str) -> str:
        return (
            f'<PhysicalOffsetFrame name="{name}"><socket_parent>{base}</socket_parent>'
            f"<translation>{place()}</translation><orientation>{place()}</orientation>"
            "</PhysicalOffsetFrame>"
        )

    for kind, count in JOINTS.items():
        body = f"/bodyset/{kind}_body"
        names = (
            ["swing", "slide"] if kind == "CustomJoint" else [f"{kind}_{i}" for i in range(count)]
        )
        coordinates = "".join(
            f'<Coordinate name="{name}"><range>-1.2 1.3</range></Coordinate>' for name in names
        )
        bodies += (
            f'<Body name="{kind}_body"><components>{frame("plate", "..")}</components>'
            "<mass>1</mass><inertia>1 1 1 0 0 0</inertia></Body>"
        )
        ends = ("upper", "lower") if kind in turned else ("lower", "upper")
        joints += (
            f'<{kind} name="{kind}"><socket_parent_frame>{ends[0]}</socket_parent_frame>'
            f"<socket_child_frame>{ends[1]}</socket_child_frame>"
            f"<coordinates>{coordinates}</coordinates>"
            f"<frames>{frame('lower', parent)}{frame('upper', body)}</frames>"
        )
        if kind == "CustomJoint":
            joints += "<SpatialTransform>"
            for axis, direction, coordinate, function, inner in AXES:
                joints += (
                    f'<TransformAxis name="{axis}"><coordinates>{coordinate}</coordinates>'
                    f"<axis>{direction}</axis>"
                    f'<{function} name="function">{inner}</{function}></TransformAxis>'
                )
            joints += "</SpatialTransform>"
        joints += f"</{kind}>"
        for name, socket in ((f"{kind}_marker", body), (f"{kind}_on_plate", f"{body}/plate")):
            markers += (
                f'<Marker name="{name}"><socket_parent_frame>{socket}</socket_parent_frame>'
                f"<location>{place()}</location></Marker>"
            )
        parent = body
    path.write_text(
        '<?xml version="1.0"?><OpenSimDocument Version="40000"><Model name="every_joint">'
        f'<BodySet name="bodyset"><objects>{bodies}</objects></BodySet>'
        f'<JointSet name="jointset"><objects>{joints}</objects></JointSet>'
        f'<MarkerSet name="markerset"><objects>{markers}</objects></MarkerSet>'
        "</Model></OpenSimDocument>"
    )
    return path
