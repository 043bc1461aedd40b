"""Which movement a pose is a moment of: the poses before and after it, and the time between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from spinetrack_synth.anatomy.kinematics import body_transforms
from spinetrack_synth.anatomy.model import Tree, fullbody
from spinetrack_synth.poses.library import Pose, library, mirrored
from spinetrack_synth.poses.placement import (
    ROTATION,
    TRANSLATION,
    angles_zxy,
    indices,
    moved,
    rotation_zxy,
)
from spinetrack_synth.poses.sampling import pose_coordinates

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Movement:
    """The poses that a pose lies between, ``~`` before the name for the mirror image, and the
    seconds from one to the other. ``speed_m_s`` forward where nothing touches the floor."""

    before: str
    after: str
    seconds: float
    speed_m_s: float = 0.0


# Walking: a cycle of 1.1 s, phases at 0, 10, 20, 31, 42 and 60 % (Perry and Burnfield 2010).
# Running: a cycle of 0.7 s, stance to 36 % (Novacheck 1998, 3.2 m/s). Sprints, kicks, punches and
# cartwheels: own estimates.
MOVEMENTS: Final[Mapping[str, Movement]] = MappingProxyType({
    "walk_initial_contact": Movement("~walk_terminal_stance", "walk_loading", 0.20),
    "walk_loading": Movement("walk_initial_contact", "walk_mid_stance", 0.22),
    "walk_mid_stance": Movement("walk_loading", "walk_late_mid_stance", 0.23),
    "walk_late_mid_stance": Movement("walk_mid_stance", "walk_terminal_stance", 0.24),
    "walk_terminal_stance": Movement("walk_late_mid_stance", "~walk_initial_contact", 0.21),
    "walk_toe_off": Movement("~walk_initial_contact", "~walk_mid_stance", 0.22),
    "walk_stooped": Movement("~walk_terminal_stance", "walk_loading", 0.26),
    "walk_trunk_lean": Movement("walk_loading", "walk_late_mid_stance", 0.26),
    "walk_fast": Movement("~walk_terminal_stance", "walk_loading", 0.16),
    "run_foot_strike": Movement("~run_flight_late", "run_mid_stance", 0.12),
    "run_mid_stance": Movement("run_foot_strike", "run_toe_off", 0.25),
    "run_toe_off": Movement("run_mid_stance", "run_flight_early", 0.19),
    "run_flight_early": Movement("run_toe_off", "run_flight_late", 0.08, 3.2),
    "run_flight_late": Movement("run_flight_early", "~run_foot_strike", 0.06, 3.2),
    "jog_mid_stance": Movement("run_foot_strike", "jog_toe_off", 0.28),
    "jog_toe_off": Movement("jog_mid_stance", "run_flight_early", 0.22),
    "sprint_toe_off": Movement("run_mid_stance", "sprint_flight", 0.14),
    "sprint_flight": Movement("sprint_toe_off", "~run_foot_strike", 0.10, 8.0),
    "kick_front_chamber": Movement("guard_boxing", "kick_front", 0.40),
    "kick_front": Movement("kick_front_chamber", "kick_front", 0.18),
    "kick_side_chamber": Movement("guard_boxing", "kick_side", 0.45),
    "kick_side": Movement("kick_side_chamber", "kick_side", 0.20),
    "kick_roundhouse_chamber": Movement("guard_boxing", "kick_roundhouse", 0.40),
    "kick_roundhouse": Movement("kick_roundhouse_chamber", "kick_roundhouse", 0.18),
    "kick_jumping_front": Movement("kick_front_chamber", "kick_jumping_front", 0.18, 1.5),
    "punch_straight": Movement("guard_boxing", "punch_straight", 0.15),
    "punch_jab": Movement("guard_boxing", "punch_jab", 0.15),
    "punch_cross": Movement("guard_boxing", "punch_cross", 0.18),
    "punch_hook": Movement("guard_boxing", "punch_hook", 0.18),
    "punch_uppercut": Movement("guard_boxing", "punch_uppercut", 0.18),
    "strike_elbow": Movement("guard_boxing", "strike_elbow", 0.18),
    "block_rising": Movement("guard_boxing", "block_rising", 0.20),
    "cartwheel_hand_down": Movement("cartwheel_start", "cartwheel_upside_down", 0.45),
    "cartwheel_upside_down": Movement("cartwheel_hand_down", "cartwheel_second_hand", 0.45),
    "cartwheel_second_hand": Movement("cartwheel_upside_down", "cartwheel_landing", 0.45),
    "split_leap": Movement("split_leap", "split_leap", 0.2, 3.0),
})  # fmt: skip


def moves(pose: Pose) -> bool:
    """Whether a pose is a moment of a movement that is known. Who holds something stands still."""
    return pose.name in MOVEMENTS and not pose.holds


def later(tree: Tree, pose: Pose, q: Array, seconds: float) -> Array:
    """The posture a moment after q (n,), which is somebody's variation of a pose that moves.

    Joints turn as from the pose before to the one after, on the average; what a moment so short
    does is straight on. The floor's contacts stay where they are.
    """
    rate, turn = _rates(pose.name)
    if pose.coordinates != library()[pose.name].coordinates:
        rate, turn = _mirrored_rates(pose.name)
    angles, place = indices(tree, ROTATION), indices(tree, TRANSLATION)
    after = q + seconds * rate
    turned = rotation_zxy(q[angles]) @ Rotation.from_rotvec(seconds * turn).as_matrix()
    after[angles] = angles_zxy(turned, near_rad=q[angles])
    forward = rotation_zxy(q[angles])[:, 0] * [1.0, 0.0, 1.0]
    forward /= max(float(np.linalg.norm(forward)), 1e-9)
    after[place] = q[place] + seconds * MOVEMENTS[pose.name].speed_m_s * forward
    bodies = [tree.body_index[name] for name in _standing(pose)]
    if bodies:
        here, there = (body_transforms(tree, x)[bodies, :3, 3] for x in (q, after))
        after = moved(tree, after, (here - there).mean(axis=0))
    return after


def _standing(pose: Pose) -> list[str]:
    """The bodies that rest on the floor."""
    found = []
    for contact in pose.contacts:
        side, _, region = contact.partition("_")
        if region in _CARRIERS:
            found.append(f"{_CARRIERS[region]}_{side[0]}")
    return found


_CARRIERS: Final = {"foot": "calcn", "heel": "calcn", "toes": "toes", "hand": "hand"}


@cache
def _rates(name: str) -> tuple[Array, Array]:
    """Coordinates (n,) a second of a pose as written, and the pelvis's turn (3,) rad/s about its
    own axes; the pelvis's coordinates stand still."""
    movement = MOVEMENTS[name]
    return _between(movement.before, movement.after, movement.seconds)


@cache
def _mirrored_rates(name: str) -> tuple[Array, Array]:
    movement = MOVEMENTS[name]
    before, after = (
        end.removeprefix("~") if end.startswith("~") else f"~{end}"
        for end in (movement.before, movement.after)
    )
    return _between(before, after, movement.seconds)


def _between(before: str, after: str, seconds: float) -> tuple[Array, Array]:
    tree = fullbody()
    start, end = (pose_coordinates(tree, _named(name)) for name in (before, after))
    angles = indices(tree, ROTATION)
    turn = rotation_zxy(start[angles]).T @ rotation_zxy(end[angles])
    rate = (end - start) / seconds
    rate[[*angles, *indices(tree, TRANSLATION)]] = 0.0
    return rate, np.asarray(Rotation.from_matrix(turn).as_rotvec() / seconds)


def _named(name: str) -> Pose:
    return mirrored(library()[name[1:]]) if name.startswith("~") else library()[name]
