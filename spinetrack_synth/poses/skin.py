"""The skin as the poses feel it: points that ride on the bodies, sorted into patches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.anatomy.kinematics import body_transforms, points_world
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.compiled import njit
from spinetrack_synth.poses.regions import PATCHES, REGIONS

NEEDED: Final = (
    "pelvis",
    "skull",
    *(
        f"{body}_{side}"
        for body in ("femur", "tibia", "calcn", "toes", "humerus", "ulna", "hand")
        for side in "rl"
    ),
)
"""Bodies that must carry skin for the patches to be found."""


@dataclass(frozen=True)
class SkinProbe:
    """Points of the skin, each fixed to a body.

    ``body`` (V,) index into ``Tree.bodies``; ``offset_m`` (V, 3) in that body and ``normal``
    (V, 3), the skin's outward direction there; ``patches`` maps every patch of
    ``regions.PATCHES`` to the indices of its points.
    """

    body: NDArray[np.int64]
    offset_m: NDArray[np.float64]
    normal: NDArray[np.float64]
    patches: dict[str, NDArray[np.int64]]


def skin_points(tree: Tree, q: ArrayLike, skin: SkinProbe) -> NDArray[np.float64]:
    """Points of the probe in the world, (V, 3) m."""
    return points_world(body_transforms(tree, q), skin.body, skin.offset_m)


def refresh(skin: SkinProbe, tree: Tree, q: ArrayLike, skin_world: ArrayLike) -> SkinProbe:
    """The same points where the deformed skin ``skin_world`` (V, 3) m has them at q (n,)."""
    return replace(skin, offset_m=offsets_m(tree, q, skin.body, skin_world))


def probe_from_skin(
    tree: Tree,
    q_rest: ArrayLike,
    skin_world: ArrayLike,
    skin_body: ArrayLike,
    faces: NDArray[np.integer],
) -> SkinProbe:
    """A probe of a closed skin, its patches found by anatomy.

    ``skin_world`` (V, 3) m is the skin in the posture ``q_rest``, ``skin_body`` (V,) the body each
    point moves with; ``faces`` (F, 3) or (F, 4) turn counterclockwise seen from outside. The
    patches are cut in the anatomical position (all coordinates zero).
    Raises ValueError where a body of ``NEEDED`` has no skin or a patch stays empty.
    """
    body = np.asarray(skin_body, dtype=np.int64)
    bare = [name for name in NEEDED if tree.body_index[name] not in body]
    if bare:
        raise ValueError(f"no skin on the bodies {', '.join(bare)}")
    offset_m = offsets_m(tree, q_rest, body, skin_world)
    rest2world = body_transforms(tree, np.asarray(q_rest, dtype=float))[body, :3, :3]
    outward = np.einsum("vji,vj->vi", rest2world, _normals(np.asarray(skin_world), faces))
    anatomical = np.zeros(len(tree.coordinates))
    body2world = body_transforms(tree, anatomical)
    probe = SkinProbe(body, offset_m, outward, {})
    points = skin_points(tree, anatomical, probe)
    joints = {name: body2world[index, :3, 3] for index, name in enumerate(tree.bodies)}
    names = np.array(tree.bodies)[body]
    found = _midline_patches(points, names, joints)
    for side, sign in (("right", 1.0), ("left", -1.0)):
        sideways = points * (1.0, 1.0, sign)
        found |= {
            f"{side}_{patch}": mask
            for patch, mask in _side_patches(sideways, names, joints, side[0], sign).items()
        }
    patches = {patch: np.flatnonzero(found[patch]) for patch in PATCHES}
    empty = [patch for patch, indices in patches.items() if not len(indices)]
    if empty:
        raise ValueError(f"no skin points in the patches {', '.join(empty)}")
    return replace(probe, patches=patches)


def region_points(skin: SkinProbe, region: str) -> NDArray[np.int64]:
    """Indices of the points of a region."""
    return np.concatenate([skin.patches[patch] for patch in REGIONS[region]])


def offsets_m(
    tree: Tree, q: ArrayLike, body: NDArray[np.int64], skin_world: ArrayLike
) -> NDArray[np.float64]:
    """Points (V, 3) m of the world in the frames of their bodies (V,) at q (n,)."""
    return _offsets(body_transforms(tree, q), body, np.ascontiguousarray(skin_world, dtype=float))


@njit()
def _offsets(
    body2world: NDArray[np.float64], body: NDArray[np.int64], points: NDArray[np.float64]
) -> NDArray[np.float64]:
    offsets = np.empty_like(points)
    for p in range(len(points)):
        frame = body2world[body[p]]
        x, y, z = points[p, 0] - frame[0, 3], points[p, 1] - frame[1, 3], points[p, 2] - frame[2, 3]
        for i in range(3):
            offsets[p, i] = frame[0, i] * x + frame[1, i] * y + frame[2, i] * z
    return offsets


def _normals(points: NDArray, faces: NDArray[np.integer]) -> NDArray[np.float64]:
    """Unit normals (V, 3) by the area of the faces about each point; 0 where there are none."""
    corner = points[faces]
    across = np.cross(corner[:, 2] - corner[:, 0], corner[:, -1] - corner[:, 1])
    total = np.zeros_like(points, dtype=float)
    for k in range(faces.shape[1]):
        np.add.at(total, faces[:, k], across)
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)


Points = NDArray[np.float64]
Mask = NDArray[np.bool_]


def _side_patches(
    points: Points, names: NDArray[np.str_], joints: dict[str, Points], s: str, sign: float
) -> dict[str, Mask]:
    """Patches of one side; z of the points grows away from the midline. Lengths in metres."""
    x, y, z = points.T
    at = {name: joint * (1.0, 1.0, sign) for name, joint in joints.items()}

    def on(*bodies: str) -> Mask:
        return np.isin(names, [f"{body}_{s}" for body in bodies])

    def along(top: Points, bottom: Points, start: float, end: float) -> Mask:
        """Between two fractions of the way down from one joint to another."""
        fraction = (top[1] - y) / (top[1] - bottom[1])
        return (start <= fraction) & (fraction <= end)

    hip, knee, ankle = at[f"femur_{s}"], at[f"tibia_{s}"], at[f"talus_{s}"]
    mtp, shoulder = at[f"toes_{s}"], at[f"humerus_{s}"]
    elbow, wrist = at[f"ulna_{s}"], at[f"hand_{s}"]

    foot = on("talus", "calcn", "toes")
    sole = foot & (y < mtp[1])
    medial_foot = z < np.median(z[on("toes")])
    toe_line = mtp[0] + 0.35 * (x[foot].max() - mtp[0])
    ball = sole & (np.abs(x - mtp[0]) < 0.03)
    forefoot = (y < mtp[1] + 0.005) & foot & (x > mtp[0] - 0.03)
    edge = np.median(z[foot]) + 0.6 * (z[foot].max() - np.median(z[foot]))

    hand = on("hand")
    finger_end = y[hand].min()
    palmar = hand & (x > np.median(x[hand]) - 0.003)
    finger_tip = np.array([0.0, finger_end, 0.0])
    proximal, fingers = along(wrist, finger_tip, 0.0, 0.35), along(wrist, finger_tip, 0.62, 1.0)
    radial = z > np.median(z[hand])

    thigh, shank, forearm, upper_arm = on("femur"), on("tibia"), on("ulna", "radius"), on("humerus")
    medial_thigh = z < hip[2] + (knee[2] - hip[2]) * (hip[1] - y) / (hip[1] - knee[1]) - 0.03
    trunk_side = np.isin(names, ["pelvis", "sacrum", f"femur_{s}"])
    buttock_back = np.quantile(x[trunk_side & (np.abs(y - hip[1]) < 0.08)], 0.5)
    skull, ears = names == "skull", at["skull"]
    waist = np.isin(names, ["L4", "L3", "L2", "L1"])

    return {
        "heel": foot & (x < ankle[0] + 0.005) & (y < ankle[1] - 0.01),
        "ball_medial": ball & medial_foot,
        "ball_lateral": ball & ~medial_foot,
        "forefoot_medial": forefoot & medial_foot,
        "forefoot_lateral": forefoot & ~medial_foot,
        "toe_pads": foot & (x > toe_line) & (y < mtp[1] + 0.01),
        "instep": foot & (y > mtp[1] - 0.005) & (x > ankle[0] + 0.03),
        "foot_edge": foot & (z > edge),
        "ankle": on("tibia", "talus", "calcn") & (np.abs(y - ankle[1]) < 0.04),
        "shin": shank & along(knee, ankle, 0.15, 0.75) & (x > ankle[0] + 0.01),
        "knee": (thigh | shank) & (np.abs(y - knee[1] + 0.01) < 0.08) & (x > knee[0] - 0.02),
        "kneecap": thigh & along(hip, knee, 0.8, 1.05) & (x > knee[0] + 0.02),
        "thigh_top": thigh & along(hip, knee, 0.45, 0.85) & (x > hip[0] + 0.02),
        "thigh_back": thigh & along(hip, knee, 0.5, 0.9) & (x < hip[0] - 0.02),
        "inner_thigh": thigh & along(hip, knee, 0.5, 0.9) & medial_thigh,
        "hip_side": trunk_side & (np.abs(y - hip[1]) < 0.09) & (z > hip[2] + 0.03),
        "buttock": trunk_side & (z > 0.01) & (x < buttock_back) & (y < hip[1] + 0.06)
        & (y > hip[1] - 0.14),
        "palm_heel": palmar & proximal,
        "palm_radial": palmar & fingers & radial,
        "palm_ulnar": palmar & fingers & ~radial,
        "fingertips": hand & (y < finger_end + 0.02),
        "hand_back": hand & ~palmar & ~proximal,
        "forearm_near_elbow": forearm & along(elbow, wrist, -0.1, 0.4),
        "forearm_near_wrist": forearm & along(elbow, wrist, 0.6, 1.0),
        "elbow": (upper_arm | forearm) & (np.abs(y - elbow[1]) < 0.05) & (x < elbow[0] + 0.01),
        "upper_arm": upper_arm & along(shoulder, elbow, 0.2, 1.0),
        "upper_arm_back": upper_arm & along(shoulder, elbow, 0.25, 0.8) & (x < shoulder[0]),
        "shoulder": (on("clavicle", "humerus") & (y > shoulder[1] - 0.05) & (x < shoulder[0] + 0.02)
        & (z > 0.5 * shoulder[2])),
        "occiput": skull & (z > 0.3 * z[skull].max()) & (x < ears[0] - 0.02)
        & (np.abs((y - ears[1]) / (y[skull].max() - ears[1]) - 0.4) < 0.3),
        "waist": waist & (z > 0.03) & (x < at["L3"][0] + 0.01),
    }  # fmt: skip


def _midline_patches(
    points: Points, names: NDArray[np.str_], joints: dict[str, Points]
) -> dict[str, Mask]:
    """Patches of the trunk and the head. Lengths in metres."""
    x, y, z = points.T

    def on(*bodies: str) -> Mask:
        return np.isin(names, bodies)

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
