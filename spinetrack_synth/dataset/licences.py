"""Under which terms a dataset of ours may be used: what is in its pictures, and whose that is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

PUBLIC: Final = "CC0-1.0"
PUBLIC_URL: Final = "https://creativecommons.org/publicdomain/zero/1.0/"
LICENCE_ID: Final = 1
"""The one licence of a file, which all its images name."""


MOST_NAMED: Final = 20
"""More backgrounds than these are counted, not named one by one."""


UNTOLD: Final = "to be filled in"


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
    backgrounds, assets that people wear."""
    props = split.get("prop_sha256", {}).values()
    nested = [name for prop in props if isinstance(prop, dict) for name in prop]
    plain = [name for name, prop in split.get("prop_sha256", {}).items() if isinstance(prop, str)]
    backgrounds = sorted(split.get("background_sha256", {}))
    if len(backgrounds) > MOST_NAMED:
        backgrounds = [f"{len(backgrounds)} backgrounds, named in manifest.json"]
    assets = sorted(split.get("asset_sha256", {}))
    if len(assets) > MOST_NAMED:
        assets = [f"{len(assets)} assets, named in manifest.json"]
    return (
        *sorted(split.get("motion_sha256", {})),
        *sorted({*nested, *plain}),
        *backgrounds,
        *assets,
    )


def ingredients(split: Mapping[str, Any]) -> tuple[Ingredient, ...]:
    """What a split is made from; the terms of the user's own files are theirs to fill in, but where
    the files tell them."""
    plain = {key: value for key, value in split.items() if key != "asset_sha256"}
    own = [Ingredient("own file", name, UNTOLD) for name in own_files(plain)]
    terms = {name: said or UNTOLD for name, said in _terms(split).items()}
    if len(terms) <= MOST_NAMED:
        own += [Ingredient("own asset", name, said) for name, said in sorted(terms.items())]
    else:
        counts = Counter(terms.values())
        own += [
            Ingredient("own assets", f"{count}, named in manifest.json", said)
            for said, count in sorted(counts.items())
        ]
    return (*OURS, *own)


def _terms(split: Mapping[str, Any]) -> dict[str, str]:
    """Licence and author of the assets that people wear, "" where their files do not tell."""
    told = split.get("asset_terms", {})
    return {name: told.get(name, "") for name in split.get("asset_sha256", {})}


def coco_licences(split: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The ``licenses`` of a split's COCO file: one, with the id that images name."""
    own = own_files(split)
    name = f"{PUBLIC}; own files by their terms: {', '.join(own)}" if own else PUBLIC
    return [{"id": LICENCE_ID, "name": name, "url": PUBLIC_URL}]
