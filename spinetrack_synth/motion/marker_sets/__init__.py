"""Marker sets of laboratories on the project's own model: which marker lies over which landmark."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from spinetrack_synth.anatomy.markers import Marker
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.motion.marker_matching import as_spelt

ENOUGH: Final = 8
"""So many markers of a set must be in a recording for it to be that set."""

LOOSE_WEIGHT: Final = 0.05
"""Weight of a marker that is not over bone: it may be some 50 mm from where the table has it, the
others some 10 mm."""

_SIDES: Final = ("left", "right")


@dataclass(frozen=True)
class Landmark:
    """A place on the right side or in the midline: ``offset_m`` (3,) in ``body``, whose
    ``{side}`` stands for r and l. ``loose`` where the marker is not over bone."""

    body: str
    offset_m: tuple[float, float, float]
    loose: bool = False


@dataclass(frozen=True)
class MarkerSet:
    """A set by its ``name`` and ``title``; ``landmarks`` by the names of its markers, with their
    side: left, right, or none in the midline."""

    name: str
    title: str
    landmarks: dict[str, tuple[str, str]]

    def markers(self, names: Collection[str]) -> tuple[Marker, ...]:
        """Those of its markers that are among ``names``; what is over bone is fixed."""
        known = landmarks()
        found = []
        for name, (landmark, side) in self.landmarks.items():
            if name in names:
                at = known[landmark]
                x, y, z = at.offset_m
                body = at.body.replace("{side}", side[:1])
                z = -z if side == "left" else z
                found.append(Marker(name, body, (x, y, z), fixed=not at.loose))
        return tuple(found)

    def weights(self, names: Collection[str]) -> dict[str, float]:
        """How much those of its markers that are among ``names`` count."""
        return {m.name: 1.0 if m.fixed else LOOSE_WEIGHT for m in self.markers(names)}


def recognise(names: Collection[str], tree: Tree) -> MarkerSet | None:
    """The set with the most markers among ``names``, if a model has its bodies and the recording
    enough of them, more than of the model's own; of equal ones the one with the fewest others.
    """
    bodies = {at.body.replace("{side}", side) for at in landmarks().values() for side in "rl"}
    if not bodies <= set(tree.bodies):
        return None
    found = {
        one.name: len(one.landmarks.keys() & as_spelt(names, one.landmarks)) for one in _sets()
    }
    best = max(_sets(), key=lambda one: (found[one.name], -len(one.landmarks)))
    own = len(as_spelt(names, tree.marker_names) & set(tree.marker_names))
    return best if found[best.name] >= max(ENOUGH, own + 1) else None


@cache
def landmarks() -> dict[str, Landmark]:
    """All landmarks by name."""
    return {
        name: Landmark(row["body"], _point(row["offset_m"]), row.get("loose", False))
        for name, row in _table("landmarks").items()
    }


def set_names() -> tuple[str, ...]:
    """Names of the sets."""
    found = (file.name for file in files(__package__).iterdir())
    return tuple(sorted(n[:-5] for n in found if n.endswith(".toml") and n != "landmarks.toml"))


def load_set(name: str) -> MarkerSet:
    """A set by its name."""
    table = _table(name)
    known: dict[str, tuple[str, str]] = {}
    for marker, landmark in table["markers"].items():
        if "{side}" in marker:
            for side in _SIDES:
                known[marker.replace("{side}", table["sides"][side])] = (landmark, side)
        else:
            known[marker] = (landmark, "")
    return MarkerSet(name, table["title"], known)


@cache
def _sets() -> tuple[MarkerSet, ...]:
    return tuple(load_set(name) for name in set_names())


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))


def _point(row: list[float]) -> tuple[float, float, float]:
    x, y, z = map(float, row)
    return x, y, z
