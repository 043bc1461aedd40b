"""The SpineTrack skeleton: 37 keypoints, their order, sigmas, groups, mirror twins and links.

Order, names and sigmas are those of SpineTrack's COCO files (Khan et al. 2025). Left and right are
the subject's. This module imports nothing of the project.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Group = Literal["body", "axis", "spine", "feet", "shoulder girdle"]


@dataclass(frozen=True)
class Keypoint:
    """One of the 37 points: COCO name, anatomical level, OKS sigma and group."""

    name: str
    anatomy: str
    sigma: float
    group: Group


def _pair(name: str, anatomy: str, sigma: float, group: Group) -> tuple[Keypoint, Keypoint]:
    return (
        Keypoint(f"left_{name}", anatomy, sigma, group),
        Keypoint(f"right_{name}", anatomy, sigma, group),
    )


KEYPOINTS: Final[tuple[Keypoint, ...]] = (
    Keypoint("nose", "tip of the nose", 0.026, "body"),
    *_pair("eye", "centre of the eyeball", 0.025, "body"),
    *_pair("ear", "tragus", 0.035, "body"),
    *_pair("shoulder", "glenohumeral joint centre", 0.079, "body"),
    *_pair("elbow", "elbow joint centre", 0.072, "body"),
    *_pair("wrist", "wrist joint centre", 0.062, "body"),
    *_pair("hip", "hip joint centre", 0.107, "body"),
    *_pair("knee", "knee joint centre", 0.087, "body"),
    *_pair("ankle", "ankle joint centre", 0.089, "body"),
    Keypoint("head", "top of the head (vertex)", 0.026, "axis"),
    Keypoint("neck", "centre of the C7 vertebral body", 0.04, "spine"),
    Keypoint("hip", "midpoint of the sacrum (S2)", 0.07, "spine"),
    *_pair("big_toe", "tip of the big toe", 0.079, "feet"),
    *_pair("small_toe", "tip of the small toe", 0.079, "feet"),
    *_pair("heel", "back of the heel", 0.079, "feet"),
    Keypoint("spine_01", "centre of the L5 vertebral body", 0.10, "spine"),
    Keypoint("spine_02", "centre of the L3 vertebral body", 0.10, "spine"),
    Keypoint("spine_03", "disc between T12 and L1", 0.10, "spine"),
    Keypoint("spine_04", "centre of the T8 vertebral body", 0.08, "spine"),
    Keypoint("spine_05", "centre of the T3 vertebral body", 0.08, "spine"),
    *_pair("latissimus", "lateral border of latissimus dorsi at T8", 0.12, "shoulder girdle"),
    *_pair("clavicle", "sternoclavicular joint", 0.07, "shoulder girdle"),
    Keypoint("neck_02", "disc between C3 and C4", 0.07, "spine"),
    Keypoint("neck_03", "centre of the C1 ring (atlas)", 0.06, "spine"),
)

NAMES: Final[tuple[str, ...]] = tuple(keypoint.name for keypoint in KEYPOINTS)
INDEX: Final[dict[str, int]] = {name: index for index, name in enumerate(NAMES)}
SIGMAS: Final[tuple[float, ...]] = tuple(keypoint.sigma for keypoint in KEYPOINTS)

SPINE: Final[tuple[int, ...]] = tuple(
    INDEX[name]
    for name in (
        "hip", "spine_01", "spine_02", "spine_03", "spine_04",
        "spine_05", "neck", "neck_02", "neck_03",
    )
)  # fmt: skip
"""The nine-point spine, caudal to cranial."""

SUBSETS: Final[dict[str, tuple[int, ...]]] = {
    "body": tuple(range(17)),
    "feet": tuple(range(20, 26)),
    "spine": tuple(reversed(SPINE)),
    "all": tuple(range(len(KEYPOINTS))),
}
"""Evaluation subsets as SpinePose reports them."""

MIRROR_PAIRS: Final[tuple[tuple[int, int], ...]] = tuple(
    (index, INDEX["right_" + name.removeprefix("left_")])
    for index, name in enumerate(NAMES)
    if name.startswith("left_")
)

MIRROR: Final[tuple[int, ...]] = tuple(
    dict(MIRROR_PAIRS + tuple((right, left) for left, right in MIRROR_PAIRS)).get(index, index)
    for index in range(len(KEYPOINTS))
)
"""Index of each keypoint's mirror twin (itself on the midline)."""


def _links() -> tuple[tuple[int, int], ...]:
    chain = [*(NAMES[index] for index in SPINE), "head"]
    links = [*zip(chain, chain[1:]), ("nose", "head")]
    for side in ("left", "right"):
        leg = [f"{side}_ankle", f"{side}_knee", f"{side}_hip", "hip"]
        arm = ["spine_05", *(f"{side}_{p}" for p in ("clavicle", "shoulder", "elbow", "wrist"))]
        links += [*zip(leg, leg[1:]), *zip(arm, arm[1:])]
        links += [("spine_04", f"{side}_latissimus")]
        links += [("nose", f"{side}_eye"), (f"{side}_eye", f"{side}_ear")]
        links += [(f"{side}_ankle", f"{side}_{p}") for p in ("big_toe", "small_toe", "heel")]
    return tuple((INDEX[a], INDEX[b]) for a, b in links)


LINKS: Final[tuple[tuple[int, int], ...]] = _links()
"""Pairs of keypoints to draw a line between (0-based; COCO files write them 1-based)."""
