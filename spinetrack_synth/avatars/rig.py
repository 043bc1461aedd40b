"""Fitting the OpenSim model into a body at rest: the bones that move the skin.

The model is scaled segment by segment and posed until its joint centres lie in the limbs and its
vertebrae at their depth under the skin of the back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
from scipy.optimize import least_squares

from spinetrack_synth.anatomy.kinematics import (
    all_coordinates,
    body_transforms,
    coordinates_from,
)
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.anatomy.scaling import scale_tree, with_marker_offsets
from spinetrack_synth.avatars.array_types import Array
from spinetrack_synth.avatars.assets import BodyData
from spinetrack_synth.avatars.body import Subject
from spinetrack_synth.avatars.landmarks import Landmarks, vertebral_depth_m
from spinetrack_synth.avatars.spines import Spine, turns
from spinetrack_synth.rotations import about_x, about_y, about_z

LUMBAR = tuple(f"L{k}" for k in range(5, 0, -1))
THORACIC = tuple(f"T{k}" for k in range(12, 0, -1))
CERVICAL = tuple(f"C{k}" for k in range(7, 0, -1))
VERTEBRAE = LUMBAR + THORACIC + CERVICAL
"""Caudal to cranial."""

TWIST_FREE = ("humerus_r", "humerus_l", "femur_r", "femur_l")
"""Bodies that get a second bone without their axial twist, appended after the bodies."""

_MODEL_STATURE_M = 1.75
"""Stature of which the lengths in opensim_models/tables/joints.csv are shares. The model that is
built stands 1.753 m tall (`lengths.STATURE_M`), with which every rig would come out anew."""
_WRIST_TO_KNUCKLE_M = 0.100
"""Wrist joint to middle knuckle in a hand as long as the model's (190 mm)."""
_STERNOCLAVICULAR_DEPTH_M = 0.018
"""Joint centre under the skin of the throat: 10-15 mm of soft tissue and half the joint."""


@dataclass(frozen=True)
class Rig:
    """A model fitted to a body: its tree, scale factors (B, 3) and coordinates (n,) at rest.

    ``body2world`` (B, 4, 4) at rest.
    """

    tree: Tree
    scale_factors: Array
    coordinates: Array
    body2world: Array


def fit(model: Tree, landmarks: Landmarks, subject: Subject) -> Rig:
    """Scale and pose the model until it lies inside the body at rest.

    ``model`` is the unscaled coupled model. Raises ValueError where the fit does not converge.
    """
    factors, posture = _fit_spine(model, landmarks, subject)
    factors, sternoclavicular = _chest_factors(model, landmarks, factors, posture)
    factors = _limb_factors(model, landmarks, factors, sternoclavicular)
    tree = scale_tree(model, factors)
    coordinates = _fit_limbs(tree, landmarks, posture)
    body2world = body_transforms(tree, coordinates)
    tree = with_marker_offsets(tree, _surface_offsets(tree, landmarks, body2world))
    return Rig(tree, factors, coordinates, body2world)


def bent(rig: Rig, spine: Spine) -> Rig:
    """The same body with a spine that is not normal: at the same coordinates it stands shaped.

    Joints are turned in their rest frames; a short leg's bones are scaled; ranges narrowed.
    """
    tree = rig.tree
    index, chain = tree.body_index, tree.chain
    rows = [index[name] for name in VERTEBRAE]
    origins = rig.body2world[[*rows, index["skull"]], :3, 3]
    turned = turns(spine, np.linalg.norm(np.diff(origins, axis=0), axis=1))
    turn = {
        row: about_z(back) @ about_x(right) @ about_y(left)
        for row, (right, left, back) in zip(rows, turned)
    }
    for side in "rl":  # shoulders go with the chest, arms hang as they did
        clavicle = index[f"clavicle_{side}"]
        turn[clavicle] = turn[int(chain.parent[clavicle])]
    joint_in_parent = chain.joint_in_parent.copy()
    for row in (*rows, index["skull"], index["humerus_r"], index["humerus_l"]):
        parent = int(chain.parent[row])
        joint = rig.body2world[parent, :3, :3] @ joint_in_parent[row, :3, :3]
        above = turn.get(parent, np.eye(3)).T @ turn.get(row, np.eye(3))
        joint_in_parent[row, :3, :3] = joint_in_parent[row, :3, :3] @ joint.T @ above @ joint
    spinal = np.array([name.startswith(SPINAL) for name in tree.coordinates])
    narrowed = np.where(spinal, spine.mobility, 1.0)
    tree = replace(
        tree,
        chain=chain._replace(joint_in_parent=joint_in_parent),
        lower=tree.lower * narrowed,
        upper=tree.upper * narrowed,
    )
    shorter = np.ones((len(tree.bodies), 3))
    if spine.short_leg_m:
        side = "r" if spine.short_leg_m > 0 else "l"
        hip, ankle = (rig.body2world[index[f"{name}_{side}"], :3, 3] for name in ("femur", "talus"))
        share = abs(spine.short_leg_m) / np.linalg.norm(hip - ankle)
        shorter[[index[f"femur_{side}"], index[f"tibia_{side}"]], 1] = 1 - share
        tree = scale_tree(tree, shorter)
    body2world = body_transforms(tree, rig.coordinates)
    return Rig(tree, rig.scale_factors * shorter, rig.coordinates, body2world)


def with_short_leg(data: BodyData, vertices_world: Array, rig: Rig, shorter_m: float) -> Array:
    """Vertices (V, 3) with the right leg so much shorter, the left one where negative."""
    side, suffix = ("r", ".R") if shorter_m > 0 else ("l", ".L")
    index = rig.tree.body_index
    hip, ankle = (rig.body2world[index[f"{name}_{side}"], :3, 3] for name in ("femur", "talus"))
    leg = data.share_of(data.bones_named("upperleg", "lowerleg", "foot", "toe", ending=suffix))
    down = np.clip((vertices_world - hip) @ (ankle - hip) / ((ankle - hip) @ (ankle - hip)), 0, 1)
    up = abs(shorter_m) * _unit(hip - ankle)
    return np.asarray(vertices_world + (leg * down)[:, None] * up)


SPINAL = ("lumbar_", "thoracic_", "cervical_", "upper_cervical_", *(f"{v}_" for v in VERTEBRAE))
"""How the names of the spine's coordinates begin."""


def bone_names(tree: Tree) -> tuple[str, ...]:
    """Names of all bones: the bodies, then the twist-free ones as ``humerus_r_swing``."""
    return (*tree.bodies, *(f"{name}_swing" for name in TWIST_FREE))


def vertebral_centres(tree: Tree, body2world: Array) -> Array:
    """Centres of the 24 vertebral bodies, caudal to cranial, (24, 3) m.

    A vertebra's origin is the joint below it; its centre lies half way to the joint above.
    """
    origins = body2world[[tree.bodies.index(name) for name in (*VERTEBRAE, "skull")], :3, 3]
    return (origins[:-1] + origins[1:]) / 2


_ENOUGH: Final = {"ftol": 1e-4, "xtol": 1e-5}
"""When a fit ends: joints are within 0.4 mm of where they come to lie in the end."""

_SPINE_PARAMETERS = (
    "pelvis_tx", "pelvis_ty", "pelvis_tilt", "lumbar_extension", "thoracic_extension",
    "cervical_extension", "upper_cervical_extension",
)  # fmt: skip
_SPINE_PRIOR_SD = np.radians([12.0, 14.0, 12.0, 14.0, 10.0])
_LOG_SCALE_SD = np.log([1.06, 1.06, 1.08, 1.10, 1.08])


def _fit_spine(
    model: Tree, landmarks: Landmarks, subject: Subject
) -> tuple[Array, dict[str, float]]:
    """Scale factors of the axial skeleton and its posture at rest, in the sagittal plane."""
    stature_ratio = landmarks.stature_m / _MODEL_STATURE_M
    index = model.body_index
    rest_neutral = body_transforms(model, np.zeros(len(model.coordinates)))
    hip = (landmarks.joints["hip_l"] + landmarks.joints["hip_r"]) / 2
    width_factor = landmarks.joints["hip_r"][2] / rest_neutral[index["femur_r"]][2, 3]
    ears = (landmarks.surface["left_ear"] + landmarks.surface["right_ear"]) / 2
    # The atlanto-occipital joint lies below and a little behind the ear canal (model: 8, 22 mm).
    atlas = ears + np.array([-0.008, -0.022, 0.0]) * stature_ratio
    levels = [name for name in VERTEBRAE if name not in ("C1", "C2")]
    row = [VERTEBRAE.index(name) for name in levels]
    depth = np.array([vertebral_depth_m(name, subject, landmarks.mass_kg) for name in levels])
    sacral_depth = vertebral_depth_m("S2", subject, landmarks.mass_kg)

    def at(height: Array, profile: Array) -> Array:
        return np.interp(height, landmarks.profile_height_m, profile)

    back = np.stack([landmarks.back_m, landmarks.profile_height_m], axis=1)

    def depth_under_back(points: Array) -> Array:
        along, up = (np.subtract.outer(points[:, k], back[:, k]) for k in range(2))
        depth: Array = np.sqrt((along * along + up * up).min(axis=1))
        return depth

    spine = [index[name] for name in (*VERTEBRAE, "skull")]
    neutral = model.default_coordinates[model.free_index]
    turning = [model.free.index(name) for name in _SPINE_PARAMETERS]

    # Of the steps that a derivative takes most turn joints alone.
    @lru_cache(maxsize=1)
    def scaled(size: bytes) -> Tree:
        factors, _ = _axial(model, np.frombuffer(size), stature_ratio, width_factor)
        return scale_tree(replace(model, ties=()), factors)

    def residuals(x: Array) -> Array:
        tree = scaled(np.concatenate([np.zeros(7), x[7:]]).tobytes())
        z = neutral.copy()
        z[turning] = x[:7]
        body2world = body_transforms(tree, all_coordinates(tree, z))
        origins = body2world[spine, :3, 3]
        centres = (origins[:-1] + origins[1:]) / 2
        heights = centres[row, 1]
        thickness = at(heights, landmarks.front_m) - at(heights, landmarks.back_m)
        wanted = np.minimum(depth, 0.5 * thickness)
        sacrum = body2world[index["sacrum"], :2, 3]
        skull = body2world[index["skull"]]
        return np.concatenate(
            [
                (depth_under_back(centres[row, :2]) - wanted) / 0.006,
                (depth_under_back(sacrum[None]) - sacral_depth) / 0.006,
                (body2world[index["femur_r"], :2, 3] - hip[:2]) / 0.001,
                [(centres[VERTEBRAE.index("C7"), 1] - landmarks.c7_height_m) / 0.010],
                (skull[:2, 3] - atlas[:2]) / 0.002,
                [np.arctan2(skull[1, 0], skull[0, 0]) / np.radians(1.0)],
                x[2:7] / _SPINE_PRIOR_SD,
                x[7:] / _LOG_SCALE_SD,
            ]
        )

    start = np.zeros(12)
    pelvis_from_hip = -rest_neutral[index["femur_r"], :2, 3] * stature_ratio
    start[:2] = hip[:2] + pelvis_from_hip + rest_neutral[index["pelvis"], :2, 3] * stature_ratio
    solution = least_squares(residuals, start, x_scale="jac", max_nfev=60, **_ENOUGH)
    if not solution.success:
        raise ValueError(f"the spine does not fit subject {subject.subject_id}")
    factors, posture = _axial(model, solution.x, stature_ratio, width_factor)
    head = landmarks.surface["head"][1] - atlas[1]
    marker = dict(zip(model.marker_names, model.marker_offset_m, strict=True))
    factors[index["skull"]] = head / marker["head"][1]
    return factors, posture


def _axial(
    model: Tree, x: Array, stature_ratio: float, width_factor: float
) -> tuple[Array, dict[str, float]]:
    """Scale factors (B, 3) and posture of the parameters x (12,): seven of posture, and by how much
    lumbar, thoracic, cervical spine and the pelvis' depth and height differ from the stature."""
    scale = stature_ratio * np.exp(x[7:])
    factors = np.full((len(model.bodies), 3), stature_ratio)
    for name in ("pelvis", "sacrum"):
        factors[model.body_index[name]] = [scale[3], scale[4], width_factor]
    for group, value in ((LUMBAR, scale[0]), (THORACIC, scale[1]), (CERVICAL, scale[2])):
        factors[[model.body_index[name] for name in group], 1] = value
    return factors, dict(zip(_SPINE_PARAMETERS, x[:7], strict=True))


def _limb_factors(
    model: Tree, landmarks: Landmarks, factors: Array, sternoclavicular_r: Array
) -> Array:
    """Scale factors of the limbs from the distances between joint centres, both sides alike."""
    neutral = body_transforms(model, np.zeros(len(model.coordinates)))
    index = model.body_index
    joints = landmarks.joints | {"sternoclavicular_r": sternoclavicular_r}

    def length(a: str, b: str) -> float:
        return float(np.linalg.norm(joints[a] - joints[b]))

    def model_length(a: str, b: str) -> float:
        return float(np.linalg.norm(neutral[index[a], :3, 3] - neutral[index[b], :3, 3]))

    marker = dict(zip(model.marker_names, model.marker_offset_m, strict=True))
    big_toe = neutral[index["toes_r"], :3, 3] + marker["right_big_toe"]
    heel = neutral[index["calcn_r"], :3, 3] + marker["right_heel"]
    foot = landmarks.surface["right_big_toe"] - landmarks.surface["right_heel"]
    foot_factor = np.hypot(foot[0], foot[2]) / (big_toe[0] - heel[0])
    sole = neutral[index["talus_r"], 1, 3] - (big_toe[1] - 0.012)
    foot_height = joints["ankle_r"][1] / sole
    forearm = length("elbow_r", "wrist_r") / model_length("ulna_r", "hand_r")
    segments = {
        "clavicle": length("sternoclavicular_r", "shoulder_r")
        / model_length("clavicle_r", "humerus_r"),
        "humerus": length("shoulder_r", "elbow_r") / model_length("humerus_r", "ulna_r"),
        "ulna": forearm,
        "radius": forearm,
        "hand": length("wrist_r", "middle_knuckle_r") / _WRIST_TO_KNUCKLE_M,
        "femur": length("hip_r", "knee_r") / model_length("femur_r", "tibia_r"),
        "tibia": length("knee_r", "ankle_r") / model_length("tibia_r", "talus_r"),
    }
    scaled = factors.copy()
    for side in "rl":
        for name, factor in segments.items():
            scaled[index[f"{name}_{side}"]] = factor
        for name in ("talus", "calcn", "toes"):
            scaled[index[f"{name}_{side}"]] = [foot_factor, foot_height, foot_factor]
    return scaled


def _chest_factors(
    model: Tree, landmarks: Landmarks, factors: Array, posture: dict[str, float]
) -> tuple[Array, Array]:
    """Depth and width of the vertebra that carries the clavicles, and where the right one starts.

    The sternoclavicular joint keeps the model's level and comes to lie behind the skin there.
    """
    clavicle = model.bodies.index("clavicle_r")
    carrier = int(model.chain.parent[clavicle])
    scaled = factors.copy()
    for _ in range(3):  # the level moves a little with the depth
        tree = scale_tree(model, scaled)
        body2world = body_transforms(tree, coordinates_from(tree, posture))
        now = body2world[clavicle, :3, 3]
        front = np.interp(now[1], landmarks.profile_height_m, landmarks.front_m)
        wanted = np.array([front - _STERNOCLAVICULAR_DEPTH_M, now[1], 0.022, 1.0])
        wanted[2] *= landmarks.stature_m / _MODEL_STATURE_M
        world2carrier = np.linalg.inv(body2world[carrier])
        ratio = (world2carrier @ wanted)[:3] / (world2carrier @ np.append(now, 1.0))[:3]
        scaled[carrier, [0, 2]] *= ratio[[0, 2]]
    return scaled, wanted[:3]


_LIMB_COORDINATES = (
    "hip_flexion", "hip_adduction", "hip_rotation", "knee_angle", "ankle_angle",
    "subtalar_angle", "clavicle_elevation", "clavicle_protraction", "arm_flex", "arm_add",
    "arm_rot", "elbow_flex", "pro_sup", "wrist_flex", "wrist_dev",
)  # fmt: skip


def _fit_limbs(tree: Tree, landmarks: Landmarks, posture: dict[str, float]) -> Array:
    """Coordinates of the whole model at rest: right limbs are fitted, the left ones mirror them."""
    index = tree.body_index
    joints = landmarks.joints
    fingers = _unit(joints["middle_knuckle_r"] - joints["wrist_r"])
    thumbwards = _unit(joints["index_knuckle_r"] - joints["little_knuckle_r"])
    foot = joints["toes_r"] - landmarks.surface["right_heel"]
    toes_out = np.arctan2(foot[2], foot[0])
    foot_forward = np.array([np.cos(toes_out), 0.0, np.sin(toes_out)])
    knee_forward = np.array([np.cos(0.6 * toes_out), 0.0, np.sin(0.6 * toes_out)])
    bounds = {name: k for k, name in enumerate(tree.coordinates)}
    lower = np.array([tree.lower[bounds[f"{name}_r"]] for name in _LIMB_COORDINATES])
    upper = np.array([tree.upper[bounds[f"{name}_r"]] for name in _LIMB_COORDINATES])

    def coordinates(x: Array) -> Array:
        values = dict(posture)
        for name, value in zip(_LIMB_COORDINATES, x, strict=True):
            values[f"{name}_r"] = values[f"{name}_l"] = value
        return coordinates_from(tree, values)

    def residuals(x: Array) -> Array:
        body2world = body_transforms(tree, coordinates(x))

        def axis(name: str, k: int) -> Array:
            return body2world[index[name], :3, k]

        placed = [
            (body2world[index[body], :3, 3] - joints[joint]) / 0.002
            for body, joint in (
                ("tibia_r", "knee_r"), ("talus_r", "ankle_r"), ("humerus_r", "shoulder_r"),
                ("ulna_r", "elbow_r"), ("hand_r", "wrist_r"),
            )
        ]  # fmt: skip
        turned = [
            (axis("hand_r", 1) + fingers) / 0.05,
            (axis("hand_r", 2) - thumbwards) / 0.05,
            (axis("calcn_r", 0) - foot_forward) / 0.02,
            [axis("calcn_r", 1)[2] / 0.05],
            [(_unit(axis("femur_r", 0) * [1, 0, 1]) - knee_forward)[2] / 0.05],
        ]
        return np.concatenate([*placed, *turned, x / np.radians(200.0)])

    start = np.clip(np.radians([0, -8, 0, 2, 0, 0, 0, 0, 0, -40, 0, 30, 80, 0, 0]), lower, upper)
    start = np.clip(start, lower + 1e-3, upper - 1e-3)
    solution = least_squares(
        residuals, start, bounds=(lower, upper), x_scale=0.3, max_nfev=80, **_ENOUGH
    )
    return coordinates(solution.x)


def _surface_offsets(tree: Tree, landmarks: Landmarks, body2world: Array) -> dict[str, Array]:
    """Where this body has the markers on or just under the skin, in their bodies' frames."""
    level = vertebral_centres(tree, body2world)[VERTEBRAE.index("T8"), 1]
    flank = [np.interp(level, landmarks.profile_height_m, column) for column in landmarks.flank_m.T]
    points = dict(landmarks.surface)
    for side, sign in (("left", -1.0), ("right", 1.0)):
        # Posterior axillary line, 30 mm under the skin at rest: the arm draws the flank in.
        points[f"{side}_latissimus"] = np.array([flank[0] - 0.02, level, (flank[1] - 0.03) * sign])
    offsets = {}
    for name, point in points.items():
        world2body = np.linalg.inv(body2world[tree.marker_body[tree.marker_index[name]]])
        offsets[name] = (world2body @ np.append(point, 1.0))[:3]
    return offsets


def _unit(vector: Array) -> Array:
    return vector / np.linalg.norm(vector)
