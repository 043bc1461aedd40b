"""A drawable piece of an avatar (skin, garment, hair, eyes) and how it follows the posed body."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spinetrack_synth.avatars.array_types import Array
from spinetrack_synth.avatars.skinning import vertex_normals
from spinetrack_synth.shot import Material


class Bundle(NamedTuple):
    """Paths (n, K, 3) m and widths (n,) m of strands; ``limp`` the shares of a path from which on
    it gives way to gravity and where it hangs free, None where it keeps its shape."""

    paths: Array
    widths: Array
    limp: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class Strands:
    """Hair on a head at rest: bundles, and how far each ribbon is turned about its own run, rad."""

    bundles: tuple[Bundle, ...]
    tilts: tuple[Array, ...]

    @property
    def limp(self) -> bool:
        """Whether any of it hangs."""
        return any(bundle.limp is not None for bundle in self.bundles)


@dataclass(frozen=True)
class Part:
    """One mesh with one material.

    A part either follows the deformed base mesh: each of its P vertices is the combination
    ``stencil`` (P, V) of all hm08 vertices, moved ``offset_m`` (P,) along the part's own normal;
    or it is rigid: ``body`` names the OpenSim body that carries it and ``rest_world`` (P, 3) m are
    its vertices in the rest body's frame (the world of ``RestBody``).

    ``rides_on`` (P, V) tells of a rigid part what of the base mesh it goes along with where a face
    moves; ``strands`` are those that its ribbons are made of.

    ``weld`` (P,) maps vertices that only differ in uv to one index, for smooth normals across uv
    seams. ``faces`` (F, 3) index the P vertices, ``uv`` (P, 2).
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
    rides_on: csr_array | None = None
    strands: Strands | None = None

    @cached_property
    def rest_normals(self) -> NDArray[np.float32]:
        """Unit normals (P, 3) of a rigid part at rest."""
        assert self.rest_world is not None
        return vertex_normals(self.rest_world, self.faces, self.weld)
