"""Build the full-body models from the tables beside this file.

    python -m opensim_models.build

writes ``spinetrack_fullbody.osim`` (regional masters drive the vertebrae through couplers) and
``spinetrack_fullbody_free.osim`` (every level moves by itself). The tables give millimetres and
degrees, the model metres and radians. Rows of the right side (``_r``, ``right_``) are mirrored to
the left. The same tables give the same bytes. The places of the keypoints in the standing model go
into ``spinetrack_synth/standing_keypoints.py``, for whoever measures without loading a model.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

HERE: Final = Path(__file__).resolve().parent
TABLES: Final = HERE / "tables"

DOCUMENT_VERSION: Final = "40600"
"""Version of the .osim format written here: that of OpenSim 4.6."""

MOTIONS: Final = {
    "extension": ("FE", "flexion_extension_deg", (0, 0, 1)),
    "bending": ("LB", "lateral_bending_deg", (1, 0, 0)),
    "rotation": ("AR", "axial_rotation_deg", (0, 1, 0)),
}
"""Spinal motions in the rotation order Z, X, Y: suffix of a level's coordinate, its column in
``range_of_motion.csv``, axis."""

Row = dict[str, str]
Vector = tuple[float, float, float]


def table(name: str) -> list[Row]:
    """The rows of ``tables/<name>.csv``."""
    with (TABLES / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@dataclass(frozen=True)
class Coordinate:
    """A coordinate of a joint: its axis, range and default in rad or m.

    ``share`` is the slope of the joint's motion against the coordinate.
    """

    name: str
    motion: str
    axis: Vector
    lower: float
    upper: float
    default: float = 0.0
    share: float = 1.0
    clamped: bool = True
    driven: bool = False


@dataclass(frozen=True)
class Joint:
    """A joint at ``offset_m`` in its parent, its frame turned there by ``tilt_rad`` about Z."""

    name: str
    parent: str
    child: str
    offset_m: Vector
    tilt_rad: float = 0.0
    coordinates: tuple[Coordinate, ...] = ()


@dataclass(frozen=True)
class Coupler:
    """``driven = share * master``."""

    driven: str
    master: str
    share: float


def mirrored_name(name: str) -> str:
    """The left twin's name of something on the right, else the name itself."""
    if name.startswith("right_"):
        return "left_" + name.removeprefix("right_")
    return name.removesuffix("_r") + "_l" if name.endswith("_r") else name


def mirrored_point(point: Vector) -> Vector:
    """A point seen in the mirror of the sagittal plane."""
    return (point[0], point[1], -point[2])


def mirrored_axis(axis: Vector) -> Vector:
    """A rotation axis seen in that mirror: an axial vector."""
    return (-axis[0], -axis[1], axis[2])


def vector(row: Row, columns: Iterable[str], scale: float = 1.0) -> Vector:
    """Three columns of a row as numbers, each times ``scale``."""
    x, y, z = (float(row[column]) * scale for column in columns)
    return (x, y, z)


def offset(row: Row) -> Vector:
    """The columns x_mm, y_mm, z_mm in metres."""
    return vector(row, ("x_mm", "y_mm", "z_mm"), 1e-3)


# -- joints -------------------------------------------------------------------------------------


def limb_coordinates(joint: str) -> tuple[Coordinate, ...]:
    """The coordinates of a joint of ``joints.csv``, in the order of their rows."""
    coordinates = []
    for row in table("coordinates"):
        if row["joint"] != joint:
            continue
        unit = math.radians(1.0) if row["unit"] == "deg" else 1.0
        coordinates.append(
            Coordinate(
                name=row["coordinate"],
                motion=row["motion"],
                axis=vector(row, ("axis_x", "axis_y", "axis_z")),
                lower=float(row["lower"]) * unit,
                upper=float(row["upper"]) * unit,
                default=float(row["default"]) * unit,
                clamped=joint != "ground_pelvis",
            )
        )
    return tuple(coordinates)


def limb_joints() -> list[Joint]:
    """The joints of ``joints.csv``, the left ones mirrored from the right."""
    tilt = {row["body"]: -math.radians(float(row["lean_deg"])) for row in table("spine")}
    right = [
        Joint(
            name=row["joint"],
            parent=row["parent"],
            child=row["child"],
            offset_m=offset(row),
            # The sacrum is tilted; so is a vertebra that carries a limb, which must hang upright.
            tilt_rad=tilt.get(row["child"], 0.0) - tilt.get(row["parent"], 0.0),
            coordinates=limb_coordinates(row["joint"]),
        )
        for row in table("joints")
    ]
    left = [
        Joint(
            name=mirrored_name(joint.name),
            parent=mirrored_name(joint.parent),
            child=mirrored_name(joint.child),
            offset_m=mirrored_point(joint.offset_m),
            tilt_rad=joint.tilt_rad,
            coordinates=tuple(
                Coordinate(
                    name=mirrored_name(coordinate.name),
                    motion=coordinate.motion,
                    axis=mirrored_axis(coordinate.axis),
                    lower=coordinate.lower,
                    upper=coordinate.upper,
                    default=coordinate.default,
                )
                for coordinate in joint.coordinates
            ),
        )
        for joint in right
        if mirrored_name(joint.name) != joint.name
    ]
    return right + left


def spine_joints(coupled: bool) -> tuple[list[Joint], list[Coupler]]:
    """The 24 intervertebral joints and the atlanto-occipital one, and the couplers between them."""
    geometry = {row["body"]: row for row in table("spine")}
    levels = [row for row in table("spine") if row["body"] != "sacrum"]
    mobility = table("range_of_motion")
    limits = {(row["region"], row["motion"]): row for row in table("regions")}
    totals = {
        (region, motion): sum(float(row[column]) for row in mobility if row["region"] == region)
        for region, motion in limits
        for column in [MOTIONS[motion][1]]
    }
    joints: list[Joint] = []
    couplers: list[Coupler] = []
    begun: set[str] = set()
    for level, moves in zip(levels, mobility, strict=True):
        region = moves["region"]
        coordinates = []
        for motion, (suffix, column, axis) in MOTIONS.items():
            share = float(moves[column]) / totals[region, motion]
            limit = limits[region, motion]
            lower, upper = (math.radians(float(limit[end])) for end in ("lower_deg", "upper_deg"))
            own, master = f"{moves['joint']}_{suffix}", f"{region}_{motion}"
            if coupled and region not in begun:
                coordinate = Coordinate(master, "rotation", axis, lower, upper, share=share)
            else:
                coordinate = Coordinate(
                    own, "rotation", axis, share * lower, share * upper, driven=coupled
                )
                if coupled:
                    couplers.append(Coupler(own, master, share))
            coordinates.append(coordinate)
        begun.add(region)
        below = geometry[level["parent"]]
        joints.append(
            Joint(
                name=moves["joint"],
                parent=level["parent"],
                child=level["body"],
                offset_m=(0.0, float(below["length_mm"]) * 1e-3, 0.0),
                tilt_rad=math.radians(float(below["lean_deg"]) - float(level["lean_deg"])),
                coordinates=tuple(coordinates),
            )
        )
    return joints, couplers


def joints_and_couplers(coupled: bool) -> tuple[list[Joint], list[Coupler]]:
    """All joints, parents before children: pelvis, sacrum, spine, limbs."""
    limbs = limb_joints()
    spine, couplers = spine_joints(coupled)
    trunk = [joint for joint in limbs if joint.child in ("pelvis", "sacrum")]
    return trunk + spine + [joint for joint in limbs if joint not in trunk], couplers


# -- endplates ----------------------------------------------------------------------------------


def endplates() -> dict[str, list[tuple[str, float, float]]]:
    """Endplate frames of each body: name, height in the body (m), tilt about Z (rad).

    The endplates lie half a disc away from the joint centres. Of the neutral angle between two
    neighbouring vertebrae the disc takes one half, the wedge of each body a quarter. The S1
    endplate is square to the sacrum's axis by definition of its lean; C1 and the skull have none.
    """
    rows = table("spine")
    frames: dict[str, list[tuple[str, float, float]]] = {"sacrum": []}
    for below, level in zip(rows, rows[1:]):
        if level["body"] in ("C1", "skull"):
            break
        half_disc = float(level["disc_below_mm"]) * 0.5e-3
        length = float(below["length_mm"]) * 1e-3
        wedge = math.radians(float(below["lean_deg"]) - float(level["lean_deg"])) / 4
        tilt = 0.0 if below["body"] == "sacrum" else wedge
        frames[below["body"]].append(("superior_endplate", length - half_disc, tilt))
        frames[level["body"]] = [("inferior_endplate", half_disc, -wedge)]
    return frames


# -- XML ----------------------------------------------------------------------------------------


def number(value: float) -> str:
    """A number as the file writes it: twelve digits, no negative zero."""
    return format(round(value, 15) + 0.0, ".12g")


def numbers(values: Iterable[float]) -> str:
    return " ".join(number(value) for value in values)


def element(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, tag, attributes)
    child.text = text
    return child


def add_frame(
    parent: ET.Element, name: str, base: str, translation_m: Iterable[float], tilt_rad: float
) -> None:
    frame = element(parent, "PhysicalOffsetFrame", name=name)
    element(frame, "socket_parent", base)
    element(frame, "translation", numbers(translation_m))
    element(frame, "orientation", numbers((0.0, 0.0, tilt_rad)))


def body_path(body: str) -> str:
    return "/ground" if body == "ground" else f"/bodyset/{body}"


def add_body(bodies: ET.Element, name: str, row: Row, mirror: bool) -> None:
    body = element(bodies, "Body", name=name)
    frames = endplates().get(name, [])
    if frames:
        components = element(body, "components")
        for frame, height, tilt in frames:
            add_frame(components, frame, "..", (0.0, height, 0.0), tilt)
    center = vector(row, ("center_x_mm", "center_y_mm", "center_z_mm"), 1e-3)
    element(body, "mass", number(float(row["mass_kg"])))
    element(body, "mass_center", numbers(mirrored_point(center) if mirror else center))
    inertia = vector(row, ("ixx_kgm2", "iyy_kgm2", "izz_kgm2"))
    element(body, "inertia", numbers((*inertia, 0.0, 0.0, 0.0)))


def add_axis(
    transform: ET.Element, name: str, axis: Iterable[float], coordinate: Coordinate | None
) -> None:
    node = element(transform, "TransformAxis", name=name)
    element(node, "coordinates", coordinate.name if coordinate else "")
    element(node, "axis", numbers(axis))
    if coordinate:
        function = element(node, "LinearFunction", name="function")
        element(function, "coefficients", numbers((coordinate.share, 0.0)))
    else:
        function = element(node, "Constant", name="function")
        element(function, "value", "0")


def independent_axes(used: list[Vector]) -> list[Vector]:
    """Rotation axes filled up to three so that no two are collinear, as OpenSim demands."""
    axes = list(used)
    for candidate in ((0, 0, 1), (1, 0, 0), (0, 1, 0)):
        if len(axes) < 3 and all(
            abs(sum(a * b for a, b in zip(candidate, axis))) < 0.99 for axis in axes
        ):
            axes.append(candidate)
    return axes


def add_joint(joints: ET.Element, joint: Joint) -> None:
    kind = "CustomJoint" if joint.coordinates else "WeldJoint"
    node = element(joints, kind, name=joint.name)
    element(node, "socket_parent_frame", f"{joint.parent}_offset")
    element(node, "socket_child_frame", f"{joint.child}_offset")
    if joint.coordinates:
        coordinates = element(node, "coordinates")
        for coordinate in joint.coordinates:
            item = element(coordinates, "Coordinate", name=coordinate.name)
            element(item, "default_value", number(coordinate.default))
            element(item, "range", numbers((coordinate.lower, coordinate.upper)))
            element(item, "clamped", str(coordinate.clamped).lower())
            element(item, "is_free_to_satisfy_constraints", str(coordinate.driven).lower())
    frames = element(node, "frames")
    add_frame(
        frames, f"{joint.parent}_offset", body_path(joint.parent), joint.offset_m, joint.tilt_rad
    )
    add_frame(frames, f"{joint.child}_offset", body_path(joint.child), (0.0, 0.0, 0.0), 0.0)
    if not joint.coordinates:
        return
    transform = element(node, "SpatialTransform")
    rotations = [c for c in joint.coordinates if c.motion == "rotation"]
    for index, axis in enumerate(independent_axes([c.axis for c in rotations])):
        rotation = rotations[index] if index < len(rotations) else None
        add_axis(transform, f"rotation{index + 1}", axis, rotation)
    translations = {c.axis: c for c in joint.coordinates if c.motion == "translation"}
    for index, axis in enumerate(((1, 0, 0), (0, 1, 0), (0, 0, 1))):
        add_axis(transform, f"translation{index + 1}", axis, translations.get(axis))


def add_coupler(constraints: ET.Element, coupler: Coupler) -> None:
    node = element(constraints, "CoordinateCouplerConstraint", name=f"{coupler.driven}_coupler")
    function = element(element(node, "coupled_coordinates_function"), "LinearFunction")
    element(function, "coefficients", numbers((coupler.share, 0.0)))
    element(node, "independent_coordinate_names", coupler.master)
    element(node, "dependent_coordinate_name", coupler.driven)


def add_marker(markers: ET.Element, name: str, body: str, location_m: Vector) -> None:
    node = element(markers, "Marker", name=name)
    element(node, "socket_parent_frame", body_path(body))
    element(node, "location", numbers(location_m))
    element(node, "fixed", "true")


def build(coupled: bool) -> bytes:
    """The .osim file: with couplers and regional masters, or with every level free."""
    document = ET.Element("OpenSimDocument", Version=DOCUMENT_VERSION)
    name = "spinetrack_fullbody" if coupled else "spinetrack_fullbody_free"
    model = element(document, "Model", name=name)
    element(element(model, "Ground", name="ground"), "components")
    element(model, "gravity", "0 -9.80665 0")
    element(model, "credits", "spinetrack-synth, built from opensim_models/tables")
    element(model, "publications", "sources stand beside every row of the tables")
    element(model, "length_units", "meters")
    element(model, "force_units", "N")

    joints, couplers = joints_and_couplers(coupled)
    rows = {row["body"]: row for row in table("bodies")}
    bodies = element(element(model, "BodySet", name="bodyset"), "objects")
    for joint in joints:
        mirror = joint.child not in rows
        row = rows[joint.child.removesuffix("_l") + "_r"] if mirror else rows[joint.child]
        add_body(bodies, joint.child, row, mirror)
    joint_set = element(element(model, "JointSet", name="jointset"), "objects")
    for joint in joints:
        add_joint(joint_set, joint)
    if couplers:
        constraints = element(element(model, "ConstraintSet", name="constraintset"), "objects")
        for coupler in couplers:
            add_coupler(constraints, coupler)
    markers = element(element(model, "MarkerSet", name="markerset"), "objects")
    for row in table("markers") + table("spinous_processes"):
        twin = mirrored_name(row["marker"])
        if twin != row["marker"]:
            add_marker(markers, twin, mirrored_name(row["body"]), mirrored_point(offset(row)))
        add_marker(markers, row["marker"], row["body"], offset(row))
    ET.indent(document, "\t")
    return ET.tostring(document, encoding="UTF-8", xml_declaration=True) + b"\n"


FILES: Final = {"spinetrack_fullbody.osim": True, "spinetrack_fullbody_free.osim": False}
"""Files built here, and whether the spine is coupled in them."""


# -- standing keypoints -------------------------------------------------------------------------


STANDING: Final = HERE.parent / "spinetrack_synth" / "standing_keypoints.py"


def standing_keypoints() -> dict[str, Vector]:
    """Place of each keypoint in the world, m, all coordinates at their defaults.

    Only the root moves by default, and all tilts turn about Z, so that they add up.
    """
    frames: dict[str, tuple[Vector, float]] = {"ground": ((0.0, 0.0, 0.0), 0.0)}

    def place(body: str, point: Vector) -> Vector:
        (x, y, z), tilt = frames[body]
        cos, sin = math.cos(tilt), math.sin(tilt)
        forward, up = cos * point[0] - sin * point[1], sin * point[0] + cos * point[1]
        return (x + forward, y + up, z + point[2])

    for joint in joints_and_couplers(coupled=True)[0]:
        x, y, z = joint.offset_m
        for coordinate in joint.coordinates:
            if coordinate.default and coordinate.motion != "translation":
                raise ValueError(f"{coordinate.name}: a rotation that is not zero by default")
            x, y, z = (a + coordinate.default * b for a, b in zip((x, y, z), coordinate.axis))
        tilt = frames[joint.parent][1] + joint.tilt_rad
        frames[joint.child] = (place(joint.parent, (x, y, z)), tilt)
    places: dict[str, Vector] = {}
    for row in table("markers"):
        twin = mirrored_name(row["marker"])
        if twin != row["marker"]:
            places[twin] = place(mirrored_name(row["body"]), mirrored_point(offset(row)))
        places[row["marker"]] = place(row["body"], offset(row))
    return places


def standing_module() -> str:
    """The text of ``standing_keypoints.py``, to the micrometre."""
    lines = [
        '"""Keypoints of the standing, unscaled model; written by python -m opensim_models.build.',
        "",
        "The model's default pose: upright, arms hanging, soles on the floor.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "from typing import Final",
        "",
        "STANDING_M: Final[dict[str, tuple[float, float, float]]] = {",
    ]
    for name, point in standing_keypoints().items():
        x, y, z = (round(value, 6) + 0.0 for value in point)
        lines.append(f'    "{name}": ({x}, {y}, {z}),')
    lines += ["}", '"""Place of each keypoint in the world (x forward, y up, z right), m."""', ""]
    return "\n".join(lines)


def main() -> None:
    for name, coupled in FILES.items():
        (HERE / name).write_bytes(build(coupled))
    STANDING.write_text(standing_module(), encoding="utf-8")


if __name__ == "__main__":
    main()
