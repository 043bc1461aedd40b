"""Small .osim files for tests, and OpenSim's own answers about them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spinetrack_synth.anatomy.kinematics import body_transforms, points_world
from spinetrack_synth.anatomy.model import Tree

TOLERANCE_M = 1e-9


def body(name: str, components: str = "") -> str:
    return (
        f'<Body name="{name}"><components>{components}</components><mass>1</mass>'
        "<inertia>1 1 1 0 0 0</inertia></Body>"
    )


def offset_frame(name: str, parent: str, place: str, turn: str) -> str:
    return (
        f'<PhysicalOffsetFrame name="{name}"><socket_parent>{parent}</socket_parent>'
        f"<translation>{place}</translation><orientation>{turn}</orientation></PhysicalOffsetFrame>"
    )


def joint(
    kind: str,
    name: str,
    parent: str,
    child: str,
    coordinates: int | Sequence[str],
    properties: str = "",
    *,
    frames: bool = False,
    limits: str = "<range>-2 2</range>",
) -> str:
    """A joint; with ``frames`` between turned frames of its bodies, else between the bodies."""
    if isinstance(coordinates, int):
        coordinates = [f"{name}_{i}" for i in range(coordinates)]
    listed = "".join(f'<Coordinate name="{c}">{limits}</Coordinate>' for c in coordinates)
    between = ""
    if frames:
        between = (
            f"<frames>{offset_frame('lower', parent, '0.1 -0.2 0.05', '0.3 -0.5 0.2')}"
            f"{offset_frame('upper', child, '-0.04 0.1 0.07', '-0.2 0.4 0.6')}</frames>"
        )
        parent, child = "lower", "upper"
    return (
        f'<{kind} name="{name}"><socket_parent_frame>{parent}</socket_parent_frame>'
        f"<socket_child_frame>{child}</socket_child_frame>"
        f"<coordinates>{listed}</coordinates>{between}{properties}</{kind}>"
    )


def model(
    path: Path,
    bodies: str,
    joints: str,
    constraints: str = "",
    markers: Sequence[str] = (),
    more: str = "",
) -> Path:
    """Write a model; each body in ``markers`` carries three."""
    rng = np.random.default_rng(5)
    marked = "".join(
        f'<Marker name="{name}_{k}"><socket_parent_frame>/bodyset/{name}</socket_parent_frame>'
        f"<location>{' '.join(f'{x:.3f}' for x in rng.uniform(-0.2, 0.2, 3))}</location></Marker>"
        for name in markers
        for k in range(3)
    )
    path.write_text(
        f'<?xml version="1.0"?><OpenSimDocument Version="40500"><Model name="{path.stem}">'
        f'<BodySet name="bodyset"><objects>{bodies}</objects></BodySet>'
        f'<JointSet name="jointset"><objects>{joints}</objects></JointSet>'
        f'<ConstraintSet name="constraintset"><objects>{constraints}</objects></ConstraintSet>'
        f'<MarkerSet name="markerset"><objects>{marked}</objects></MarkerSet>{more}'
        "</Model></OpenSimDocument>"
    )
    return path


def vector(v: Any) -> np.ndarray:
    return np.array([v.get(i) for i in range(3)])


def scale_factors(bodies: Sequence[str], factors: np.ndarray) -> Any:
    import opensim

    scales = opensim.ScaleSet()
    for name, factor in zip(bodies, factors):
        scale = opensim.Scale()
        scale.setSegmentName(name)
        scale.setScaleFactors(opensim.Vec3(*factor))
        scale.setApply(True)
        scales.cloneAndAppend(scale)
    return scales


class Reference:
    """An OpenSim model with a state to pose it in; skips the test where OpenSim is absent."""

    def __init__(self, path: Path) -> None:
        import pytest

        opensim = pytest.importorskip("opensim", reason="needs the extra [opensim]")
        opensim.Logger.setLevelString("Off")
        opensim.Logger.removeFileSink()
        self.model = opensim.Model(str(path))
        self.state = self.model.initSystem()

    @property
    def coordinates(self) -> list[str]:
        coordinates = self.model.getCoordinateSet()
        return [coordinates.get(i).getName() for i in range(coordinates.getSize())]

    def pose(self, q: np.ndarray) -> None:
        """Set every coordinate as it stands, without projecting onto constraints."""
        coordinates = self.model.getCoordinateSet()
        for index, value in enumerate(q):
            if not coordinates.get(index).getLocked(self.state):
                coordinates.get(index).setValue(self.state, float(value), False)
        self.model.realizePosition(self.state)

    def assembled(self, q: np.ndarray) -> np.ndarray:
        """The coordinates (n,) to which OpenSim assembles the model from q (n,)."""
        import opensim

        self.pose(q)
        wanted = opensim.SimTKArrayCoordinateReference()
        for name, value in zip(self.coordinates, q):
            wanted.push_back(opensim.CoordinateReference(name, opensim.Constant(float(value))))
        # The model's own assemble() overlooks loops that joints close.
        solver = opensim.AssemblySolver(self.model, wanted)
        solver.setAccuracy(1e-9)
        solver.assemble(self.state)
        coordinates = self.model.getCoordinateSet()
        return np.array([coordinates.get(i).getValue(self.state) for i in range(len(q))])

    def scale(self, scales: Any) -> None:
        """Scale the model in place."""
        assert self.model.scale(self.state, scales, False, -1.0)
        self.state = self.model.initSystem()

    def markers(self) -> np.ndarray:
        markers = self.model.getMarkerSet()
        return np.array(
            [
                vector(markers.get(i).getLocationInGround(self.state))
                for i in range(markers.getSize())
            ]
        )

    def bodies(self, names: Sequence[str]) -> np.ndarray:
        transforms = np.tile(np.eye(4), (len(names), 1, 1))
        for index, name in enumerate(names):
            transform = self.model.getBodySet().get(name).getTransformInGround(self.state)
            rotation = transform.R().asMat33()
            transforms[index, :3, :3] = [[rotation.get(i, j) for j in range(3)] for i in range(3)]
            transforms[index, :3, 3] = vector(transform.p())
        return transforms

    @property
    def motion_types(self) -> list[str]:
        """What OpenSim calls its coordinates."""
        types = ("Undefined", "Rotational", "Translational", "Coupled")
        coordinates = self.model.getCoordinateSet()
        return [types[coordinates.get(i).getMotionType()] for i in range(coordinates.getSize())]

    def assert_puts_alike(self, tree: Tree, q: np.ndarray, markers: Any = slice(None)) -> None:
        """That bodies and ``markers`` are where ours are at q (n,), to a nanometre."""
        self.pose(q)
        ours = body_transforms(tree, q)
        np.testing.assert_allclose(ours, self.bodies(tree.bodies), rtol=0, atol=TOLERANCE_M)
        placed = points_world(ours, tree.marker_body, tree.marker_offset_m)
        np.testing.assert_allclose(
            placed[markers], self.markers()[markers], rtol=0, atol=TOLERANCE_M
        )
