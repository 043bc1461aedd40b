"""The patches of the skin, found by anatomy in the anatomical position. Lengths in metres."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Mask = NDArray[np.bool_]
Bodies = NDArray[np.int64]


def on_bodies(names: tuple[str, ...], body: Bodies, wanted: Collection[str]) -> Mask:
    """Which points are on a ``wanted`` one of the bodies ``names``; ``body`` (V,) tells theirs."""
    return np.array([name in wanted for name in names])[body]


@dataclass(frozen=True)
class _Side:
    """The skin as seen from one side: ``points`` (V, 3) whose z grows away from the midline, each
    on one, ``body`` (V,), of the bodies ``names``; ``joints`` (3,) of all bodies; ``letter`` r or
    l."""

    points: Points
    names: tuple[str, ...]
    body: Bodies
    joints: Mapping[str, Points]
    letter: str

    def on(self, *bodies: str) -> Mask:
        """Which points are on these bodies of the side."""
        return on_bodies(self.names, self.body, [f"{body}_{self.letter}" for body in bodies])

    def at(self, *bodies: str) -> Iterator[Points]:
        """The joints of bodies of the side."""
        return (self.joints[f"{body}_{self.letter}"] for body in bodies)

    def along(self, top: Points, bottom: Points, start: float, end: float) -> Mask:
        """Between two fractions of the way down from one joint to another."""
        fraction = (top[1] - self.points[:, 1]) / (top[1] - bottom[1])
        between: Mask = (start <= fraction) & (fraction <= end)
        return between


def side_patches(
    points: Points,
    names: tuple[str, ...],
    body: Bodies,
    joints: Mapping[str, Points],
    side: str,
) -> dict[str, Mask]:
    """Which of the points (V, 3), on these (V,) of the bodies ``names``, belong to each patch of
    the ``side``, right or left."""
    outward = np.array([1.0, 1.0, 1.0 if side == "right" else -1.0])
    mirrored = {name: joint * outward for name, joint in joints.items()}
    skin = _Side(points * outward, names, body, mirrored, side[0])
    found = _foot(skin) | _leg(skin) | _hand(skin) | _arm(skin) | _flank(skin)
    return {f"{side}_{patch}": mask for patch, mask in found.items()}


def _foot(skin: _Side) -> dict[str, Mask]:
    x, y, z = skin.points.T
    ankle, mtp = skin.at("talus", "toes")
    foot = skin.on("talus", "calcn", "toes")
    sole = foot & (y < mtp[1])
    medial_foot = z < np.median(z[skin.on("toes")])
    toe_line = mtp[0] + 0.35 * (x[foot].max() - mtp[0])
    ball = sole & (np.abs(x - mtp[0]) < 0.03)
    forefoot = (y < mtp[1] + 0.005) & foot & (x > mtp[0] - 0.03)
    edge = np.median(z[foot]) + 0.6 * (z[foot].max() - np.median(z[foot]))
    return {
        "heel": foot & (x < ankle[0] + 0.005) & (y < ankle[1] - 0.01),
        "ball_medial": ball & medial_foot,
        "ball_lateral": ball & ~medial_foot,
        "forefoot_medial": forefoot & medial_foot,
        "forefoot_lateral": forefoot & ~medial_foot,
        "toe_pads": foot & (x > toe_line) & (y < mtp[1] + 0.01),
        "instep": foot & (y > mtp[1] - 0.005) & (x > ankle[0] + 0.03),
        "foot_edge": foot & (z > edge),
        "ankle": skin.on("tibia", "talus", "calcn") & (np.abs(y - ankle[1]) < 0.04),
    }


def _leg(skin: _Side) -> dict[str, Mask]:
    x, y, z = skin.points.T
    hip, knee, ankle = skin.at("femur", "tibia", "talus")
    thigh, shank, along = skin.on("femur"), skin.on("tibia"), skin.along
    medial_thigh = z < hip[2] + (knee[2] - hip[2]) * (hip[1] - y) / (hip[1] - knee[1]) - 0.03
    return {
        "shin": shank & along(knee, ankle, 0.15, 0.75) & (x > ankle[0] + 0.01),
        "knee": (thigh | shank) & (np.abs(y - knee[1] + 0.01) < 0.08) & (x > knee[0] - 0.02),
        "kneecap": thigh & along(hip, knee, 0.8, 1.05) & (x > knee[0] + 0.02),
        "thigh_top": thigh & along(hip, knee, 0.45, 0.85) & (x > hip[0] + 0.02),
        "thigh_back": thigh & along(hip, knee, 0.5, 0.9) & (x < hip[0] - 0.02),
        "inner_thigh": thigh & along(hip, knee, 0.5, 0.9) & medial_thigh,
    }


def _hand(skin: _Side) -> dict[str, Mask]:
    x, y, z = skin.points.T
    (wrist,) = skin.at("hand")
    hand = skin.on("hand")
    finger_end = y[hand].min()
    palmar = hand & (x > np.median(x[hand]) - 0.003)
    finger_tip = np.array([0.0, finger_end, 0.0])
    proximal = skin.along(wrist, finger_tip, 0.0, 0.35)
    fingers = skin.along(wrist, finger_tip, 0.62, 1.0)
    radial = z > np.median(z[hand])
    return {
        "palm_heel": palmar & proximal,
        "palm_radial": palmar & fingers & radial,
        "palm_ulnar": palmar & fingers & ~radial,
        "fingertips": hand & (y < finger_end + 0.02),
        "hand_back": hand & ~palmar & ~proximal,
    }


def _arm(skin: _Side) -> dict[str, Mask]:
    x, y, z = skin.points.T
    shoulder, elbow, wrist = skin.at("humerus", "ulna", "hand")
    forearm, upper_arm, along = skin.on("ulna", "radius"), skin.on("humerus"), skin.along
    return {
        "forearm_near_elbow": forearm & along(elbow, wrist, -0.1, 0.4),
        "forearm_near_wrist": forearm & along(elbow, wrist, 0.6, 1.0),
        "elbow": (upper_arm | forearm) & (np.abs(y - elbow[1]) < 0.05) & (x < elbow[0] + 0.01),
        "upper_arm": upper_arm & along(shoulder, elbow, 0.2, 1.0),
        "upper_arm_back": upper_arm & along(shoulder, elbow, 0.25, 0.8) & (x < shoulder[0]),
        "shoulder": skin.on("clavicle", "humerus") & (y > shoulder[1] - 0.05)
        & (x < shoulder[0] + 0.02) & (z > 0.5 * shoulder[2]),
    }  # fmt: skip


def _flank(skin: _Side) -> dict[str, Mask]:
    """Hip, buttock, waist and the back of the head on one side."""
    x, y, z = skin.points.T
    (hip,) = skin.at("femur")
    trunk_side = on_bodies(skin.names, skin.body, ["pelvis", "sacrum", f"femur_{skin.letter}"])
    buttock_back = np.quantile(x[trunk_side & (np.abs(y - hip[1]) < 0.08)], 0.5)
    skull, ears = on_bodies(skin.names, skin.body, ["skull"]), skin.joints["skull"]
    waist = on_bodies(skin.names, skin.body, ["L4", "L3", "L2", "L1"])
    return {
        "hip_side": trunk_side & (np.abs(y - hip[1]) < 0.09) & (z > hip[2] + 0.03),
        "buttock": trunk_side & (z > 0.01) & (x < buttock_back) & (y < hip[1] + 0.06)
        & (y > hip[1] - 0.14),
        "occiput": skull & (z > 0.3 * z[skull].max()) & (x < ears[0] - 0.02)
        & (np.abs((y - ears[1]) / (y[skull].max() - ears[1]) - 0.4) < 0.3),
        "waist": waist & (z > 0.03) & (x < skin.joints["L3"][0] + 0.01),
    }  # fmt: skip


def midline_patches(
    points: Points, names: tuple[str, ...], body: Bodies, joints: Mapping[str, Points]
) -> dict[str, Mask]:
    """The same of the patches of the trunk and the head."""
    x, y, z = points.T

    def on(*bodies: str) -> Mask:
        return on_bodies(names, body, bodies)

    upper_thorax = on("C7", *(f"T{level}" for level in range(1, 10)), "clavicle_r", "clavicle_l")
    skull = on("skull")
    ears = joints["skull"]
    crown, brow = y[skull].max(), x[skull].max()
    face = x > ears[0] + 0.6 * (brow - ears[0])
    head_width = np.abs(z[skull]).max()
    height = (y - ears[1]) / (crown - ears[1])
    low_trunk = on("pelvis", "L5", "L4", "L3", "femur_r", "femur_l") & (y > joints["femur_r"][1])
    return {
        "belly": low_trunk & (x > joints["L3"][0] + 0.04),
        "chest": on(*(f"T{level}" for level in range(3, 11))) & (x > joints["T8"][0] + 0.08),
        "upper_back": upper_thorax & (x < joints["T8"][0] - 0.02) & (y < joints["T1"][1]),
        "crown": skull & (height > 0.8),
        "forehead": skull & (height > 0.4) & (height < 0.85) & face,
        "back_of_head": skull & (height > 0.05) & (height < 0.9) & (x < ears[0] - 0.02),
        "head_left": skull & (height > 0.1) & (height < 0.9) & (z < -0.6 * head_width),
        "head_right": skull & (height > 0.1) & (height < 0.9) & (z > 0.6 * head_width),
    }
