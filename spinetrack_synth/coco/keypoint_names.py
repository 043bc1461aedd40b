"""What keypoints are called, and which skeleton is meant by their names or their number."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final, TypeGuard

from spinetrack_synth import skeleton

SKELETONS: Final[dict[str, tuple[str, ...]]] = {
    "SpineTrack-37": skeleton.NAMES,
    "Halpe-26": skeleton.NAMES[:26],
    "COCO-17": skeleton.NAMES[:17],
}
"""The skeletons whose names and order are known."""

_COCO: Final = skeleton.NAMES[:17]
_FEET: Final = tuple(
    f"{side}_{part}" for side in ("left", "right") for part in ("big_toe", "small_toe", "heel")
)
_OPENPOSE: Final = (
    "nose", "neck",
    *(f"{side}_{part}" for side in ("right", "left") for part in ("shoulder", "elbow", "wrist")),
)  # fmt: skip
_LEGS: Final = tuple(
    f"{side}_{part}" for side in ("right", "left") for part in ("hip", "knee", "ankle")
)
_FACE: Final = ("right_eye", "left_eye", "right_ear", "left_ear")

ORDERS: Final[Mapping[int, tuple[str, ...]]] = {
    37: skeleton.NAMES,
    26: skeleton.NAMES[:26],
    17: _COCO,
    18: (*_OPENPOSE, *_LEGS, *_FACE),
    25: (*_OPENPOSE, "hip", *_LEGS, *_FACE, *_FEET),
    133: (*_COCO, *_FEET, *(f"wholebody_{number}" for number in range(23, 133))),
    136: (*skeleton.NAMES[:26], *(f"halpe_{number}" for number in range(26, 136))),
}
"""What so many keypoints without names are: SpineTrack, Halpe, COCO, OpenPose (18 and 25), COCO
WholeBody, Halpe full body. Hands and faces have names that SpineTrack does not know."""

ORDER_TITLES: Final[Mapping[int, str]] = {
    37: "SpineTrack-37", 26: "Halpe-26", 17: "COCO-17", 18: "OpenPose's", 25: "OpenPose's BODY_25",
    133: "COCO-WholeBody", 136: "Halpe-136",
}  # fmt: skip

_JOINTS: Final = "shoulder|sho|elbow|elb|wrist|wri|hip|knee|ankle|ank|eye|ear"
_ABBREVIATIONS: Final = {
    "sho": "shoulder", "elb": "elbow", "wri": "wrist", "kne": "knee", "ank": "ankle"
}  # fmt: skip


def taken_for(file: str, names: Sequence[str], field: str) -> str:
    """What is told of keypoints to which these ``names`` are given, for their file tells none."""
    what = f"numbered; name them in {field}"
    if ORDERS.get(len(names)) == tuple(names):
        what = f"taken for {ORDER_TITLES[len(names)]}, in that order; if not, name them in {field}"
    return f"{file}: its {len(names)} keypoints have no names: {what}"


def is_names(value: object) -> TypeGuard[list[str]]:
    """A list of texts."""
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def canonical_name(name: str) -> str:
    """A keypoint's name as SpineTrack writes it: ``LBigToe``, ``l_big_toe`` -> ``left_big_toe``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    parts = [part for part in re.split(r"[\s_\-.]+", words.lower()) if part]
    parts = re.sub(rf"\b(left|right|[lr])({_JOINTS})\b", r"\1 \2", " ".join(parts)).split()
    parts = [_ABBREVIATIONS.get(part, part) for part in parts]
    sides = {"l": "left", "r": "right", "left": "left", "right": "right"}
    side = [sides[part] for part in parts if part in sides]
    rest = [part for part in parts if part not in sides]
    return "_".join(side + rest)


def columns_of(names: Sequence[str]) -> list[tuple[int, int]]:
    """(keypoint of ours, place in the file) of the names that are known."""
    canonical = [canonical_name(name) for name in names]
    places: dict[int, int] = {}
    for place, name in enumerate(canonical):
        index = skeleton.INDEX.get(name)
        if index is not None:
            places.setdefault(index, place)
    for side in ("left", "right"):  # Human3.6M calls ankles feet
        index, foot = skeleton.INDEX[f"{side}_ankle"], f"{side}_foot"
        if index not in places and foot in canonical:
            places[index] = canonical.index(foot)
    return sorted(places.items())


def closest_skeleton(names: tuple[str, ...]) -> str | None:
    """The known skeleton of these names in any order, slips of the pen included. Names of its own
    make it another skeleton: PoseTrack shares 15 of 17 with COCO."""
    canonical = list(map(canonical_name, names))
    for title, known in SKELETONS.items():
        missing = [name for name in known if name not in canonical]
        own = [name for name in canonical if name not in known]
        slips = all(get_close_matches(name, missing, 1, 0.75) for name in own)
        slips = slips or (len(own) == 1 and len(missing) == 1)
        if len(known) == len(names) and len(missing) <= len(known) / 4 and slips:
            return title
    return None
