"""Write the atlas of the keypoints, ``docs/keypoints.md`` and its figure, from tables and model.

python -m opensim_models.atlas
"""

from __future__ import annotations

from collections.abc import Iterable
from string import Template
from typing import Final

from opensim_models.build import HERE, Row, Vector, mirrored_name, mirrored_point, offset, table
from spinetrack_synth import skeleton
from spinetrack_synth.anatomy.kinematics import marker_positions
from spinetrack_synth.anatomy.model import fullbody_path, load_model
from spinetrack_synth.anatomy.spine import regional_angles

TEMPLATE: Final = HERE / "keypoints.template.md"
PAGE: Final = HERE.parent / "docs" / "keypoints.md"
FIGURE: Final = HERE.parent / "docs" / "pictures" / "keypoints.png"

Heights = dict[str, float]
"""Height of each marker above the floor in standing, mm."""


def markdown(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A table; columns that begin with ">" are set flush right."""
    columns = list(columns)
    rule = ["---:" if column.startswith(">") else "---" for column in columns]
    lines = [[column.removeprefix(">") for column in columns], rule, *rows]
    return "\n".join("| " + " | ".join(map(str, cells)) + " |" for cells in lines)


def millimetres(point_m: Vector) -> str:
    """``x y z`` in mm, without needless digits."""
    return " ".join(f"{round(value * 1e3, 2) + 0.0:g}" for value in point_m)


def definition(row: Row, name: str) -> str:
    """The definition of a left or a right point; the tables are written for the right."""
    text = row["definition"]
    return text.replace("right", "left") if name.startswith("left_") else text


def keypoints(height_mm: Heights) -> str:
    """The table of the 37 keypoints in their order."""
    rows = {row["marker"]: row for row in table("markers")}
    lines = []
    for index, keypoint in enumerate(skeleton.KEYPOINTS):
        name, twin = keypoint.name, skeleton.MIRROR[index]
        if name in rows:
            row = rows[name]
            body, offset_m = row["body"], offset(row)
        else:
            row = rows[skeleton.NAMES[twin]]
            body, offset_m = mirrored_name(row["body"]), mirrored_point(offset(row))
        lines.append(
            [
                index,
                f"`{name}`",
                row["level"],
                definition(row, name),
                row["depth"],
                f"`{body}`",
                millimetres(offset_m),
                f"{height_mm[name]:.0f}",
                f"{keypoint.sigma:g}",
                twin if twin != index else "",
            ]
        )
    columns = (
        ">id", "name", "level", "definition", "depth", "body", "offset, mm", ">height, mm",
        ">sigma", ">twin",
    )  # fmt: skip
    return markdown(columns, lines)


def spinous_processes(height_mm: Heights) -> str:
    """The table of the second set, from above."""
    rows = [
        [
            f"`{row['marker']}`",
            row["definition"],
            f"`{row['body']}`",
            millimetres(offset(row)),
            f"{height_mm[row['marker']]:.0f}",
        ]
        for row in reversed(table("spinous_processes"))
    ]
    return markdown(("marker", "definition", "body", "offset, mm", ">height, mm"), rows)


def spine() -> str:
    """Neutral geometry and mobility of every level, from above."""
    sacrum, *levels = table("spine")
    rows: list[list[object]] = [
        [
            "`sacrum`",
            sacrum["length_mm"],
            sacrum["lean_deg"],
            "",
            "welded to the pelvis",
            "",
            "",
            "",
        ]
    ]
    for level, moves in zip(levels, table("range_of_motion"), strict=True):
        rows.append(
            [
                f"`{level['body']}`",
                level["length_mm"],
                level["lean_deg"],
                level["disc_below_mm"],
                moves["joint"].replace("_", "/"),
                moves["flexion_extension_deg"],
                moves["lateral_bending_deg"],
                moves["axial_rotation_deg"],
            ]
        )
    columns = (
        "body", ">length, mm", ">lean, deg", ">disc below, mm", "joint below",
        ">flexion + extension, deg", ">bending, deg", ">rotation, deg",
    )  # fmt: skip
    return markdown(columns, reversed(rows))


def along_the_back(height_mm: Heights) -> dict[str, float]:
    """Height of every spinous process between C7 (0%) and S2 (100%), in percent downwards."""
    top, bottom = height_mm["C7_spinous"], height_mm["S2_spinous"]
    return {
        name.removesuffix("_spinous"): (top - height) / (top - bottom) * 100
        for name, height in height_mm.items()
        if name.endswith("_spinous")
    }


def page() -> str:
    """The text of ``docs/keypoints.md``."""
    tree = load_model(fullbody_path())
    standing = marker_positions(tree, tree.default_coordinates)
    height_mm = dict(zip(tree.marker_names, standing[:, 1] * 1e3))
    percent = along_the_back(height_mm)
    angles = regional_angles(tree, tree.default_coordinates)
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        stature_mm=f"{height_mm['head']:.0f}",
        mass_kg=f"{tree.mass_kg.sum():.0f}",
        keypoints=keypoints(height_mm),
        nine_points=", ".join(f"`{skeleton.NAMES[index]}`" for index in skeleton.SPINE),
        spinous_processes=spinous_processes(height_mm),
        along_the_back=", ".join(
            f"{level} {percent[level]:.0f}%" for level in ("T4", "T7", "T10", "L1", "L4")
        ),
        spine=spine(),
        lordosis=f"{angles.lumbar_lordosis_deg:.0f}",
        kyphosis=f"{angles.thoracic_kyphosis_deg:.0f}",
        cervical=f"{angles.cervical_lordosis_deg:.0f}",
    )


def main() -> None:
    from opensim_models.atlas_figure import draw

    PAGE.write_text(page(), encoding="utf-8")
    FIGURE.parent.mkdir(exist_ok=True)
    draw(FIGURE)


if __name__ == "__main__":
    main()
