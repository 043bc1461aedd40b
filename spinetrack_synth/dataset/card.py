"""The dataset card: what is in the folder, how it was made, under which terms, what it is not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from spinetrack_synth.dataset.layout import MANIFEST, ground_truth_path
from spinetrack_synth.dataset.licences import PUBLIC, ingredients, own_files
from spinetrack_synth.dataset.state import LEFT_OUT, left_out, pictures_of

CARD: Final = "README.md"

SIZES: Final = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"),
                 (1_000_000, "100K<n<1M"), (10_000_000, "1M<n<10M"))  # fmt: skip
"""Hugging Face's names of sizes, by the number of pictures that is too many."""

_SETTINGS: Final = ("scene", "seed", "size", "quality", "subjects", "backend", "format")


def dataset_name(splits: Mapping[str, Mapping[str, Any]]) -> str:
    """What the dataset calls itself, wherever it lies: ``spinetrack-synth-yoga``."""
    scenes = dict.fromkeys(re.sub(r"\W+", "-", split["scene"]) for split in splits.values())
    return "-".join(["spinetrack-synth", *scenes])


def one_line(splits: Mapping[str, Mapping[str, Any]]) -> str:
    """What the dataset is, in a sentence."""
    scenes = ", ".join(dict.fromkeys(split["scene"] for split in splits.values()))
    return (
        f"Synthetic people with 37 labelled keypoints, nine on the spine, and their 3D ground "
        f"truth; scenes: {scenes}."
    )


def write_card(root: Path, splits: Mapping[str, Mapping[str, Any]]) -> str:
    """The Markdown of a finished dataset's card, with the front matter that Hugging Face reads."""
    import pyarrow.parquet as pq

    people = {name: pq.read_metadata(ground_truth_path(root, name)).num_rows for name in splits}
    pictures = {name: len(pictures_of(split)) for name, split in splits.items()}
    own = any(own_files(split) for split in splits.values())
    parts = [
        *_front_matter(dataset_name(splits), sum(pictures.values()), own),
        f"# {dataset_name(splits)}",
        one_line(splits),
        "",
        "## What is here",
        *table(
            ("split", "pictures", "people", *_SETTINGS, "version"),
            [
                (name, pictures[name], people[name], *(_shown(split[key]) for key in _SETTINGS),
                 split["version"])
                for name, split in splits.items()
            ],
        ),
        "",
        "- `annotations/person_keypoints_SPLIT.json`: COCO keypoints (37 SpineTrack points), "
        "boxes, masks, cameras",
        "- `ground_truth/SPLIT.parquet`: a row a person: 3D keypoints, joint angles, spine angles",
        "- `images/SPLIT/`: the pictures",
        *_left_out_lines(splits),
        *_map_lines(splits),
        f"- `{MANIFEST}`, `croissant.json`: settings and versions; metadata that loaders read",
        "",
        "Points are hidden (v = 1) where something is in front of them, and absent (v = 0) outside "
        "the picture. Left is the subject's left.",
        "",
        "## How it was made",
        "By spinetrack-synth: bodies bound to an OpenSim model of 24 vertebrae are posed within "
        "its limits, drawn, and labelled from the same numbers. Nothing is estimated, nobody was "
        "photographed. The same version and settings make the same labels again.",
        "",
        "## Licence",
        *table(
            ("what", "from", "licence"),
            list(dict.fromkeys(part for split in splits.values() for part in ingredients(split))),
        ),
        "",
        "## What it is not",
        "The people are drawn, not measured: shapes of adults from a morphable model, spines that "
        "follow one model's proportions. It is no reference for clinical measures of real people, "
        "and what is trained on it has to be tested on photographs.",
        "",
    ]  # fmt: skip
    return "\n".join(parts)


def _left_out_lines(splits: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """How many pictures are missing, of any split."""
    return [
        f"- {len(without)} of the {split['count']} pictures of `{name}` are left out, since they "
        f"could not be made: `{LEFT_OUT}` in `{MANIFEST}` has their numbers and causes"
        for name, split in splits.items()
        if (without := left_out(split))
    ]


_MAPS: Final = {
    "parts": "parts of the body by number, 8-bit PNG; their names are in the annotations' `info`",
    "depth": "depth along the optical axis in mm, 16-bit PNG, 0 for none",
    "normals": "surface normals, 8-bit PNG: right, up and towards the camera are 0..255 for -1..1",
}


def _map_lines(splits: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is beside the pictures, of any split."""
    there = {kind for split in splits.values() for kind in split.get("maps", "").split(",")}
    return [f"- `{kind}/SPLIT/`: {what}" for kind, what in _MAPS.items() if kind in there]


def _front_matter(name: str, count: int, own: bool) -> list[str]:
    size = next((word for most, word in SIZES if count < most), "n>10M")
    return [
        "---",
        f"pretty_name: {name}",
        f"license: {'other' if own else PUBLIC.lower()}",
        "task_categories: [keypoint-detection]",
        "tags: [human-pose, spine, synthetic]",
        f"size_categories: [{size}]",
        "---",
    ]


def table(head: tuple[str, ...], rows: list[Any]) -> list[str]:
    """A table of Markdown, a line each."""
    lines = [head, ("---",) * len(head), *rows]
    return ["| " + " | ".join(_cell(value) for value in line) + " |" for line in lines]


def _cell(value: object) -> str:
    """A value in a cell, in one line and without ending it early."""
    return " ".join(str(value).split()).replace("|", "\\|")


def _shown(value: object) -> str:
    return "x".join(map(str, value)) if isinstance(value, list) else str(value)
