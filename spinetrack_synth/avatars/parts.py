"""A drawable piece of an avatar (skin, garment, hair, eyes) and how it follows the posed body."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spinetrack_synth.avatars.skinning import vertex_normals
from spinetrack_synth.shot import Material


@dataclass(frozen=True)
class Part:
    """One mesh with one material.

    A part either follows the deformed base mesh: each of its P vertices is the combination
    ``stencil`` (P, V) of all hm08 vertices, moved ``offset_m`` (P,) along the part's own normal;
    or, ``lift_world`` (P, 3) m from there at rest, turned with the bones that carry those vertices;
    or it is rigid: ``body`` names the OpenSim body that carries it and ``rest_world`` (P, 3) m are
    its vertices in the rest body's frame (the world of ``RestBody``).

    ``weld`` (P,) maps vertices that only differ in uv to one index, for smooth normals across uv
    seams. ``faces`` (F, 3) index the P vertices, ``uv`` (P, 2). ``asset`` names the file of the
    user's that the part is from, "" for ours.
    """

    name: str
    faces: NDArray[np.int32]
    uv: NDArray[np.float32]
    material: Material
    weld: NDArray[np.int32]
    stencil: csr_array | None = None
    offset_m: NDArray[np.float32] | None = None
    body: str | None = None
    rest_world: NDArray[np.float32] | None = None
    lift_world: NDArray[np.float64] | None = None
    asset: str = ""

    @cached_property
    def rest_normals(self) -> NDArray[np.float32]:
        """Unit normals (P, 3) of a rigid part at rest."""
        assert self.rest_world is not None
        return vertex_normals(self.rest_world, self.faces, self.weld)


def part_shares(
    part: Part, share: NDArray[np.float64], rows: NDArray[np.int64], bodies: tuple[str, ...]
) -> NDArray[np.uint8]:
    """How much of each part of the body (`anatomy.parts`) the vertices of a drawable part are,
    (P, 17) from 0 to 255.

    ``share`` (V, 17) is that of the hm08 vertices, in 0..1; ``rows`` (B,) are the parts of the
    ``bodies``, one of which carries a rigid part.
    """
    if part.body is None:
        assert part.stencil is not None
        of_vertices = part.stencil @ share
    else:
        of_vertices = np.zeros((len(part.uv), share.shape[1]))
        of_vertices[:, rows[bodies.index(part.body)]] = 1.0
    return np.asarray(np.rint(255 * np.clip(of_vertices, 0, 1)), dtype=np.uint8)
