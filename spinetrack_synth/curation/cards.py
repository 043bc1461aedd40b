"""Dataset cards: README.md with the front matter that Hugging Face reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from spinetrack_synth.coco.keypoint_names import is_names
from spinetrack_synth.curation.samples import Split
from spinetrack_synth.dataset.card import CARD, SIZES, table

LICENCE_IDS: Final = {
    "cc0": "cc0-1.0",
    "cc0-1.0": "cc0-1.0",
    "cc-by-4.0": "cc-by-4.0",
    "cc by 4.0": "cc-by-4.0",
    "cc-by-sa-4.0": "cc-by-sa-4.0",
    "cc-by-nc-4.0": "cc-by-nc-4.0",
    "apache-2.0": "apache-2.0",
    "mit": "mit",
}
"""Hugging Face's words for licences by what files call them."""


def licence_id(splits: Sequence[Split]) -> str:
    """Hugging Face's word for the licence of all splits: ``other`` where there are several or one
    it does not know, ``unknown`` where none is told."""
    names = {str(each.get("name", "")).strip() for split in splits for each in split.licenses}
    if not names:
        return "unknown"
    words = {LICENCE_IDS.get(name.lower(), "other") for name in names}
    return words.pop() if len(words) == 1 else "other"


def front_matter(name: str, licence: str, pictures: int, more: Sequence[str] = ()) -> list[str]:
    """The lines of a card's front matter."""
    size = next((word for most, word in SIZES if pictures < most), "n>10M")
    return [
        "---",
        f"pretty_name: {name}",
        f"license: {licence}",
        "task_categories: [keypoint-detection]",
        "tags: [human-pose]",
        f"size_categories: [{size}]",
        *more,
        "---",
    ]


def write_table_card(
    root: Path, splits: Sequence[Split], counts: Mapping[str, int], name: str
) -> None:
    """Write the card of Parquet tables, which tells Hugging Face the files of the splits."""
    configs = ["configs:", "- config_name: default", "  data_files:"]
    for split in splits:
        configs += [f"  - split: {split.name}", f"    path: data/{split.name}-*"]
    names = splits[0].categories[0]["keypoints"]
    lines = [
        *front_matter(name, licence_id(splits), sum(counts.values()), configs),
        f"# {name}",
        *table(("split", "pictures"), [(split.name, counts[split.name]) for split in splits]),
        "",
        *table(
            ("column", "holds"),
            [
                ("image, file_name, width, height", "the picture"),
                ("boxes", "a box a person: x, y, width, height in pixels"),
                ("areas", "of each person, in pixels"),
                ("keypoints", "people x points x 3: x, y in pixels, v (2 seen, 1 hidden, 0 none)"),
                ("image_fields, people_fields", "other fields of COCO's records, as JSON"),
            ],
        ),
        "",
        f"Keypoints: {', '.join(names)}.",
        "",
        "## Licence",
        *licence_lines(splits),
        "",
    ]
    (root / CARD).write_text("\n".join(lines), encoding="utf-8")


def write_release_card(
    root: Path, splits: Sequence[Split], counts: Mapping[str, tuple[int, int]], name: str
) -> None:
    """Write the card of a packaged dataset; ``counts`` are pictures and people of each split."""
    named = (each.get("keypoints") for each in splits[0].categories)
    names = next((names for names in named if is_names(names)), ["not named"])
    told = [str(split.info["description"]) for split in splits if split.info.get("description")]
    pictures = sum(number for number, _ in counts.values())
    lines = [
        *front_matter(name, licence_id(splits), pictures),
        f"# {name}",
        *dict.fromkeys(told),
        "",
        "## What is here",
        *table(
            ("split", "pictures", "people"),
            [(split.name, *counts[split.name]) for split in splits],
        ),
        "",
        "- `annotations/person_keypoints_SPLIT.json`: COCO keypoints",
        "- `images/SPLIT/`: the pictures",
        "- `LICENCES.md`, `croissant.json`, `SHA256SUMS`: licences, metadata, checksums",
        "",
        f"Keypoints: {', '.join(names)}.",
        "",
        "## Licence",
        *licence_lines(splits),
        "",
    ]
    (root / CARD).write_text("\n".join(lines), encoding="utf-8")


def licence_lines(splits: Sequence[Split]) -> list[str]:
    """A table of the licences that files name."""
    rows = [
        (each.get("name", ""), each.get("url", "")) for split in splits for each in split.licenses
    ]
    if not rows:
        return ["The files name no licence."]
    return table(("licence", "where it stands"), list(dict.fromkeys(rows)))
