"""``dataset.json``: what shards and tables do not hold of a dataset, beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from spinetrack_synth.coco.parsing import read_json
from spinetrack_synth.coco.writing import Record
from spinetrack_synth.curation.samples import Split
from spinetrack_synth.errors import UserError

FILE: Final = "dataset.json"
SHARD_BYTES: Final = 500_000_000
"""A shard is full at so much; Hugging Face and WebDataset advise some hundred megabytes."""


def write_description(root: Path, splits: Sequence[Split], counts: Mapping[str, int]) -> None:
    """Write each split's categories, info and licences, and how many pictures it has."""
    told = {
        split.name: {
            "pictures": counts[split.name],
            "info": dict(split.info),
            "licenses": list(split.licenses),
            "categories": list(split.categories),
        }
        for split in splits
    }
    (root / FILE).write_text(json.dumps({"splits": told}, indent=1, ensure_ascii=False) + "\n")


def read_description(root: Path) -> dict[str, Any]:
    """What is told of each split, by its name; nothing where there is no such file."""
    path = root / FILE
    if not path.is_file():
        return {}
    told = read_json(path)
    splits = told.get("splits") if isinstance(told, dict) else None
    if not isinstance(splits, dict) or not all(isinstance(each, dict) for each in splits.values()):
        raise UserError(f"{path}: expected an object with an object named splits")
    return splits


def split_of(
    name: str, source: Path, told: Mapping[str, Any], samples: Any, pictures: int
) -> Split:
    """A split of shards with what is told of it; without, people are of one category."""
    categories: Sequence[Record] = told.get("categories") or [{"id": 1, "name": "person"}]
    return Split(
        name=name,
        source=source,
        categories=categories,
        samples=samples,
        pictures=pictures,
        info=told.get("info", {}),
        licenses=told.get("licenses", []),
    )
