"""Anatomical landmarks of a body at rest: where its joints are, and how deep the spine must lie.

The rig that comes with the body data serves the limbs; its spine and hips say little about bones
(its spine joints lie 12-107 mm under the skin of the back), so these are placed from the skin.
All positions are in the world axes of ``RestBody``, metres.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars.array_types import Array, Ints
from spinetrack_synth.avatars.assets import ARM_BONES, BodyData
from spinetrack_synth.avatars.body import RestBody, Subject, body_vertices, shape

SIDES = (("l", ".L", -1.0), ("r", ".R", 1.0))
"""Suffix of our model, suffix of the rig, sign of world Z."""

BODY_DENSITY = 1010.0
"""kg/m3, whole adult body with residual air (Durnin & Womersley 1974: 1000-1070 without it)."""

# Depth of the vertebral-body centre under the skin of the back in the midline, mm: depth of the
# epidural space (C5-T1 Han 2003; T1/2 Aldrete 1998; thorax JCDR 2024; lumbar MRI n=227) plus about
# 15 mm of canal plus half a vertebral body (8 neck, 13 thorax, 17 lumbar). Men, women.
_DEPTH_MM: dict[str, tuple[float, float]] = {
    "S2": (62.0, 58.0),
    "L5": (90.0, 82.0),
    "L3": (84.0, 77.0),
    "L1": (75.0, 69.0),
    "T10": (73.0, 67.0),
    "T8": (73.0, 67.0),
    "T5": (74.0, 67.0),
    "T3": (74.0, 66.0),
    "T1": (73.0, 65.0),
    "C7": (70.0, 61.0),
    "C5": (64.0, 56.0),
    "C3": (59.0, 53.0),
    "C1": (58.0, 52.0),
}
_DEPTH_MM_PER_KG = {"male": (0.37, 74.0), "female": (0.18, 60.0)}
"""Growth of the depth with body mass and the mass where the table holds (So 1997, L3/4)."""


HEAVIEST_FOR_HIPS = 1.0
"""Weight, in the shape space's units, beyond which fat hangs below the crotch that hips are found
by: at 1.45 they would stand a quarter of the thigh too low."""


@dataclass(frozen=True)
class Landmarks:
    """Joint centres and skin profile of one body at rest.

    ``joints`` name -> (3,) m with names such as ``hip_l``, ``knee_r``;
    ``surface`` COCO keypoint name -> (3,) m on the skin; ``profile_height_m`` (H,) with
    ``back_m`` and ``front_m`` (H,) the X of the skin in the midline and ``flank_m`` (H, 2) X and
    half width of the trunk where it is widest, arms left out; ``c7_height_m`` the height of
    the body of C7; ``mass_kg`` from the volume of the mesh.
    """

    joints: dict[str, Array]
    surface: dict[str, Array]
    profile_height_m: Array
    back_m: Array
    front_m: Array
    flank_m: Array
    c7_height_m: float
    stature_m: float
    mass_kg: float


def find_landmarks(data: BodyData, rest: RestBody, subject: Subject) -> Landmarks:
    """Landmarks of a subject's body at rest."""
    skin = rest.vertices_world[body_vertices(data)]
    stature = subject.stature_m
    height, back, front = _sagittal_profile(data, skin)
    joints: dict[str, Array] = {}
    for side, suffix, _ in SIDES:
        joints |= _limb_joints(data, rest, skin, side, suffix)
    joints |= _hip_centres(data, _no_heavier(data, skin, subject), stature)
    return Landmarks(
        joints=joints,
        surface=_surface_points(data, rest, skin),
        profile_height_m=height,
        back_m=back,
        front_m=front,
        flank_m=_flank(data, skin, height),
        # The tip of C7's spinous process stands at 0.864 of stature (ANSUR 1988); in a neck that
        # leans forward its body lies some 20 mm lower. The nape of a mesh follows its shoulders,
        # so half of the height is taken from these.
        c7_height_m=float(np.mean([0.852 * stature, joints["shoulder_r"][1] + 0.053 * stature])),
        stature_m=stature,
        mass_kg=_volume_m3(data, skin) * BODY_DENSITY,
    )


def vertebral_depth_m(level: str, subject: Subject, mass_kg: float) -> float:
    """Depth of a vertebral-body centre under the midline skin of the back, for S2, L5 .. C1."""
    column = 0 if subject.sex == "male" else 1
    slope, reference = _DEPTH_MM_PER_KG[subject.sex]
    order = ["S2"] + [f"L{k}" for k in range(5, 0, -1)] + [f"T{k}" for k in range(12, 0, -1)]
    order += [f"C{k}" for k in range(7, 0, -1)]
    known = [order.index(name) for name in _DEPTH_MM]
    table = [depths[column] for depths in _DEPTH_MM.values()]
    depth_mm = float(np.interp(order.index(level), known, table))
    share = depth_mm / _DEPTH_MM["L3"][column]
    return (depth_mm + share * slope * (mass_kg - reference)) / 1000


@lru_cache(maxsize=1)
def dominant_bone(data: BodyData) -> Ints:
    """Rig bone with the largest weight at every vertex, (V,)."""
    best = np.argmax(data.weights, axis=1)
    dominant: Ints = data.weight_bone[np.arange(len(best)), best].astype(np.int64)
    return dominant


def _limb_joints(
    data: BodyData, rest: RestBody, skin: Array, side: str, suffix: str
) -> dict[str, Array]:
    head = {name: rest.bone_head[k] for k, name in enumerate(data.bones)}
    dominant = dominant_bone(data)[: len(skin)]
    joints = {"shoulder": head["upperarm01" + suffix]}
    for name, bone, above, around in (
        ("elbow", "lowerarm01", "upperarm01", ("upperarm", "lowerarm")),
        ("wrist", "wrist", "lowerarm01", ("lowerarm", "wrist", "metacarpal")),
        ("knee", "lowerleg01", "upperleg01", ("upperleg", "lowerleg")),
        ("ankle", "foot", "lowerleg01", ("lowerleg", "foot")),
    ):
        limb = skin[np.isin(dominant, data.bones_named(*around, ending=suffix))]
        joints[name] = _centre_of_section(limb, head[bone + suffix], head[above + suffix])
    toes = [head[f"toe{k}-1{suffix}"] for k in range(1, 6)]
    joints["toes"] = np.mean(toes, axis=0)
    joints["index_knuckle"] = head["finger2-1" + suffix]
    joints["little_knuckle"] = head["finger5-1" + suffix]
    joints["middle_knuckle"] = head["finger3-1" + suffix]
    return {f"{name}_{side}": point for name, point in joints.items()}


def _centre_of_section(limb: Array, joint: Array, parent: Array) -> Array:
    """The joint moved to the middle of the limb's cross-section there."""
    axis = (joint - parent) / np.linalg.norm(joint - parent)
    ring = limb[np.abs((limb - joint) @ axis) < 0.012]
    ring = ring[np.linalg.norm(ring - joint, axis=1) < 0.12]
    if len(ring) < 6:
        return joint
    across = ring - joint - np.outer((ring - joint) @ axis, axis)
    basis = np.linalg.svd(across - across.mean(axis=0), full_matrices=False)[2][:2]
    flat = across @ basis.T
    centre: Array = joint + ((flat.min(axis=0) + flat.max(axis=0)) / 2) @ basis
    return centre


def _no_heavier(data: BodyData, skin: Array, subject: Subject) -> Array:
    """The skin of the same person with no more fat than where the hips are looked for in it: what
    hangs between thighs beyond that would take the joints down with it."""
    if subject.weight <= HEAVIEST_FOR_HIPS:
        return skin
    leaner = shape(data, replace(subject, weight=HEAVIEST_FOR_HIPS))
    return leaner.vertices_world[body_vertices(data)]


def _hip_centres(data: BodyData, skin: Array, stature: float) -> dict[str, Array]:
    """Hip joint centres from the skin of the pelvis.

    Height: 0.047 of stature above the crotch (hip joint 0.52-0.53, crotch 0.477 of stature,
    ANSUR 1988); lateral: a quarter of the hip breadth (Harrington 2007 gives 86 mm for a pelvis
    of 240 mm between the spines, hip breadth 345 mm); depth: a little in front of the middle.
    """
    trunk = skin[~_arm_vertices(data, len(skin))]
    near = (np.abs(trunk[:, 1] - 0.48 * stature) < 0.06 * stature) & (np.abs(trunk[:, 2]) < 0.006)
    crotch = trunk[near][:, 1].min()
    height = crotch + 0.047 * stature
    band = trunk[np.abs(trunk[:, 1] - height) < 0.015]
    lateral = float(np.clip(0.25 * np.ptp(band[:, 2]), 0.045 * stature, 0.055 * stature))
    # A band high enough to hold vertices of front and back on every mesh of this coarseness.
    column = np.abs(np.abs(trunk[:, 2]) - lateral) < 0.03
    side = trunk[column & (np.abs(trunk[:, 1] - height) < 0.035)]
    back, front = side[:, 0].min(), side[:, 0].max()
    depth = back + 0.54 * (front - back)
    return {f"hip_{side}": np.array([depth, height, lateral * sign]) for side, _, sign in SIDES}


def _sagittal_profile(data: BodyData, skin: Array) -> tuple[Array, Array, Array]:
    """Back and front of the trunk, neck and head in the midline at a grid of heights."""
    edges = _midline_edges(data)
    a, b = skin[edges[:, 0]], skin[edges[:, 1]]
    low, high = np.minimum(a[:, 1], b[:, 1]), np.maximum(a[:, 1], b[:, 1])
    bottom, top = low.min() + 0.01, high.max() - 0.01
    height = np.linspace(bottom, top, 200)
    back, front = np.empty_like(height), np.empty_like(height)
    for k, y in enumerate(height):
        hit = (low <= y) & (high > y)
        t = (y - a[hit, 1]) / (b[hit, 1] - a[hit, 1])
        x = a[hit, 0] + t * (b[hit, 0] - a[hit, 0])
        back[k], front[k] = x.min(), x.max()
    return height, back, front


@lru_cache(maxsize=1)
def _arm_vertices(data: BodyData, count: int) -> NDArray[np.bool_]:
    return np.isin(dominant_bone(data)[:count], data.bones_named(*ARM_BONES))


def _flank(data: BodyData, skin: Array, height: Array) -> Array:
    """X and half width (H, 2) of the widest point of the trunk, right side, at each height."""
    right = skin[~_arm_vertices(data, len(skin)) & (skin[:, 2] > 0)]
    right = right[np.argsort(right[:, 1])]
    # Of the 80 vertices about each height the 40 nearest.
    start = np.clip(np.searchsorted(right[:, 1], height) - 40, 0, len(right) - 80)
    about = start[:, None] + np.arange(80)
    off = np.abs(right[about, 1] - height[:, None])
    nearest = np.take_along_axis(about, np.argpartition(off, 40, axis=1)[:, :40], axis=1)
    widest = np.argmax(right[nearest, 2], axis=1)
    flank: Array = right[nearest[np.arange(len(height)), widest]][:, [0, 2]]
    return flank


@lru_cache(maxsize=1)
def _midline_edges(data: BodyData) -> NDArray[np.int32]:
    """Edges of the skin that lie in the plane of symmetry of the base mesh."""
    quads = data.quads[data.faces_of("body")]
    edges = np.concatenate([quads[:, [i, (i + 1) % 4]] for i in range(4)])
    on_midline = np.abs(data.vertices[:, 0]) < 1e-3
    return np.unique(np.sort(edges[on_midline[edges].all(axis=1)], axis=1), axis=0)


def _surface_points(data: BodyData, rest: RestBody, skin: Array) -> dict[str, Array]:
    bones = {name: k for k, name in enumerate(data.bones)}
    dominant = dominant_bone(data)[: len(skin)]
    eye_height = rest.bone_head[bones["eye.L"]][1]
    midline = skin[np.abs(data.vertices[: len(skin), 0]) < 1e-3]
    face = midline[np.abs(midline[:, 1] - (eye_height - 0.035)) < 0.04]
    points = {
        "nose": face[np.argmax(face[:, 0])],
        "head": midline[np.argmax(midline[:, 1])],
    }
    for name, suffix in (("left", ".L"), ("right", ".R")):
        eye = data.quads[data.faces_of(f"helper-{name[0]}-eye")]
        points[f"{name}_eye"] = rest.vertices_world[np.unique(eye)].mean(axis=0)
        for toe, prefix in (("big_toe", "toe1-"), ("small_toe", "toe5-")):
            tip = skin[np.isin(dominant, data.bones_named(prefix, ending=suffix))]
            points[f"{name}_{toe}"] = tip[np.argmax(tip[:, 0])]
        foot = skin[np.isin(dominant, data.bones_named("foot", ending=suffix))]
        low = foot[foot[:, 1] < 0.032]
        points[f"{name}_heel"] = low[np.argmin(low[:, 0])]
    right, left = _tragus(data, skin, 1.0), _tragus(data, skin, -1.0)
    mirror = np.array([1.0, 1.0, -1.0])
    points["right_ear"] = (right + mirror * left) / 2
    points["left_ear"] = points["right_ear"] * mirror
    return points


def _tragus(data: BodyData, skin: Array, sign: float) -> Array:
    """Front of the ear at half its height: the vertices of the part mask 'ears' of that side."""
    ear = skin[_ear_vertices(data, len(skin)) & (skin[:, 2] * sign > 0)]
    middle = (ear[:, 1].min() + ear[:, 1].max()) / 2
    band = ear[np.abs(ear[:, 1] - middle) < 0.012]
    tragus: Array = band[np.argmax(band[:, 0])]
    return tragus


@lru_cache(maxsize=1)
def _ear_vertices(data: BodyData, count: int) -> NDArray[np.bool_]:
    quads, quads_uv = (table[data.faces_of("body")] for table in (data.quads, data.quads_uv))
    uv = np.zeros((count, 2))
    uv[quads.ravel()] = data.uv[quads_uv.ravel()]
    return data.mask_at("ears", uv) > 127


def _volume_m3(data: BodyData, skin: Array) -> float:
    quads = data.quads[data.faces_of("body")]
    a, b, c, d = (skin[quads[:, k]] for k in range(4))
    signed = np.einsum("ij,ij->i", a, np.cross(b, c)) + np.einsum("ij,ij->i", a, np.cross(c, d))
    return float(abs(signed.sum()) / 6)
