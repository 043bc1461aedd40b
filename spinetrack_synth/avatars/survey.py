"""Where the parts of a body's surface are, for whoever paints skin or grows hair on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.sparse import csr_array

from spinetrack_synth.avatars.array_types import Array
from spinetrack_synth.avatars.assets import HAND_BONES, BodyData
from spinetrack_synth.avatars.body import RestBody
from spinetrack_synth.avatars.mesh import Sheet, averaging, group_sheet, mask_at
from spinetrack_synth.avatars.skinning import vertex_normals


@dataclass(frozen=True, eq=False)
class Anatomy:
    """What painting needs of one body: the skin sheet at rest and where things are.

    ``points`` and ``normals`` (P, 3); ``joint`` and ``tail`` bone name -> its head and its tail
    (3,) m; ``masks`` mask name -> (P,) 0..1; ``hand`` (P,) 0..1 share of the hands' bones;
    ``cavity`` (P,) -1 on ridges .. 1 in hollows.
    """

    sheet: Sheet
    points: Array
    normals: Array
    joint: dict[str, Array]
    tail: dict[str, Array]
    masks: dict[str, Array]
    hand: Array
    cavity: Array

    @property
    def eyes(self) -> Array:
        """Centres of the eyes (2, 3) m, left first."""
        return np.stack([self.joint["eye.L"], self.joint["eye.R"]])


@lru_cache(maxsize=2)
def skin_sheet(data: BodyData) -> Sheet:
    """The skin of the base mesh."""
    return group_sheet(data, "body")


def survey(data: BodyData, rest: RestBody) -> Anatomy:
    """Find on a body what is painted or grows there."""
    sheet = skin_sheet(data)
    points = sheet.stencil @ rest.vertices_world
    normals = vertex_normals(points, sheet.faces, sheet.weld).astype(np.float64)
    smooth, hand, masks = _topology(data)
    distinct = np.zeros((int(sheet.weld.max()) + 1, 3))
    distinct[sheet.weld] = points
    mean = smooth @ (smooth @ distinct)
    hollow = np.einsum("ij,ij->i", mean[sheet.weld] - points, normals)
    return Anatomy(
        sheet=sheet,
        points=points,
        normals=normals,
        joint={name: rest.bone_head[k] for k, name in enumerate(data.bones)},
        tail={name: rest.bone_tail[k] for k, name in enumerate(data.bones)},
        masks=masks,
        hand=hand,
        cavity=np.clip(hollow / 0.0015, -1.0, 1.0),
    )


@lru_cache(maxsize=2)
def _topology(data: BodyData) -> tuple[csr_array, Array, dict[str, Array]]:
    """Averaging over the skin sheet, the share of the hands and the part masks at its vertices."""
    sheet = skin_sheet(data)
    hand = sheet.stencil @ data.share_of(data.bones_named(*HAND_BONES))
    masks = {name: mask_at(data, name, sheet) for name in data.masks}
    return averaging(sheet, 0.8), hand, masks
