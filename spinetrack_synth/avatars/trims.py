"""What is sewn on a garment about its neck and waist: collars, hoods, lapels, bands and belts.

Each is a second layer of the suit beside the garment's neck edge, so it follows every pose as the
garment does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from spinetrack_synth.avatars.array_types import Array
from spinetrack_synth.avatars.assets import BodyData
from spinetrack_synth.avatars.clothes import Garment
from spinetrack_synth.avatars.cuts import INSIDE_M, Cut
from spinetrack_synth.avatars.figure import Figure, smoothed, suit
from spinetrack_synth.easing import smoothstep

_STAND_M: Final = 0.030
"""Height of a collar's stand above the neck edge."""
_ROLL_M: Final = 0.035
"""How far the roll of a hood reaches from the neck edge."""
_POUCH_HALF_M: Final = 0.115
"""Half the width of a hood that lies on the back, on broad shoulders."""


@dataclass(frozen=True, eq=False)
class _Neck:
    """The neck edge as seen from the suit's vertices (P,): ``off`` m from the edge, positive on the
    garment; ``front`` 0 at the back .. 1 before the neck; ``aside`` m from the middle line;
    ``below`` m under the lowest point of the edge."""

    off: Array
    front: Array
    aside: Array
    below: Array


def trimmings(data: BodyData, figure: Figure, garment: Garment) -> tuple[Garment, ...]:
    """What is sewn on a garment, as garments worn over it."""
    made = []
    for trim in garment.cut.trims:
        if trim == "belt":
            made.append(_belt(data, figure, garment))
        else:
            shape = {"collar": _collar, "hood": _hood, "lapels": _lapels, "band": _band}[trim]
            fields, lift = shape(_neck(data, figure, garment), figure)
            if "front" in garment.fields:
                fields["front"] = garment.fields["front"]
            made.append(_layer(data, garment, trim, fields, lift))
    return tuple(made)


def _layer(
    data: BodyData, garment: Garment, trim: str, fields: dict[str, Array], lift: Array
) -> Garment:
    arms = suit(data).arm > 0.5
    fields = {name: np.where(arms, -INSIDE_M, field) for name, field in fields.items()}
    cut = Cut(f"{garment.cut.name} {trim}", ease_m=0.01, pieces=4, sewn_on=garment.cut.name)
    offset = smoothed(suit(data), garment.offset_m, 4) + lift
    return Garment(cut, fields, np.minimum.reduce(list(fields.values())), offset)


def _neck(data: BodyData, figure: Figure, garment: Garment) -> _Neck:
    from scipy.spatial import KDTree

    field, faces = garment.fields["neck"], suit(data).sheet.faces
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    a, b = edges[(field[edges[:, 0]] > 0) & (field[edges[:, 1]] <= 0)].T
    share = (field[a] / (field[a] - field[b]))[:, None]
    edge = figure.points[a] * (1 - share) + figure.points[b] * share
    distance, _ = KDTree(edge).query(figure.points)
    points = figure.points
    return _Neck(
        off=np.where(field > 0, distance, -distance),
        front=smoothstep(-0.03, 0.05, points[:, 0] - figure.nape[0]),
        aside=np.abs(points[:, 2]),
        below=np.clip(edge[:, 1].min() - points[:, 1], 0.0, None),
    )


def _collar(neck: _Neck, figure: Figure) -> tuple[dict[str, Array], Array]:
    """A leaf folded over a stand, open in front."""
    leaf = 0.026 + 0.020 * neck.front
    apart = 0.007 + 0.5 * neck.below
    return {
        "fold": neck.off + _STAND_M,
        "leaf": leaf - neck.off,
        "gap": np.where(neck.front > 0.5, neck.aside - apart, INSIDE_M),
    }, 0.0045 + 0.004 * smoothstep(-_STAND_M, 0.02, neck.off)


def _hood(neck: _Neck, figure: Figure) -> tuple[dict[str, Array], Array]:
    """A hood that lies on the back: a roll about the neck, drawn together below the throat, and
    behind it, beyond a fold, a round pouch."""
    half = min(_POUCH_HALF_M, 0.62 * float(np.abs(figure.shoulders[:, 2]).mean()))
    behind = (1 - neck.front) ** 2 * np.sqrt(np.clip(1 - (neck.aside / half) ** 2, 0.0, 1.0))
    reach = _ROLL_M + 0.11 * behind
    return {
        "fold": neck.off + 0.02,
        "leaf": reach - neck.off,
        "gap": np.where(neck.front > 0.5, neck.aside - 0.012 - 0.3 * neck.below, INSIDE_M),
    }, 0.005 + np.maximum(
        (0.012 + 0.008 * (1 - neck.front)) * _bulge(neck.off, -0.02, _ROLL_M + 0.005),
        0.026 * np.sqrt(behind) * _bulge(neck.off, _ROLL_M - 0.01, reach),
    )


def _bulge(off: Array, start_m: float, end_m: Array | float) -> Array:
    """0 at both ends of a fold of cloth .. 1 between them."""
    share = np.clip((off - start_m) / np.maximum(end_m - start_m, 1e-3), 0.0, 1.0)
    bulge: Array = np.sin(np.pi * share) ** 0.6
    return bulge


def _lapels(neck: _Neck, figure: Figure) -> tuple[dict[str, Array], Array]:
    """A collar round the neck that runs into lapels down to the first button, a notch between."""
    level = figure.points[:, 1] - figure.armpit_y
    wide = np.interp(level, [-0.16, -0.02, 0.06, 0.12], [0.004, 0.050, 0.058, 0.036])
    notch = np.abs(level - 0.055 - 0.5 * (neck.off - 0.02)) - 0.35 * (neck.off - 0.022)
    return {
        "fold": neck.off + np.where(neck.front < 0.9, 0.016, 0.003),
        "leaf": np.where(neck.front > 0.6, wide, 0.036) - neck.off,
        "notch": np.where((neck.front > 0.9) & (neck.off > 0.015), notch, INSIDE_M),
    }, 0.004 + 0.0 * neck.off


def _band(neck: _Neck, figure: Figure) -> tuple[dict[str, Array], Array]:
    """The stiff band along the edges of a wrapped jacket."""
    return {"fold": neck.off + 0.004, "leaf": 0.042 - neck.off}, 0.004 + 0.0 * neck.off


def _belt(data: BodyData, figure: Figure, garment: Garment) -> Garment:
    """A belt tied round a jacket."""
    away = np.abs(figure.points[:, 1] - figure.height(0.27))
    layer = _layer(data, garment, "belt", {"belt": 0.021 - away}, 0.005 + 0.0 * away)
    return replace(layer, cut=replace(layer.cut, cloth="belt", pieces=1))
