"""The places people are in, by name; each in several variants, built once and kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

from spinetrack_synth.scenes.place import Place
from spinetrack_synth.scenes.places import park, studio, terrace


@dataclass(frozen=True)
class PlaceKind:
    """How to build a place, and in how many variants it comes."""

    build: Callable[[int], Place]
    variants: int


PLACES: Final[dict[str, PlaceKind]] = {
    "studio": PlaceKind(studio.build, 8),
    "terrace": PlaceKind(terrace.build, 6),
    "park": PlaceKind(park.build, 6),
}


@cache
def place(name: str, variant: int) -> Place:
    """The one place of this name and variant."""
    return PLACES[name].build(variant)
