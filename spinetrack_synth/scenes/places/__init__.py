"""The places people are in, by name; each in several variants, built once and kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

from spinetrack_synth.scenes.place import Place
from spinetrack_synth.scenes.places import (
    beach,
    clinic,
    dojo,
    gym,
    kitchen,
    living_room,
    office,
    park,
    sports_hall,
    street,
    studio,
    terrace,
    track,
)


@dataclass(frozen=True)
class PlaceKind:
    """How to build a place, and in how many variants it comes."""

    build: Callable[[int], Place]
    variants: int


PLACES: Final[dict[str, PlaceKind]] = {
    "studio": PlaceKind(studio.build, 8),
    "terrace": PlaceKind(terrace.build, 6),
    "park": PlaceKind(park.build, 6),
    "gym": PlaceKind(gym.build, 6),
    "sports_hall": PlaceKind(sports_hall.build, 5),
    "street": PlaceKind(street.build, 8),
    "clinic": PlaceKind(clinic.build, 5),
    "office": PlaceKind(office.build, 5),
    "living_room": PlaceKind(living_room.build, 6),
    "kitchen": PlaceKind(kitchen.build, 5),
    "dojo": PlaceKind(dojo.build, 5),
    "track": PlaceKind(track.build, 6),
    "beach": PlaceKind(beach.build, 4),
}


@cache
def place(name: str, variant: int) -> Place:
    """The one place of this name and variant."""
    return PLACES[name].build(variant)
