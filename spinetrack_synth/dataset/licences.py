"""Under which terms a dataset of ours may be used: what is in its pictures, and whose that is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

PUBLIC: Final = "CC0-1.0"
PUBLIC_URL: Final = "https://creativecommons.org/publicdomain/zero/1.0/"
LICENCE_ID: Final = 1
"""The one licence of a file, which all its images name."""


MOST_NAMED: Final = 20
"""More backgrounds than these are counted, not named one by one."""


class Ingredient(NamedTuple):
    """Something that went into the pictures."""

    what: str
    source: str
    licence: str


OURS: Final = (
    Ingredient("bodies", "MakeHuman's base mesh, targets and weights", PUBLIC),
    Ingredient("clothes, hair, places, things", "made by spinetrack-synth", PUBLIC),
    Ingredient("poses, labels", "made by spinetrack-synth on its own OpenSim model", PUBLIC),
)
"""What every dataset is made from. No right is claimed in pictures and labels: whoever makes them
may do with them what they like."""


def own_files(split: Mapping[str, Any]) -> tuple[str, ...]:
    """The user's own files that went into a split's pictures: motions, things from meshes,
    backgrounds."""
    props = split.get("prop_sha256", {}).values()
    nested = [name for prop in props if isinstance(prop, dict) for name in prop]
    plain = [name for name, prop in split.get("prop_sha256", {}).items() if isinstance(prop, str)]
    backgrounds = sorted(split.get("background_sha256", {}))
    if len(backgrounds) > MOST_NAMED:
        backgrounds = [f"{len(backgrounds)} backgrounds, named in manifest.json"]
    return (*sorted(split.get("motion_sha256", {})), *sorted({*nested, *plain}), *backgrounds)


def ingredients(split: Mapping[str, Any]) -> tuple[Ingredient, ...]:
    """What a split is made from; the terms of the user's own files are theirs to fill in."""
    own = tuple(Ingredient("own file", name, "to be filled in") for name in own_files(split))
    return (*OURS, *own)


def coco_licences(split: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The ``licenses`` of a split's COCO file: one, with the id that images name."""
    own = own_files(split)
    name = f"{PUBLIC}; own files by their terms: {', '.join(own)}" if own else PUBLIC
    return [{"id": LICENCE_ID, "name": name, "url": PUBLIC_URL}]
