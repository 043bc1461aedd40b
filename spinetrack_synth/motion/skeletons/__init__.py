"""Tables of foreign skeletons: which bone or marker lies where in the project's own model."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.text import read_lines

LEAST_SHARE: Final = 0.6
"""Share of a table's points that a recording must have for the table to fit."""

ENOUGH_POINTS: Final = 8


@dataclass(frozen=True)
class Point:
    """Where a foreign point lies in the model.

    Either at one of the model's ``marker``s, which it then measures, or at ``offset_m`` in a
    ``body``, which is only near. ``weight`` in the fit. Where the foreign bone's rotation is that
    of one of the model's bodies, ``turn_body`` names it, ``turn_weight`` says how much it counts.
    """

    marker: str = ""
    body: str = ""
    offset_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    weight: float = 1.0
    turn_body: str = ""
    turn_weight: float = 0.0


@dataclass(frozen=True)
class Skeleton:
    """A foreign skeleton: its points by name, and what is usual for its files.

    ``order`` names the points of unnamed arrays; ``unit`` and ``axes`` are None where any occur.
    ``exact`` where the points are the model's own, so that nothing has to be assumed.
    """

    name: str
    title: str
    points: dict[str, Point]
    order: tuple[str, ...] = ()
    unit: str | None = None
    axes: str | None = None
    exact: bool = False

    def found_in(self, names: Iterable[str]) -> dict[str, str]:
        """The names in a recording that this skeleton knows, each with the table's own name.

        Case and a namespace ("mixamorig:Hips") do not matter. Of several people who are told apart
        by it, only the one with the most points counts.
        """
        ours = {bare(name): name for name in self.points}
        known = [name for name in names if bare(name) in ours]
        if len({bare(name) for name in known}) < len(known):
            people = [namespace(name) for name in known]
            chosen = max(dict.fromkeys(people), key=people.count)
            known = [name for name in known if namespace(name) == chosen]
        found: dict[str, str] = {}
        for name in known:
            match = ours[bare(name)]
            if match not in found.values():
                found[name] = match
        return found


def bare(name: str) -> str:
    """A name without its namespace, in lower case."""
    return name.replace("|", ":").rpartition(":")[2].strip().casefold()


def namespace(name: str) -> str:
    """What stands before a name's last colon, "" where there is none."""
    return name.replace("|", ":").rpartition(":")[0]


def skeleton_names() -> tuple[str, ...]:
    """Names of the tables that come with the package."""
    return tuple(sorted(p.name.removesuffix(".toml") for p in files(__package__).iterdir()
                        if p.name.endswith(".toml")))  # fmt: skip


@cache
def known_skeletons() -> tuple[Skeleton, ...]:
    """All tables of the package."""
    return tuple(load_skeleton(name) for name in skeleton_names())


def load_skeleton(name_or_path: str | Path) -> Skeleton:
    """A table of the package by name, or one's own by the path of its TOML file.

    Raises UserError where there is none or where it is wrong, with file and key.
    """
    text = str(name_or_path)
    if text in skeleton_names():
        content = files(__package__).joinpath(f"{text}.toml").read_text(encoding="utf-8")
        return parse_skeleton(content, f"{text}.toml")
    path = Path(name_or_path)
    if not path.is_file():
        raise UserError(
            f"no skeleton '{text}': give one of {', '.join(skeleton_names())} or a TOML file"
        )
    return parse_skeleton("\n".join(read_lines(path)), str(path))


def parse_skeleton(text: str, source: str) -> Skeleton:
    """A table from TOML, written as those of the package; ``source`` names it in errors.

    ``{side}`` in the name of a point stands for the words of ``[sides]``; in its marker for left
    and right, in its body for l and r; its offset is that of the right side.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{source}: {error}") from None
    unknown = set(table) - {"name", "title", "order", "unit", "axes", "sides", "points"}
    if unknown:
        raise UserError(f"{source}: unknown key '{min(unknown)}'")
    for key in ("name", "title", "points"):
        if key not in table:
            raise UserError(f"{source}: {key}: is missing")
    sides = table.get("sides", {})
    points: dict[str, Point] = {}
    for key, entry in table["points"].items():
        where = f"{source}: points.{key}"
        if "{side}" not in key:
            points[key] = _point(entry, where)
            continue
        if set(sides) != {"left", "right"}:
            raise UserError(f"{source}: sides: write left and right, which {{side}} stands for")
        for side in ("left", "right"):
            points[key.replace("{side}", sides[side])] = _point(entry, where, side)
    order = tuple(table.get("order", ()))
    absent = [name for name in order if name not in points]
    if absent:
        raise UserError(f"{source}: order: '{absent[0]}' is none of the points")
    return Skeleton(
        table["name"], table["title"], points, order, table.get("unit"), table.get("axes")
    )


def _point(entry: Any, where: str, side: str = "") -> Point:
    if not isinstance(entry, dict):
        raise UserError(f"{where}: write {{ marker = ... }} or {{ body = ..., offset_m = ... }}")
    entry = dict(entry)
    turn = entry.pop("turn", {})
    unknown = (set(entry) - {"marker", "body", "offset_m", "weight"}) | (
        set(turn) - {"body", "weight"}
    )
    if unknown:
        raise UserError(f"{where}: unknown key '{min(unknown)}'")
    if ("marker" in entry) == ("body" in entry):
        raise UserError(f"{where}: give either a marker or a body")
    x, y, z = entry.get("offset_m", (0.0, 0.0, 0.0))
    weight = float(entry.get("weight", 1.0))
    if not weight >= 0:
        raise UserError(f"{where}: weight {weight:g}: give 0 or more")
    return Point(
        marker=entry.get("marker", "").replace("{side}", side),
        body=entry.get("body", "").replace("{side}", side[:1]),
        offset_m=(float(x), float(y), float(-z if side == "left" else z)),
        weight=weight,
        turn_body=turn.get("body", "").replace("{side}", side[:1]),
        turn_weight=float(turn.get("weight", 0.0)),
    )


def own_skeletons(tree: Tree) -> tuple[Skeleton, ...]:
    """A model's own markers, and its own bodies as joints, as if they were foreign."""
    markers = {name: Point(marker=name) for name in tree.marker_names}
    at_origin = {
        tree.bodies[body]: name
        for name, body, offset_m in zip(tree.marker_names, tree.marker_body, tree.marker_offset_m)
        if body >= 0 and not offset_m.any()
    }
    bodies = {
        name: Point(
            marker=at_origin.get(name, ""),
            body="" if name in at_origin else name,
            turn_body=name,
            turn_weight=1.0,
        )
        for name in tree.bodies
    }
    own = (
        Skeleton("own markers", f"markers of {tree.name}", markers, unit="m", axes="y-up"),
        Skeleton("own bodies", f"bodies of {tree.name}", bodies, unit="cm", exact=True),
    )
    return tuple(skeleton for skeleton in own if skeleton.points)


def recognise(names: Iterable[str], candidates: Iterable[Skeleton]) -> Skeleton | None:
    """The skeleton with the most points among ``names``, of equal ones the one with the fewest
    missing; None where no table finds enough of its points."""
    names = tuple(names)
    best, best_score = None, (0, 0.0)
    for skeleton in candidates:
        found = len(skeleton.found_in(names))
        share = found / len(skeleton.points)
        enough = found >= ENOUGH_POINTS and (share >= LEAST_SHARE or found == len(names))
        if enough and (found, share) > best_score:
            best, best_score = skeleton, (found, share)
    return best


def unrecognised(names: Iterable[str], candidates: Iterable[Skeleton], source: str) -> UserError:
    """What to say of a recording that no table fits: the nearest table and what it misses."""
    names = tuple(names)
    skeletons = tuple(candidates)
    nearest = max(skeletons, key=lambda s: len(s.found_in(names)) / len(s.points))
    found = set(nearest.found_in(names).values())
    missing = [name for name in nearest.points if name not in found]
    hints = []
    for name in missing[:3]:
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        hints.append(f"'{name}'" + (f" (there is '{near[0]}')" if near else ""))
    return UserError(
        f"{source}: no skeleton fits its {len(names)} names; nearest is {nearest.name}, which "
        f"lacks {', '.join(hints)}{' ...' if len(missing) > 3 else ''}: give --skeleton NAME|FILE "
        f"(known: {', '.join(s.name for s in skeletons)})"
    )
