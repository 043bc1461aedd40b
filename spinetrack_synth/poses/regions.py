"""Regions of the skin that touch the floor or each other, and the patches they are made of."""

from __future__ import annotations

from typing import Final

_OF_A_SIDE: Final[dict[str, tuple[str, ...]]] = {
    "foot": ("heel", "ball_medial", "ball_lateral"),
    "toes": ("forefoot_medial", "forefoot_lateral"),
    "heel": ("heel",),
    "toe_pads": ("toe_pads",),
    "foot_top": ("instep",),
    "foot_edge": ("foot_edge",),
    "ankle": ("ankle",),
    "shin": ("shin",),
    "knee": ("knee",),
    "kneecap": ("kneecap",),
    "thigh_top": ("thigh_top",),
    "thigh_back": ("thigh_back",),
    "inner_thigh": ("inner_thigh",),
    "hip_side": ("hip_side",),
    "hand": ("palm_heel", "palm_radial", "palm_ulnar"),
    "fingertips": ("fingertips",),
    "hand_back": ("hand_back",),
    "forearm": ("forearm_near_elbow", "forearm_near_wrist"),
    "elbow": ("elbow",),
    "upper_arm": ("upper_arm",),
    "upper_arm_back": ("upper_arm_back",),
    "shoulder": ("shoulder",),
    "waist": ("waist",),
    "occiput": ("occiput",),
}
"""Regions of each side by the patches they are made of. Every patch of a contact touches the floor
with its lowest point, so a region of three patches lies flat."""

_OF_THE_MIDLINE: Final[dict[str, tuple[str, ...]]] = {
    "seat": ("left_buttock", "right_buttock"),
    "belly": ("belly",),
    "chest": ("chest",),
    "back": ("upper_back",),
    "upper_back": ("upper_back",),
    "shoulders": ("left_shoulder", "right_shoulder"),
    "head": ("crown",),
    "forehead": ("forehead",),
    "back_of_head": ("back_of_head",),
    "head_left": ("head_left",),
    "head_right": ("head_right",),
}

REGIONS: Final[dict[str, tuple[str, ...]]] = {
    **{
        f"{side}_{region}": tuple(f"{side}_{patch}" for patch in patches)
        for side in ("left", "right")
        for region, patches in _OF_A_SIDE.items()
    },
    **_OF_THE_MIDLINE,
}
"""Every region by name, with its patches."""

PATCHES: Final[tuple[str, ...]] = tuple(
    dict.fromkeys(patch for patches in REGIONS.values() for patch in patches)
)
"""Every patch, in the order in which a probe numbers them."""


def mirrored_name(name: str) -> str:
    """The region or patch on the other side, itself on the midline."""
    if name.startswith("left_"):
        return "right_" + name.removeprefix("left_")
    if name.startswith("right_"):
        return "left_" + name.removeprefix("right_")
    return {"head_left": "head_right", "head_right": "head_left"}.get(name, name)
