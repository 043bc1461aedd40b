"""Unit and axes of a file, told from the figure in it: how long its limbs are, how it stands."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.motion.axes import (
    METRES,
    Figure,
    Frame,
    Told,
    axes_called,
    metres,
    to_world,
)
from spinetrack_synth.motion.skeletons import Skeleton, recognise

Array = NDArray[np.float64]

SEGMENTS: Final = {
    ("hip", "knee"): 0.245,
    ("knee", "ankle"): 0.246,
    ("shoulder", "elbow"): 0.186,
    ("elbow", "wrist"): 0.146,
    ("hip", "shoulder"): 0.288,
}
"""Lengths of a side's segments as shares of stature (Drillis and Contini 1966)."""

LEAST_SEGMENTS: Final = 3

ADULT_M: Final = (1.2, 2.2)
"""Stature by which a unit is found: from a child of seven to the tallest."""
PERSON_M: Final = (0.4, 2.6)
"""Beyond it nobody is, whatever a file says: a newborn, the tallest there ever was."""
EXTENT_M: Final = (0.05, 10.0)
"""The same for the extent of points of which nothing else is known, people side by side too."""

FAR_M: Final = 20.0
"""People who are recorded together are nearer."""

COURSE_M: Final = 500.0
"""Hardly anybody is recorded over so long a way."""

GROWN: Final = 1.2
"""Bones may stretch by so much in motion."""

UPRIGHT: Final = 0.6
"""Shoulders above ankles by so much of the stature: a figure stands."""
ALONG: Final = 0.8
"""Share of a direction that lies along one axis, for it to be that axis."""
FLOOR: Final = 0.1
"""A figure whose lowest point keeps within so much of its stature from zero stands on a floor."""

BELOW: Final = 0.15
"""Share of its height by which a figure may reach below the floor."""

FRAMES: Final = 200
"""Frames, spread over the motion, that are looked at."""

_FACING: Final = {
    "x": "y", "y": "z", "z": "x", "minus-x": "y", "minus-y": "minus-z", "minus-z": "x",
}  # fmt: skip
"""Where figures are taken to look when only their vertical is known."""


def finder(skeletons: Sequence[Skeleton]) -> Callable[[Figure, Told], Frame]:
    """How to find unit and axes of figures that are one of some skeletons, or the only one
    (`Convention.find`)."""

    def find(figure: Figure, told: Told) -> Frame:
        table = skeletons[0] if len(skeletons) == 1 else recognise(figure.names, skeletons)
        places = landmarks(figure.names, table) if table else {}
        unit, of_unit = _unit(figure, places, told, table)
        axes, of_axes = _axes(figure, places, told, table)
        of_points = (*_growing(figure, places), *_far(figure, metres(unit)))
        return Frame(unit, axes, (*of_unit, *of_axes, *of_points))

    return find


def landmarks(names: Sequence[str], table: Skeleton) -> dict[str, list[int]]:
    """Columns of hips, knees, toes ... (``left_hip``) in a recording of a known skeleton."""
    places: dict[str, list[int]] = {}
    for name, match in table.found_in(names).items():
        point = table.points[match]
        toes = {"toes_l": "left_toes", "toes_r": "right_toes"}.get(point.body)
        place = toes or point.marker.replace("big_toe", "toes").replace("small_toe", "toes")
        if place:
            places.setdefault(place, []).append(list(names).index(name))
    return places


def stature(positions: Array, places: Mapping[str, Sequence[int]]) -> float | None:
    """Stature by the lengths of limbs and trunk, in the unit of ``positions`` (F, P, 3); None
    where too few of them are seen."""
    length = share = 0.0
    found = 0
    for (upper, lower), part in SEGMENTS.items():
        for side in ("left", "right"):
            a, b = (_place(positions, places, f"{side}_{joint}") for joint in (upper, lower))
            if a is None or b is None:
                continue
            lengths = np.linalg.norm(a - b, axis=1)
            lengths = lengths[np.isfinite(lengths)]
            if len(lengths):
                length += float(np.median(lengths))
                share += part
                found += 1
    return length / share if found >= LEAST_SEGMENTS else None


def extent(positions: Array) -> float | None:
    """The longest side of the box round points (F, P, 3), its median over the frames; None where
    nothing is seen."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # frames without any point
        sides = np.nanmax(positions, axis=1) - np.nanmin(positions, axis=1)
        longest = float(np.nanmedian(sides.max(axis=1))) if len(sides) else np.nan
    return longest if np.isfinite(longest) else None


def _some(positions: Array) -> Array:
    return positions[:: max(1, len(positions) // FRAMES)]


def _place(positions: Array, places: Mapping[str, Sequence[int]], name: str) -> Array | None:
    columns = places.get(name)
    return positions[:, list(columns)].mean(axis=1) if columns else None


# -- unit -----------------------------------------------------------------------------------------


def _unit(
    figure: Figure, places: Mapping[str, Sequence[int]], told: Told, table: Skeleton | None
) -> tuple[str, tuple[str, ...]]:
    shown = figure.positions if figure.rest is None else figure.rest[None]
    length = stature(_some(shown), places)
    what, possible = "m tall by its limbs", PERSON_M
    if length is None:
        lengths = [extent(_some(figure.positions)), extent(shown)]
        length = min((x for x in lengths if x is not None), default=None)
        what, possible = "m in its longest extent", EXTENT_M
    usual = (table.unit if table else None) or told.usual_unit
    if not length or len(figure.names) < 3:
        return told.unit or usual, ()
    fitting = _fitting(length, ADULT_M) or _fitting(length, PERSON_M)
    others = " or ".join(fitting)
    if told.unit:
        size_m = length * metres(told.unit)
        grown = _fitting(length, ADULT_M) if possible == PERSON_M else []
        if possible[0] <= size_m <= possible[1] and (told.unit in grown or not grown):
            return told.unit, ()
        hint = f": if its numbers are {others}, give --unit" if fitting else ""
        return told.unit, (f"told to be in {told.unit}, the figure is {size_m:.4g} {what}{hint}",)
    # Of unknown names nobody knows whether they are a whole body: its hand may be all there is.
    open_to = possible[0] <= length * metres(usual) <= possible[1] and possible == EXTENT_M
    unit = usual if usual in fitting or open_to or len(fitting) != 1 else fitting[0]
    said = f"no unit is told: taken for {unit}, the figure is {length * metres(unit):.4g} {what}"
    if unit != usual:
        said += f" (for {usual}, {length * metres(usual):.4g}); --unit overrules"
    elif unit not in fitting:
        remedy = f"; it would be for {others}" if fitting else ""
        said += f", which no grown person is{remedy}: --unit overrules"
    return unit, (said,)


def _growing(figure: Figure, places: Mapping[str, Sequence[int]]) -> tuple[str, ...]:
    """A note where bones are not as long in motion as at rest."""
    if figure.rest is None:
        return ()
    moving, resting = (stature(_some(p), places) for p in (figure.positions, figure.rest[None]))
    if not moving or not resting or 1 / GROWN < moving / resting < GROWN:
        return ()
    return (f"its bones are {moving / resting:.3g} times as long in motion as at rest",)


def _far(figure: Figure, unit_m: float) -> tuple[str, ...]:
    """A note where a point is far from the middle of the others, or all points from usual."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # frames without any point
        middle = np.nanmedian(figure.positions, axis=1, keepdims=True)
        usual = np.nanmedian(middle, axis=0)
    course_m = np.linalg.norm(middle - usual, axis=2)[:, 0] * unit_m
    if np.nanmax(course_m, initial=0.0) > COURSE_M:
        frame = int(np.nanargmax(course_m))
        return (f"in frame {frame + 1} all is {course_m[frame]:.4g} m from where it mostly is",)
    away_m = np.linalg.norm(figure.positions - middle, axis=2) * unit_m
    away_m = np.where(np.isfinite(away_m), away_m, 0.0)
    if not away_m.size or away_m.max() < FAR_M:
        return ()
    row, point = divmod(int(np.argmax(away_m)), away_m.shape[1])
    return (
        f"{figure.names[point]} is {away_m[row, point]:.4g} m from the middle of the others in "
        f"frame {row + 1}",
    )


def _fitting(length: float, size_m: tuple[float, float]) -> list[str]:
    return [unit for unit in METRES if size_m[0] <= length * metres(unit) <= size_m[1]]


# -- axes -----------------------------------------------------------------------------------------


def _axes(
    figure: Figure, places: Mapping[str, Sequence[int]], told: Told, table: Skeleton | None
) -> tuple[str, tuple[str, ...]]:
    usual = told.usual_axes
    if not told.axes_by_format and table is not None and table.axes:
        usual = table.axes
    positions = _some(figure.positions)
    size = stature(positions, places)
    axes = told.axes or usual
    if size is None:
        return axes, ()
    if told.axes is None:
        axes, notes = _stood(figure, positions, places, size, usual)
    else:
        notes = ()
    return axes, (*notes, *_mirrored(positions, places, axes))


def _stood(
    figure: Figure,
    positions: Array,
    places: Mapping[str, Sequence[int]],
    size: float,
    usual: str,
) -> tuple[str, tuple[str, ...]]:
    """The axes in which a figure stands, and what to say of them."""
    usual_up = to_world(usual)[1]
    rest = None if figure.rest is None else figure.rest[None]
    moving_up = _up(positions, places, size)
    rest_up = None if rest is None else _up(rest, places, stature(rest, places) or size)
    up = moving_up if moving_up is not None else rest_up
    if up is None:
        return usual, (f"axes read as {usual}: the figure does not show its vertical",)
    if not np.array_equal(up, usual_up):
        other = axes_called(up, _facing(up))
        rests_as_usual = rest_up is not None and np.array_equal(rest_up, usual_up)
        floor, usual_floor = (_floor(positions, axis) / size for axis in (up, usual_up))
        stands = floor < FLOOR and floor < usual_floor / 2
        lies = usual_floor < FLOOR and usual_floor < floor / 2
        if lies or (rests_as_usual and not stands):
            return usual, (
                f"axes read as {usual}, but the figure lies along {_letter(up)}: if that is the "
                f"vertical, give --axes {other}",
            )
    forward = None if rest is None or rest_up is None else _forward(rest, places, rest_up)
    if np.array_equal(up, usual_up):
        if forward is None or rest_up is None or not np.array_equal(rest_up, usual_up):
            return usual, ()
        axes = usual if forward @ to_world(usual)[0] > ALONG else axes_called(up, forward)
        if axes == usual:
            return usual, ()
    elif forward is not None and rest_up is not None and np.array_equal(rest_up, up):
        axes = axes_called(up, forward)
    else:
        axes = axes_called(up, _facing(up))
    return axes, (f"axes read as {axes}: so the figure stands (usual: {usual}); --axes overrules",)


def _up(positions: Array, places: Mapping[str, Sequence[int]], size: float) -> Array | None:
    """The axis (3,) along which shoulders are above feet in frames (F, P, 3), None where none is
    clear."""
    top = _middle(positions, places, ("shoulder",))
    foot = _middle(positions, places, ("ankle", "knee"))
    if top is None or foot is None:
        return None
    upward = top - foot
    upward = upward[np.isfinite(upward).all(axis=1)]
    lengths = np.linalg.norm(upward, axis=1)
    standing = lengths > UPRIGHT * size
    if not standing.any() or standing.mean() < 0.5:
        return None
    return _axis((upward[standing] / lengths[standing, None]).mean(axis=0))


def _forward(positions: Array, places: Mapping[str, Sequence[int]], up: Array) -> Array | None:
    """The axis (3,) along which a figure looks whose right and left are known."""
    left, right = (
        [places[f"{side}_{joint}"][0] for joint in ("hip", "shoulder")
         if f"{side}_{joint}" in places]
        for side in ("left", "right")
    )  # fmt: skip
    if not left or len(left) != len(right):
        return None
    rightward = np.nanmean(positions[:, right] - positions[:, left], axis=(0, 1))
    forward = np.cross(up, rightward)
    length = float(np.linalg.norm(forward))
    return _axis(forward / length) if length > 0 else None


def _mirrored(positions: Array, places: Mapping[str, Sequence[int]], axes: str) -> tuple[str, ...]:
    """A note where toes point backward for the left and right that the names tell."""
    toes = _middle(positions, places, ("toes",))
    ankles = _middle(positions, places, ("ankle",))
    hips = [_place(positions, places, f"{side}_hip") for side in ("left", "right")]
    top = _middle(positions, places, ("shoulder",))
    if toes is None or ankles is None or top is None or hips[0] is None or hips[1] is None:
        return ()
    world = to_world(axes)
    up, rightward = (top - ankles) @ world.T, (hips[1] - hips[0]) @ world.T
    ahead = np.sum(np.cross(up, rightward) * ((toes - ankles) @ world.T), axis=1)
    ahead = ahead[np.isfinite(ahead)]
    if len(ahead) and np.mean(ahead < 0) > ALONG:
        return (
            "its toes point backward: left and right are exchanged, or its axes are left-handed "
            "(--axes unreal)",
        )
    return ()


def _middle(
    positions: Array, places: Mapping[str, Sequence[int]], joints: Sequence[str]
) -> Array | None:
    """The middle (F, 3) between left and right of the first of some joints that is there."""
    for joint in joints:
        sides = [_place(positions, places, f"{side}_{joint}") for side in ("left", "right")]
        known = [side for side in sides if side is not None]
        if known:
            middle: Array = np.mean(known, axis=0)
            return middle
    return None


def _axis(direction: Array) -> Array | None:
    """The signed axis (3,) along which a direction lies, None where it lies between axes."""
    k = int(np.argmax(np.abs(direction)))
    if not abs(direction[k]) > ALONG:
        return None
    axis: Array = np.eye(3)[k] * np.sign(direction[k])
    return axis


def _facing(up: Array) -> Array:
    name = _letter(up).lower()
    facing = _FACING[name]
    axis: Array = np.eye(3)["xyz".index(facing[-1])]
    return -axis if facing.startswith("minus") else axis


def _letter(axis: Array) -> str:
    k = int(np.argmax(np.abs(axis)))
    return ("minus-" if axis[k] < 0 else "") + "XYZ"[k]


def _floor(positions: Array, up: Array) -> float:
    """How far from zero the lowest points keep along an axis, but for a fifth of the frames; inf
    where much lies below zero, as in data that are centred on the body."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # frames without any point
        heights = positions @ up
        lowest, highest = np.nanmin(heights, axis=1), np.nanmax(heights, axis=1)
    below = -lowest / np.maximum(highest - lowest, 1e-9)
    if float(np.nanquantile(below, 0.8)) > BELOW:
        return np.inf
    return float(np.nanquantile(np.abs(lowest), 0.8))
