"""Draw the keypoints on the body: front view, side view, and the spine enlarged.

Everything inside the skin is placed by the model; the skin itself is a sketch of an adult around
the standing model, drawn for orientation only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator, splev, splprep

from opensim_models.build import table
from spinetrack_synth import skeleton
from spinetrack_synth.anatomy.kinematics import body_transforms, coordinates_from, points_world
from spinetrack_synth.anatomy.model import Tree, fullbody_path, load_model

Array = NDArray[np.float64]

UP: Final = np.array([0.0, 1.0])
SKIN, SKIN_EDGE, INK = "#f3ebe2", "#d9cabb", "#33363b"
REGION_COLOR: Final = {"C": "#e3b778", "T": "#93bf9c", "L": "#86aecf", "s": "#b8a5cb"}
"""Fill of the vertebrae by the first letter of their name; s is the sacrum."""
GROUP_COLOR: Final[dict[str, str]] = {
    "body": "#2b5c8a",
    "axis": "#2b5c8a",
    "spine": "#d1402f",
    "feet": "#1f8a7a",
    "shoulder girdle": "#7d4fa0",
}

# Outline of the skin in side view, m in the world of the standing model: x forward, y up.
SIDE_OUTLINE: Final = np.array(
    [
        (-0.060, 1.756), (-0.010, 1.748), (0.030, 1.715), (0.044, 1.672), (0.043, 1.647),
        (0.064, 1.611), (0.047, 1.594), (0.050, 1.572), (0.046, 1.552), (0.040, 1.532),
        (0.005, 1.520), (-0.012, 1.495), (-0.016, 1.455), (-0.008, 1.430), (0.030, 1.385),
        (0.058, 1.320), (0.062, 1.260), (0.050, 1.190), (0.050, 1.110), (0.058, 1.030),
        (0.048, 0.960), (0.030, 0.900), (0.034, 0.800), (0.022, 0.660), (0.006, 0.540),
        (0.008, 0.490), (-0.004, 0.420), (-0.012, 0.300), (-0.020, 0.180), (-0.014, 0.100),
        (0.030, 0.068), (0.110, 0.036), (0.155, 0.020), (0.154, 0.003), (0.050, 0.000),
        (-0.080, 0.000), (-0.106, 0.012), (-0.104, 0.040), (-0.092, 0.090), (-0.094, 0.180),
        (-0.118, 0.290), (-0.132, 0.370), (-0.120, 0.440), (-0.112, 0.500), (-0.120, 0.580),
        (-0.142, 0.720), (-0.160, 0.820), (-0.190, 0.880), (-0.198, 0.940), (-0.182, 1.000),
        (-0.160, 1.045), (-0.152, 1.100), (-0.158, 1.160), (-0.176, 1.230), (-0.194, 1.310),
        (-0.196, 1.360), (-0.186, 1.430), (-0.166, 1.480), (-0.142, 1.520), (-0.126, 1.560),
        (-0.132, 1.600), (-0.148, 1.650), (-0.144, 1.700), (-0.112, 1.742),
    ]
)  # fmt: skip
# Half width of head and trunk in front view, m, by height; the legs and arms are drawn apart.
TRUNK_HALF_WIDTH: Final = np.array(
    [
        (0.820, 0.172), (0.900, 0.178), (0.960, 0.172), (1.040, 0.148), (1.110, 0.134),
        (1.180, 0.138), (1.260, 0.152), (1.330, 0.164), (1.370, 0.176), (1.420, 0.190),
        (1.445, 0.168), (1.462, 0.120), (1.480, 0.078), (1.510, 0.060), (1.540, 0.057),
        (1.565, 0.062), (1.600, 0.072), (1.650, 0.077), (1.690, 0.075), (1.725, 0.058),
        (1.745, 0.034), (1.754, 0.0),
    ]
)  # fmt: skip
# Limb radii in front view, m, by the fraction of the way from the upper to the lower joint.
LIMB_RADII: Final[dict[tuple[str, str], tuple[float, ...]]] = {
    ("hip", "knee"): (0.090, 0.088, 0.078, 0.066, 0.056),
    ("knee", "ankle"): (0.055, 0.058, 0.057, 0.044, 0.035),
    ("shoulder", "elbow"): (0.052, 0.052, 0.048, 0.043, 0.039),
    ("elbow", "wrist"): (0.039, 0.042, 0.037, 0.030, 0.026),
}


@dataclass(frozen=True)
class Standing:
    """The model standing with its arms a little away from the body; world positions in m."""

    markers: Mapping[str, Array]
    body2world: Mapping[str, Array]
    endplates: Mapping[str, Array]
    fingertips: tuple[Array, Array]


def standing() -> Standing:
    tree: Tree = load_model(fullbody_path())
    away = {f"arm_add_{side}": np.radians(-9) for side in "rl"}
    transforms = body_transforms(tree, coordinates_from(tree, away))
    markers = points_world(transforms, tree.marker_body, tree.marker_offset_m)
    frames = transforms[tree.frame_body] @ tree.frame_in_body
    body2world = dict(zip(tree.bodies, transforms))
    tips = [body2world[f"hand_{side}"] @ [0.0, -0.185, 0.0, 1.0] for side in "rl"]
    return Standing(
        markers=dict(zip(tree.marker_names, markers)),
        body2world=body2world,
        endplates=dict(zip(tree.frame_names, frames)),
        fingertips=(tips[0][:3], tips[1][:3]),
    )


def front(points: Array) -> Array:
    """Front view: the subject faces the reader, so its right is on the left."""
    points = np.asarray(points)
    return np.stack([-points[..., 2], points[..., 1]], axis=-1)


def side(points: Array) -> Array:
    """Side view: the subject looks to the right."""
    return np.asarray(points)[..., :2]


# -- skin ---------------------------------------------------------------------------------------


def fill_skin(ax: Axes, outline: Array) -> None:
    """Filled twice by its callers' order: edges of all parts lie under the fill of all parts."""
    ax.add_patch(Polygon(outline, closed=True, fc="none", ec=SKIN_EDGE, lw=2.4, zorder=1))
    ax.add_patch(Polygon(outline, closed=True, fc=SKIN, ec="none", zorder=2))


def smooth(outline: Array) -> Array:
    """A closed smooth curve through the points."""
    spline, _ = splprep(np.vstack([outline, outline[:1]]).T, s=0, per=True)
    return np.stack(splev(np.linspace(0, 1, 600), spline), axis=1)


def limb(start: Array, end: Array, radii: Iterable[float]) -> Array:
    """Outline of a limb between two joints with round ends."""
    along = end - start
    length = float(np.hypot(*along))
    along /= length
    across = np.array([-along[1], along[0]])
    radii = np.array(list(radii))
    t = np.linspace(0, 1, 40)
    radius = PchipInterpolator(np.linspace(0, 1, len(radii)), radii)(t)
    edge = start + t[:, None] * length * along
    turn = np.linspace(0, np.pi, 20)[:, None]
    cap_end = end + radii[-1] * (np.cos(turn) * across + np.sin(turn) * along)
    cap_start = start - radii[0] * (np.cos(turn) * across + np.sin(turn) * along)
    left, right = edge + radius[:, None] * across, edge - radius[:, None] * across
    return np.vstack([left, cap_end, right[::-1], cap_start])


def draw_front_skin(ax: Axes, body: Standing) -> None:
    heights = np.linspace(TRUNK_HALF_WIDTH[0, 0], TRUNK_HALF_WIDTH[-1, 0], 300)
    widths = PchipInterpolator(*TRUNK_HALF_WIDTH.T)(heights)
    right = np.stack([widths, heights], axis=1)
    fill_skin(ax, np.vstack([right, right[::-1] * [-1, 1]]))
    for name, tip in zip(("right", "left"), body.fingertips):
        for (upper, lower), radii in LIMB_RADII.items():
            start, end = (front(body.markers[f"{name}_{joint}"]) for joint in (upper, lower))
            fill_skin(ax, limb(start, end, radii))
        wrist = front(body.markers[f"{name}_wrist"])
        fill_skin(ax, limb(wrist, front(tip), (0.026, 0.040, 0.043, 0.034, 0.014)))
        ankle = front(body.markers[f"{name}_ankle"])
        toes = front((body.markers[f"{name}_big_toe"] + body.markers[f"{name}_small_toe"]) / 2)
        fill_skin(ax, limb(ankle, toes + UP * 0.008, (0.036, 0.040, 0.046, 0.046, 0.022)))
        ear = front(body.markers[f"{name}_ear"])
        fill_skin(ax, limb(ear + UP * 0.018, ear - UP * 0.018, (0.012, 0.013, 0.009)))


def draw_side_skin(ax: Axes, body: Standing) -> None:
    fill_skin(ax, smooth(SIDE_OUTLINE))


# -- bones --------------------------------------------------------------------------------------


def vertebra_outline(body: Standing, row: Mapping[str, str], across: str) -> Array:
    """Corners of a vertebral body between its endplates; across is x (side) or z (front)."""
    half = float(row["body_depth_mm" if across == "x" else "body_width_mm"]) * 0.5e-3
    direction = np.array([half, 0, 0, 0]) if across == "x" else np.array([0, 0, half, 0])
    corners = []
    for plate, signs in (("inferior", (-1, 1)), ("superior", (1, -1))):
        frame = body.endplates[f"{row['body']}/{plate}_endplate"]
        corners += [(frame @ (np.array([0, 0, 0, 1.0]) + sign * direction))[:3] for sign in signs]
    return np.array(corners)


def dens_and_atlas(body: Standing, name: str, across: str) -> Array:
    """C2 with its dens (it has no superior endplate), C1 as the height of its ring."""
    frame = body.body2world[name]
    half, top, bottom = (0.0075, 0.024, 0.003) if name == "C2" else (0.006, 0.0125, 0.0035)
    if across == "z":
        half = 0.0095 if name == "C2" else 0.036
    corners = [(-half, bottom), (half, bottom), (half, top), (-half, top)]
    local = [[u if across == "x" else 0, v, u if across == "z" else 0, 1] for u, v in corners]
    return np.array([(frame @ np.array(corner))[:3] for corner in local])


def sacrum_outline(body: Standing, across: str) -> Array:
    """The sacrum, tapering from the S1 endplate to the coccyx."""
    frame = body.body2world["sacrum"]
    if across == "x":
        local = [(-16, 32), (16, 32), (11, 8), (-3, -22), (-28, -52), (-40, -60), (-41, -52),
                 (-25, -16), (-20, 8)]  # fmt: skip
        points = [(x, y, 0) for x, y in local]
    else:
        local = [(-25, 32), (25, 32), (50, 26), (46, 2), (22, -28), (8, -52), (0, -60)]
        points = [(0, y, z) for z, y in local] + [(0, y, -z) for z, y in local[-2:2:-1]]
        points += [(0, 2, -46), (0, 26, -50)]
    return np.array([(frame @ np.array([*(c * 1e-3 for c in p), 1.0]))[:3] for p in points])


def draw_spine(ax: Axes, body: Standing, view: str, *, processes: bool) -> None:
    project, across = (side, "x") if view == "side" else (front, "z")
    outlines = {"sacrum": sacrum_outline(body, across)}
    for row in table("spine")[1:-1]:
        name = row["body"]
        if f"{name}/superior_endplate" in body.endplates:
            outlines[name] = vertebra_outline(body, row, across)
        else:
            outlines[name] = dens_and_atlas(body, name, across)
    for name, corners in outlines.items():
        color = REGION_COLOR[name[0]]
        if processes and name != "sacrum":
            root = project(corners)[[0, 3]].mean(axis=0)
            tip = project(body.markers[f"{name}_spinous"])
            process = [root - UP * 0.004, root + UP * 0.004, tip + UP * 0.0025, tip - UP * 0.0025]
            ax.add_patch(Polygon(process, fc=color, ec="white", lw=0.6, alpha=0.5, zorder=4))
        ax.add_patch(
            Polygon(project(corners), fc=color, ec="white", lw=0.7, joinstyle="round", zorder=5)
        )


# -- points and labels --------------------------------------------------------------------------


def color_of(name: str) -> str:
    return GROUP_COLOR[skeleton.KEYPOINTS[skeleton.INDEX[name]].group]


def draw_points(ax: Axes, body: Standing, view: str, names: Iterable[str], size: float) -> None:
    project = side if view == "side" else front
    for name in names:
        x, y = project(body.markers[name])
        ax.plot(x, y, "o", ms=size, mfc=color_of(name), mec="white", mew=0.9, zorder=9)


def draw_links(ax: Axes, body: Standing, view: str, names: set[str]) -> None:
    project = side if view == "side" else front
    for a, b in skeleton.LINKS:
        ends = [skeleton.NAMES[a], skeleton.NAMES[b]]
        if names.issuperset(ends):
            points = project(np.array([body.markers[end] for end in ends]))
            ax.plot(*points.T, color=INK, lw=0.9, alpha=0.45, zorder=7, solid_capstyle="round")


def spread(wanted: Array, gap: float) -> Array:
    """Heights as near as possible to the wanted ones, in their order, at least a gap apart."""
    order = np.argsort(wanted)
    placed = wanted[order].astype(float)
    for _ in range(500):
        for i in range(len(placed) - 1):
            overlap = gap - (placed[i + 1] - placed[i])
            if overlap > 1e-9:
                placed[i] -= overlap / 2
                placed[i + 1] += overlap / 2
    result = np.empty_like(placed)
    result[order] = placed
    return result


def label_column(
    ax: Axes,
    anchors: Mapping[str, Array],
    texts: Mapping[str, str],
    x: float,
    gap: float,
    size: float,
) -> None:
    """Labels in one column at x, each with a leader to its point; names index both mappings."""
    names = list(texts)
    heights = spread(np.array([anchors[name][1] for name in names]), gap)
    for name, height in zip(names, heights):
        anchor = anchors[name]
        to_right = x > anchor[0]
        elbow = x - 0.022 if to_right else x + 0.022
        ax.plot(
            [anchor[0], elbow, x - 0.006 if to_right else x + 0.006],
            [anchor[1], height, height],
            color=color_of(name), lw=0.7, alpha=0.75, zorder=6, solid_joinstyle="round",
        )  # fmt: skip
        ax.text(
            x, height, texts[name], ha="left" if to_right else "right", va="center",
            fontsize=size, color=color_of(name), zorder=10,
        )  # fmt: skip


def pair_text(name: str) -> str:
    """``shoulder  5 | 6`` for a left point and its twin."""
    index = skeleton.INDEX[name]
    return f"{name.removeprefix('left_')}  {index} | {skeleton.MIRROR[index]}"


def draw_front(ax: Axes, body: Standing) -> None:
    draw_front_skin(ax, body)
    draw_spine(ax, body, "front", processes=False)
    draw_links(ax, body, "front", set(skeleton.NAMES))
    draw_points(ax, body, "front", skeleton.NAMES, 5.5)
    anchors = {name: front(body.markers[name]) for name in skeleton.NAMES}
    pairs = [name for name in skeleton.NAMES if name.startswith("left_")]
    midline = [name for i, name in enumerate(skeleton.NAMES) if skeleton.MIRROR[i] == i]
    label_column(ax, anchors, {n: pair_text(n) for n in pairs}, 0.36, 0.036, 8.2)
    texts = {n: f"{skeleton.INDEX[n]}  {n}" for n in midline}
    label_column(ax, anchors, texts, -0.36, 0.036, 8.2)
    ax.text(-0.085, -0.06, "right", ha="center", fontsize=8.5, color=INK, style="italic")
    ax.text(0.085, -0.06, "left", ha="center", fontsize=8.5, color=INK, style="italic")


def draw_side(ax: Axes, body: Standing) -> None:
    draw_side_skin(ax, body)
    draw_spine(ax, body, "side", processes=True)
    shown = [name for name in skeleton.NAMES if not name.startswith("left_")]
    draw_links(ax, body, "side", set(shown))
    draw_points(ax, body, "side", shown, 5.5)
    anchors = {name: side(body.markers[name]) for name in shown}
    behind = {
        "hip", "spine_01", "spine_02", "spine_03", "spine_04", "spine_05", "neck", "neck_02",
        "neck_03", "right_heel", "right_latissimus",
    }  # fmt: skip
    label_column(ax, anchors, {n: side_text(n) for n in shown if n in behind}, -0.30, 0.036, 8.2)
    label_column(ax, anchors, {n: side_text(n) for n in shown if n not in behind}, 0.25, 0.036, 8.2)


def side_text(name: str) -> str:
    return f"{skeleton.INDEX[name]}  {name.removeprefix('right_')}"


def draw_enlarged_spine(ax: Axes, body: Standing) -> None:
    draw_side_skin(ax, body)
    draw_spine(ax, body, "side", processes=True)
    names = [skeleton.NAMES[index] for index in skeleton.SPINE]
    points = side(np.array([body.markers[name] for name in names]))
    ax.plot(*points.T, color=GROUP_COLOR["spine"], lw=1.2, alpha=0.5, zorder=7)
    for row in table("spinous_processes"):
        ax.plot(
            *side(body.markers[row["marker"]]), "o", ms=4, mfc="white", mec=INK, mew=0.9, zorder=8
        )
    draw_points(ax, body, "side", names, 9)
    levels = {row["marker"]: row["level"] for row in table("markers")}
    anchors = {name: side(body.markers[name]) for name in names}
    texts = {n: f"{skeleton.INDEX[n]}  {n}\n{where(n, levels[n])}" for n in names}
    label_column(ax, anchors, texts, 0.105, 0.052, 9.5)
    label_levels(ax, body)
    label_regions(ax)
    ax.text(
        0.262, 0.937, "\u25cb  tips of the spinous processes,\n     the second set of markers",
        ha="right", va="bottom", fontsize=9, color=INK,
    )  # fmt: skip


def where(name: str, level: str) -> str:
    if "/" in level:
        return f"disc {level}"
    return {"hip": "sacrum, S2", "neck_03": "C1, centre of the ring"}.get(name, f"body of {level}")


def label_levels(ax: Axes, body: Standing) -> None:
    """Names of the spinous processes in a column behind the back."""
    rows = table("spinous_processes")
    tips = np.array([side(body.markers[row["marker"]]) for row in rows])
    for row, tip, height in zip(rows, tips, spread(tips[:, 1], 0.0185)):
        ax.plot([tip[0], -0.218, -0.226], [tip[1], height, height], color=INK, lw=0.5, alpha=0.5)
        ax.text(
            -0.230, height, row["marker"].removesuffix("_spinous"), ha="right", va="center",
            fontsize=8.2, color=INK,
        )  # fmt: skip


def label_regions(ax: Axes) -> None:
    regions = (("C", "cervical", 1.545), ("T", "thoracic", 1.325), ("L", "lumbar", 1.105))
    for letter, text, height in (*regions, ("s", "sacrum", 0.985)):
        ax.text(
            -0.285, height, text, rotation=90, ha="center", va="center", fontsize=9.5,
            color=REGION_COLOR[letter], weight="bold",
        )  # fmt: skip


def draw(path: Path) -> None:
    """Draw the figure into a PNG file."""
    body = standing()
    width, height, edge = 18.4, 9.6, 0.1  # inches
    fig = plt.figure(figsize=(width, height), dpi=108, facecolor="white")
    left = edge
    for title, view, x_range, y_range in (
        ("Front (ids: left | right)", draw_front, (-0.62, 0.60), (-0.08, 1.79)),
        ("Right side", draw_side, (-0.52, 0.46), (-0.08, 1.79)),
        ("The nine spine points", draw_enlarged_spine, (-0.30, 0.27), (0.93, 1.645)),
    ):
        tall = height - 0.7
        wide = tall * (x_range[1] - x_range[0]) / (y_range[1] - y_range[0])
        ax = fig.add_axes((left / width, 0.15 / height, wide / width, tall / height))
        left += wide
        view(ax, body)
        ax.set(xlim=x_range, ylim=y_range, aspect="equal")
        ax.axis("off")
        ax.set_title(title, fontsize=14, color=INK, pad=8)
    fig.savefig(path, metadata={"Software": None})
    plt.close(fig)
