"""The skin's weights on the bones of a rig.

Every vertex of the mesh is given to OpenSim bodies: limbs by the weights of MakeHuman's rig, the
trunk by position along the spine, so that every vertebra moves the back.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from spinetrack_synth.avatars.array_types import Array, Ints
from spinetrack_synth.avatars.assets import BodyData
from spinetrack_synth.avatars.body import RestBody
from spinetrack_synth.avatars.rig import LUMBAR, TWIST_FREE, VERTEBRAE, Rig, bone_names
from spinetrack_synth.avatars.weight_spread import spread
from spinetrack_synth.easing import smoothstep

_MAX_INFLUENCES = 8
_RIG_LIMBS = {
    "clavicle": "clavicle", "shoulder01": "clavicle", "upperarm01": "humerus",
    "upperarm02": "humerus", "lowerarm01": "forearm", "lowerarm02": "forearm", "wrist": "hand",
    "metacarpal": "hand", "finger": "hand", "upperleg01": "femur", "upperleg02": "femur",
    "lowerleg01": "tibia", "lowerleg02": "tibia", "foot": "calcn", "toe": "toes",
}  # fmt: skip
_RIG_TRUNK = ("root", "pelvis", "spine", "breast", "neck")
_SPREAD_M = {"lumbar": 0.020, "thoracic": 0.020, "cervical": 0.012}
_FLANK_BELOW_M = 0.06
"""Skin that lies deeper under a shoulder joint goes straight."""
_ON_ARM = (0.75, 0.25)
"""Where the arm's share is larger the skin turns with the arm, where smaller it goes straight."""
_DRAWN = 0.02
"""Where the arm's share is smaller the arm does not draw the skin."""
_RIB_SLOPE = 0.3
"""Fall of the ribs from the spine to the front, about 15-20 degrees."""


def skin_weights(data: BodyData, rest: RestBody, rig: Rig) -> tuple[NDArray[np.int32], Array]:
    """Bones (V, 8) and weights (V, 8) of all vertices of the base mesh.

    Bones below B are the model's bodies in the tree's order; B + k is ``TWIST_FREE[k]``.
    """
    index = rig.tree.body_index
    vertices = rest.vertices_world
    dense = np.zeros((len(vertices), len(bone_names(rig.tree))))
    limbs, head, trunk = _rig_shares(data)
    dense[:, index["skull"]] = head
    for (limb, side), (rows, share) in limbs.items():
        _spread_limb(dense, rows, share, limb, side, vertices, rig)
    held = np.flatnonzero(trunk)
    spine = trunk[held, None] * _spine_weights(vertices[held], rig)
    columns = np.array([index[name] for name in ("pelvis", *VERTEBRAE, "skull")])
    dense[np.ix_(held, columns)] += spine
    strongest = np.argpartition(-dense, _MAX_INFLUENCES, axis=1)[:, :_MAX_INFLUENCES]
    kept = np.take_along_axis(dense, strongest, axis=1)
    order = np.argsort(-kept, axis=1, kind="stable")
    strongest = np.take_along_axis(strongest, order, axis=1)
    kept = np.take_along_axis(kept, order, axis=1)
    return strongest.astype(np.int32), kept / kept.sum(axis=1, keepdims=True)


def chords(rest: RestBody, rig: Rig, bone: NDArray[np.int32], weight: Array) -> Array:
    """How much vertices (V,) go straight from where one bone has them to where another does, 0..1.

    All but the flanks turn about the joints. A raised arm draws the flank up along a line; turned
    about the shoulder it would stand out like a wing.
    """
    straight = np.zeros(len(weight))
    for side in "rl":
        arm = [f"{name}_{side}" for name in ("humerus", "ulna", "radius", "hand")]
        names = bone_names(rig.tree)
        own = np.array([name.removesuffix("_swing") in arm for name in names])
        share = np.where(own[bone], weight, 0.0).sum(axis=1)
        shoulder = rig.body2world[rig.tree.body_index[f"humerus_{side}"], :3, 3]
        below = smoothstep(0.0, _FLANK_BELOW_M, shoulder[1] - rest.vertices_world[:, 1])
        drawn = smoothstep(0.0, _DRAWN, share) * smoothstep(*_ON_ARM, share)
        straight = np.maximum(straight, below * drawn)
    return straight


_Limbs = dict[tuple[str, str], tuple[Ints, Array]]
"""(limb, side) -> vertices that the rig binds to it (N,) and how much (N,)."""


@lru_cache(maxsize=1)
def _rig_shares(data: BodyData) -> tuple[_Limbs, Array, Array]:
    """What MakeHuman's rig gives to limbs, head and trunk, spread, the same for all bodies: the
    limbs' vertices, and shares (V,) of head and trunk."""
    bones: dict[tuple[str, str], list[int]] = defaultdict(list)
    for bone, name in enumerate(data.bones):
        limb = _limb_of(name)
        if limb is None:
            bones["trunk" if name.startswith(_RIG_TRUNK) else "head", ""].append(bone)
        else:
            bones[limb, "l" if name.endswith(".L") else "r"].append(bone)
    share = {part: data.share_of(there).astype(np.float64) for part, there in bones.items()}
    total = np.sum(list(share.values()), axis=0)
    share["trunk", ""][total < 1e-6] = 1.0  # what nothing is bound to
    wide = spread(data, np.column_stack(list(share.values())), share["head", ""])
    share = dict(zip(share, wide.T))
    head, trunk = share.pop(("head", "")), share.pop(("trunk", ""))
    limbs = {part: (np.flatnonzero(column), column[column > 0]) for part, column in share.items()}
    return limbs, head, trunk


def _limb_of(rig_bone: str) -> str | None:
    stem = rig_bone.split(".")[0]
    for prefix, limb in _RIG_LIMBS.items():
        if stem.startswith(prefix):
            return limb
    return None


def _spread_limb(
    dense: Array,
    chosen: Ints,
    weight: Array,
    limb: str,
    side: str,
    vertices: Array,
    rig: Rig,
) -> None:
    """Give a rig bone's weights to OpenSim bodies; twist is spread along the limb."""
    index = rig.tree.body_index
    ends = {
        "humerus": (f"humerus_{side}", f"ulna_{side}", 0.1, 0.8),
        "femur": (f"femur_{side}", f"tibia_{side}", 0.1, 0.8),
        "forearm": (f"ulna_{side}", f"hand_{side}", 0.15, 0.95),
    }
    if limb not in ends:
        dense[chosen, index[f"{limb}_{side}"]] += weight
        return
    top, bottom, start, stop = ends[limb]
    origin = rig.body2world[index[top], :3, 3]
    axis = rig.body2world[index[bottom], :3, 3] - origin
    along = (vertices[chosen] - origin) @ axis / (axis @ axis)
    share = np.clip((along - start) / (stop - start), 0.0, 1.0)
    if limb == "forearm":
        first, second = index[f"ulna_{side}"], index[f"radius_{side}"]
    else:
        first = len(index) + TWIST_FREE.index(f"{limb}_{side}")
        second = index[f"{limb}_{side}"]
    dense[chosen, first] += weight * (1 - share)
    dense[chosen, second] += weight * share


def _spine_weights(vertices: Array, rig: Rig) -> Array:
    """Shares (V, 26) of pelvis, 24 vertebrae and skull by height along the spine.

    Each body owns the heights between its lower and its upper joint, blurred by a Gaussian; in
    front of the thoracic and cervical spine the levels fall with the slope of the ribs.
    """
    chain = [rig.tree.body_index[name] for name in (*VERTEBRAE, "skull")]
    joints = rig.body2world[chain, :3, 3]
    spread = np.array([_SPREAD_M[_region(name)] for name in VERTEBRAE] + [_SPREAD_M["cervical"]])
    slope = np.array([0.0 if name in LUMBAR else _RIB_SLOPE for name in VERTEBRAE] + [_RIB_SLOPE])
    slope = np.convolve(np.pad(slope, 2, mode="edge"), np.ones(5) / 5, mode="valid")
    depth_of_spine = np.interp(vertices[:, 1], joints[:, 1], joints[:, 0])
    fall = np.interp(vertices[:, 1], joints[:, 1], slope)
    level = vertices[:, 1] + fall * np.clip(vertices[:, 0] - depth_of_spine, -0.1, 0.2)
    below = ndtr((level[:, None] - joints[None, :, 1]) / spread)
    below = np.concatenate([np.ones((len(level), 1)), below, np.zeros((len(level), 1))], axis=1)
    shares: Array = np.maximum(below[:, :-1] - below[:, 1:], 0.0)
    return shares


def _region(vertebra: str) -> str:
    return {"L": "lumbar", "T": "thoracic", "C": "cervical"}[vertebra[0]]
