"""A drawable piece of an avatar (skin, garment, hair, eyes) and how it follows the posed body."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spinetrack_synth.avatars.array_types import Array, Ints
from spinetrack_synth.avatars.hanging import Hanging
from spinetrack_synth.avatars.paintings import Look
from spinetrack_synth.avatars.skinning import Binding, bind, vertex_normals, vertex_rings


@dataclass(frozen=True, eq=False)
class Cover:
    """Skin that lies under the edge of a cloth, and stays under it in every pose.

    ``vertex`` (C,) of the part, ``stencil`` (C, V) the place of the suit at each, and ``cloth_m``
    (C,) how far from there the innermost cloth lies.
    """

    vertex: Ints
    stencil: csr_array
    cloth_m: Array


class Bundle(NamedTuple):
    """Paths (n, K, 3) m and widths (n,) m of strands; ``limp`` the shares of a path from which on
    it gives way to gravity and where it hangs free, None where it keeps its shape. Those of a plait
    go along with their ``run`` (K, 3) m."""

    paths: Array
    widths: Array
    limp: tuple[float, float] | None = None
    run: Array | None = None


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
    or, ``lift_world`` (P, 3) m from there at rest, turned with the bones that carry those vertices;
    or it is rigid: ``body`` names the OpenSim body that carries it and ``rest_world`` (P, 3) m are
    its vertices in the rest body's frame (the world of ``RestBody``); or it has a shape of its own,
    ``rest_world``, that rides on the bones as ``stencil`` says: ``binding`` binds its distinct
    points, which ``riding`` finds; with ``hanging`` it is let fall from there.
    ``cover`` is of the skin under clothes.

    ``rides_on`` (P, V) tells of a rigid part what of the base mesh it goes along with where a face
    moves; ``strands`` are those that its ribbons are made of.

    ``weld`` (P,) maps vertices that only differ in uv to one index, for smooth normals across uv
    seams. ``faces`` (F, 3) index the P vertices, ``uv`` (P, 2). ``asset`` names the file of the
    user's that the part is from, "" for ours.
    """

    name: str
    faces: NDArray[np.int32]
    uv: NDArray[np.float32]
    material: Look
    weld: NDArray[np.int32]
    stencil: csr_array | None = None
    offset_m: NDArray[np.float32] | None = None
    body: str | None = None
    rest_world: NDArray[np.float32] | None = None
    binding: Binding | None = None
    hanging: Hanging | None = None
    cover: Cover | None = None
    lift_world: NDArray[np.float64] | None = None
    asset: str = ""
    rides_on: csr_array | None = None
    strands: Strands | None = None

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
    if part.body is not None:
        all_of_one = np.zeros((len(part.uv), share.shape[1]), np.uint8)
        all_of_one[:, rows[bodies.index(part.body)]] = 255
        return all_of_one
    assert part.stencil is not None
    of_vertices = part.stencil @ share
    return np.asarray(255 * np.clip(of_vertices, 0, 1) + 0.5, dtype=np.uint8)


_INFLUENCES = 8


def riding(part: Part, body: Binding) -> Part:
    """A part with a shape of its own bound to the bones as the base mesh (V vertices) is; any
    other part as it is."""
    if part.rest_world is None or part.stencil is None:
        return part
    count = body.weight.shape[0]
    row = np.repeat(np.arange(count), body.weight.shape[1])
    bones = int(body.bone.max()) + 1
    weights = csr_array((body.weight.ravel(), (row, body.bone.ravel())), shape=(count, bones))
    _, first, weld = np.unique(part.weld, return_index=True, return_inverse=True)
    dense = (part.stencil[first] @ weights).toarray()
    bone = np.argsort(-dense, axis=1, kind="stable")[:, :_INFLUENCES]
    weight = np.take_along_axis(dense, bone, axis=1)
    weight /= weight.sum(axis=1, keepdims=True)
    faces = weld[part.faces]
    rings = vertex_rings(np.concatenate([faces, faces[:, 2:]], axis=1), len(first))
    points = part.rest_world[first].astype(np.float64)
    bound = bind(points, bone, weight, rings, softness(weight))
    return replace(part, weld=weld.astype(np.int32), binding=bound)


def softness(weight: Array) -> Array:
    """How much (V,) vertices of such weights (V, K) are smoothed: those that follow one body alone
    keep their shape exactly."""
    soft: Array = np.clip((1.0 - weight.max(axis=1)) / 0.05, 0.0, 1.0)
    return soft
