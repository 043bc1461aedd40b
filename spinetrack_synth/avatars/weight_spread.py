"""How wide the skin's weights run over from one limb to the next.

MakeHuman's rig hands skin over from arm to chest and from leg to pelvis within a few centimetres,
which is where raised arms and split legs tear it: armpit and crotch. Here the shares of the limbs
diffuse over the surface, as heat would, as far as the flesh there is thick and has to stretch.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.sparse import coo_array, csc_array, diags_array

from spinetrack_synth.avatars.array_types import Array
from spinetrack_synth.avatars.assets import BodyData
from spinetrack_synth.avatars.flesh import riders
from spinetrack_synth.easing import smoothstep

_THICK_M: Final = 0.045
_THIN_M: Final = 0.020
"""How far (standard deviation) shares spread on trunk and thighs; on hands, feet, forearms and
neck."""
_FLANK_M: Final = 0.09
_CROTCH_M: Final = 0.12
"""How much farther below the armpits, where a raised arm draws the flank up, and between the legs;
own choice, the least with which no edge there is drawn to more than 2.2 times its length."""
_FLANK_REACH_M: Final = 0.12
_CROTCH_REACH_M: Final = 0.10
_FLANK_BELOW_M: Final = 0.13
_CROTCH_BELOW_M: Final = 0.09
"""Below shoulder and hip joints lie the middles of these places, and so far do they reach."""

_THIN: Final = ("lowerarm", "wrist", "metacarpal", "finger", "foot", "toe", "neck", "head")
_STEPS: Final = 2
_METRES: Final = 0.1  # MakeHuman's unit


def spread(data: BodyData, shares: Array, head: Array) -> Array:
    """Shares (V, C) of all vertices, rows sum to 1, spread over the surface.

    ``head`` (V,) the share of the head, which stays as it is: eyes and lids must not part.
    """
    from scipy.sparse.linalg import splu

    vertices = data.vertices.astype(np.float64) * _METRES
    spread_m = _spread_m(data, vertices) * smoothstep(1.0, 0.8, head)
    stiffness, mass = _laplacian(data, vertices, spread_m**2 / (2 * _STEPS))
    step = splu(csc_array(diags_array(mass) + stiffness))
    for _ in range(_STEPS):
        shares = step.solve(mass[:, None] * shares)
    shares = np.where(shares < 1e-3, 0.0, shares)
    near, near_share = riders(data)  # what lies on the skin moves as it does
    own = np.maximum(1 - near_share.sum(axis=1, keepdims=True), 0.0)
    first = len(shares) - len(near)
    shares[first:] = np.einsum("hk,hkc->hc", near_share, shares[near]) + own * shares[first:]
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _spread_m(data: BodyData, vertices: Array) -> Array:
    thin = np.clip(data.share_of(data.bones_named(*_THIN)).astype(np.float64), 0.0, 1.0)
    spread_m = _THICK_M + (_THIN_M - _THICK_M) * thin
    arm = data.share_of(data.bones_named("upperarm", "lowerarm")).astype(np.float64)
    shoulders, hips = (_joints(data, vertices, name) for name in ("upperarm01", "upperleg01"))
    for shoulder in shoulders:
        flank = shoulder * [0.85, 1.0, 1.0] - [0.0, _FLANK_BELOW_M, 0.0]
        off = np.linalg.norm(vertices - flank, axis=1) / _FLANK_REACH_M
        spread_m += _FLANK_M * np.exp(-(off**2)) * smoothstep(0.95, 0.5, arm)
    crotch = hips.mean(axis=0) - [0.0, _CROTCH_BELOW_M, 0.0]
    off = np.linalg.norm(vertices - crotch, axis=1) / _CROTCH_REACH_M
    return np.asarray(spread_m + _CROTCH_M * np.exp(-(off**2)))


def _joints(data: BodyData, vertices: Array, bone: str) -> Array:
    """Where the bones of both sides begin (2, 3)."""
    rows = [data.bones.index(bone + side) for side in (".L", ".R")]
    spans = [data.head_index[data.head_start[k] : data.head_start[k + 1]] for k in rows]
    return np.array([vertices[span].mean(axis=0) for span in spans])


def _laplacian(data: BodyData, vertices: Array, diffusivity: Array) -> tuple[csc_array, Array]:
    """Stiffness (V, V) by cotangents and lumped mass (V,) of all groups but the joints' cubes."""
    quads = data.quads[~np.char.startswith(np.array(data.groups), "joint")[data.quad_group]]
    # Both ways of halving a quad, so that neither diagonal is favoured.
    halves = ([0, 1, 2], [0, 2, 3], [1, 2, 3], [1, 3, 0])
    triangles = np.concatenate([quads[:, half] for half in halves])
    first, second, third = triangles.T
    proper = (first != second) & (second != third) & (third != first)
    triangles = triangles[proper]
    corner = vertices[triangles]
    across = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    twice_area = np.maximum(np.linalg.norm(across, axis=1), 1e-12)
    mass = np.full(len(vertices), 1e-9)
    rows, columns, values = [], [], []
    for a, b, c in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        i, j = triangles[:, a], triangles[:, b]
        np.add.at(mass, i, twice_area / 12)
        one, other = corner[:, a] - corner[:, c], corner[:, b] - corner[:, c]
        cotangent = np.clip(np.einsum("ij,ij->i", one, other) / twice_area, 0.02, 5.0)
        between = cotangent / 4 * (diffusivity[i] + diffusivity[j]) / 2
        rows += [i, j]
        columns += [j, i]
        values += [between, between]
    off = coo_array(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))),
        shape=(len(vertices), len(vertices)),
    ).tocsc()
    return csc_array(diags_array(np.asarray(off.sum(axis=1)).ravel()) - off), mass
