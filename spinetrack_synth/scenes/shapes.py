"""Triangle meshes of simple things: rounded boxes, turned and swept bodies, terrain, leaves.

Every mesh carries normals and uv coordinates in metres along its surface, so that a texture keeps
its true size on whatever it covers. Frames: the world's axes (X, Y up, Z).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.rotations import about_x, about_y, about_z

Array = NDArray[np.floating[Any]]
Rng = np.random.Generator


@dataclass(frozen=True)
class Mesh:
    """``vertices`` (V, 3) m, ``faces`` (F, 3), ``uv`` (V, 2) m, ``normals`` (V, 3) unit."""

    vertices: Array
    faces: NDArray[np.int32]
    uv: Array
    normals: Array

    @property
    def bounds(self) -> Array:
        """Lowest and highest corner, (2, 3) m."""
        return np.stack([self.vertices.min(0), self.vertices.max(0)])


def joined(meshes: Iterable[Mesh]) -> Mesh:
    """All meshes as one."""
    parts = list(meshes)
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    return Mesh(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.faces + start for part, start in zip(parts, starts)]).astype(np.int32),
        np.concatenate([part.uv for part in parts]),
        np.concatenate([part.normals for part in parts]),
    )


def rotation(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> Array:
    """Rotation matrix (3, 3) of roll about X, then pitch about Z, then yaw about Y, rad."""
    return about_y(yaw) @ about_z(pitch) @ about_x(roll)


def angles(turn: ArrayLike) -> tuple[float, float, float]:
    """Yaw, pitch and roll, rad, of a rotation matrix (3, 3)."""
    r = np.asarray(turn, float)
    pitch = float(np.arcsin(np.clip(r[1, 0], -1.0, 1.0)))
    if abs(r[1, 0]) > 1.0 - 1e-9:  # upright: yaw and roll are one turn
        return float(np.arctan2(r[0, 2], r[2, 2])), pitch, 0.0
    return float(np.arctan2(-r[2, 0], r[0, 0])), pitch, float(np.arctan2(-r[1, 2], r[1, 1]))


def turned(mesh: Mesh, *, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> Mesh:
    """Turned about the origin: roll about X, then pitch about Z, then yaw about Y, rad."""
    turn = rotation(yaw, pitch, roll)
    return Mesh(mesh.vertices @ turn.T, mesh.faces, mesh.uv, mesh.normals @ turn.T)


def moved(mesh: Mesh, offset: ArrayLike) -> Mesh:
    """The mesh moved by an offset (3,) m."""
    return Mesh(mesh.vertices + np.asarray(offset, float), mesh.faces, mesh.uv, mesh.normals)


def cross(a: Array, b: Array) -> Array:
    """Cross products of vectors (..., 3); much faster than numpy's for a few of them."""
    product = np.empty(np.broadcast_shapes(a.shape, b.shape))
    for k, (i, j) in enumerate(((1, 2), (2, 0), (0, 1))):
        product[..., k] = a[..., i] * b[..., j] - a[..., j] * b[..., i]
    return product


def _quads(corners: ArrayLike) -> NDArray[np.int32]:
    """Two triangles for each row of four corner indices, in turning order."""
    a, b, c, d = np.asarray(corners, dtype=np.int32).reshape(-1, 4).T
    return np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])


def _grid_faces(rows: int, columns: int) -> NDArray[np.int32]:
    """Faces of a (rows, columns) grid of vertices in row-major order."""
    index = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    return _quads(np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], -1))


def with_smooth_normals(vertices: ArrayLike, faces: NDArray[np.int32], uv: ArrayLike) -> Mesh:
    """A mesh whose normals are the area-weighted mean of the faces around each vertex."""
    points = np.asarray(vertices, float)
    a, b, c = (points[faces[:, k]] for k in range(3))
    weighted = cross(b - a, c - a)
    normals = np.zeros_like(points)
    for k in range(3):
        np.add.at(normals, faces[:, k], weighted)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return Mesh(points, np.asarray(faces, np.int32), np.asarray(uv, float), normals)


def rectangle(corner: ArrayLike, edge_u: ArrayLike, edge_v: ArrayLike) -> Mesh:
    """A flat rectangle that faces along edge_u x edge_v; uv start at its corner."""
    start, along_u, along_v = (np.asarray(x, float) for x in (corner, edge_u, edge_v))
    u, v = math.hypot(*along_u), math.hypot(*along_v)
    (a, b, c), (d, e, f) = along_u.tolist(), along_v.tolist()
    normal = np.array([b * f - c * e, c * d - a * f, a * e - b * d]) / (u * v)
    return Mesh(
        start + _CORNERS[:, :1] * along_u + _CORNERS[:, 1:] * along_v,
        _RECTANGLE,
        _CORNERS * [u, v],
        np.broadcast_to(normal, (4, 3)),
    )


_CORNERS = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
_RECTANGLE = _quads([0, 1, 2, 3])


def box(size: ArrayLike, center: ArrayLike = (0, 0, 0), *, edge: float = 0.004) -> Mesh:
    """A box (3,) m with edges rounded by ``edge`` m; u runs along the longest side (the grain)."""
    half = np.asarray(size, float) / 2
    edge = min(edge, 0.45 * float(half.min()))
    # Vertex 3 * corner + axis belongs to the face across `axis`; edges and corners join the faces.
    vertices = np.empty((8, 3, 3))
    uv = np.empty((8, 3, 2))
    longest = np.argsort(-half, kind="stable")
    for axis in range(3):
        inset = np.full(3, edge)
        inset[axis] = 0
        vertices[:, axis] = _SIGNS * (half - inset)
        in_plane = [a for a in longest if a != axis]
        uv[:, axis] = vertices[:, axis][:, in_plane] + (half.sum() * (1 + axis))
    return Mesh(
        vertices.reshape(24, 3) + np.asarray(center, float),
        _box_faces(),
        uv.reshape(24, 2),
        np.einsum("ca,ab->cab", _SIGNS, np.eye(3)).reshape(24, 3),
    )


_SIGNS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)


@cache
def _box_faces() -> NDArray[np.int32]:
    """Faces of a box: its sides, its edges, its corners."""

    def corner(x: int, y: int, z: int) -> int:
        return 4 * x + 2 * y + z

    quads = []
    for axis in range(3):
        b, c = (axis + 1) % 3, (axis + 2) % 3
        for side in (0, 1):
            place = [0, 0, 0]
            place[axis] = side
            ring = []
            for step_b, step_c in ((0, 0), (1, 0), (1, 1), (0, 1)):
                place[b], place[c] = step_b, step_c
                ring.append(3 * corner(*place) + axis)
            quads.append(ring if side else ring[::-1])
        for step_b in (0, 1):
            for step_c in (0, 1):
                ends = []
                for side in (0, 1):
                    place = [0, 0, 0]
                    place[axis], place[b], place[c] = side, step_b, step_c
                    ends.append(3 * corner(*place))
                ring = [ends[0] + b, ends[1] + b, ends[1] + c, ends[0] + c]
                quads.append(ring[::-1] if step_b == step_c else ring)
    triangles = []
    for x in (0, 1):
        for y in (0, 1):
            for z in (0, 1):
                first = 3 * corner(x, y, z)
                odd = (x + y + z) % 2 == 1
                triangles.append([first, first + 1, first + 2] if odd else
                                 [first, first + 2, first + 1])  # fmt: skip
    return np.concatenate([_quads(quads), np.array(triangles, np.int32)])


def lathe(profile: ArrayLike, segments: int = 24) -> Mesh:
    """A turned body around Y: profile (N, 2) of radius and height m, from the bottom outwards up.

    Neighbouring profile points that coincide make a crease.
    """
    points = np.asarray(profile, float)
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    length = np.concatenate([[0], np.cumsum(steps)])
    angles = np.linspace(0, 2 * np.pi, segments + 1)
    cos, sin = np.cos(angles), np.sin(angles)
    vertices = np.stack(
        [
            points[:, :1] * cos,
            np.repeat(points[:, 1:], segments + 1, axis=1),
            points[:, :1] * sin,
        ],
        -1,
    )
    tangents = np.zeros_like(points)
    directions = np.diff(points, axis=0)
    directions[steps < 1e-9] = 0
    tangents[:-1] += directions
    tangents[1:] += directions
    outward = np.stack([tangents[:, 1], -tangents[:, 0]], 1)
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-12)
    normals = np.stack(
        [
            outward[:, :1] * cos,
            np.repeat(outward[:, 1:], segments + 1, axis=1),
            outward[:, :1] * sin,
        ],
        -1,
    )
    radius = float(points[:, 0].max())
    uv = np.stack(np.broadcast_arrays(angles * radius, length[:, None]), -1)
    faces = _grid_faces(len(points), segments + 1)[:, ::-1]
    return Mesh(vertices.reshape(-1, 3), faces, uv.reshape(-1, 2), normals.reshape(-1, 3))


def cylinder(radius: float, height: float, *, segments: int = 16, edge: float = 0.003) -> Mesh:
    """A standing closed cylinder from y = 0 up, its rims rounded by ``edge`` m."""
    r, h, e = radius, height, min(edge, radius / 3, height / 3)
    rim = [(0, 0), (r - e, 0), (r - e, 0), (r, e), (r, e), (r, h - e), (r, h - e), (r - e, h)]
    return lathe([*rim, (r - e, h), (0, h)], segments)


def tube(path: ArrayLike, radius: ArrayLike, segments: int = 8) -> Mesh:
    """An open tube around a path (N, 3) m with one radius or (N,) radii m."""
    points = np.asarray(path, float)
    return tubes(
        points[None], np.broadcast_to(np.asarray(radius, float), (1, len(points))), segments
    )


def tubes(paths: ArrayLike, radii: ArrayLike, segments: int = 8) -> Mesh:
    """Open tubes around paths (T, N, 3) m with radii (T, N) m, as one mesh."""
    points, radius = np.asarray(paths, float), np.asarray(radii, float)
    count, steps = radius.shape
    tangent = np.empty_like(points)
    tangent[:, 1:-1] = points[:, 2:] - points[:, :-2]
    tangent[:, 0], tangent[:, -1] = points[:, 1] - points[:, 0], points[:, -1] - points[:, -2]
    tangent /= np.linalg.norm(tangent, axis=2, keepdims=True)
    # One reference direction for all rings keeps the tube from twisting.
    helper = np.eye(3)[np.abs(tangent).mean(1).argmin(1)]
    side = cross(tangent, helper[:, None])
    side /= np.linalg.norm(side, axis=2, keepdims=True)
    other = cross(tangent, side)
    angles = np.linspace(0, 2 * np.pi, segments + 1)
    normals = (
        np.cos(angles)[:, None] * side[:, :, None] + np.sin(angles)[:, None] * other[:, :, None]
    )
    vertices = points[:, :, None] + radius[:, :, None, None] * normals
    uv = np.zeros((*vertices.shape[:3], 2))
    uv[:, 1:, :, 0] = np.cumsum(np.linalg.norm(np.diff(points, axis=1), axis=2), 1)[:, :, None]
    uv[..., 1] = radius.mean(1)[:, None, None] * angles
    ring = steps * (segments + 1)
    faces = (
        _grid_faces(steps, segments + 1) + ring * np.arange(count, dtype=np.int32)[:, None, None]
    )
    return Mesh(
        vertices.reshape(-1, 3), faces.reshape(-1, 3), uv.reshape(-1, 2), normals.reshape(-1, 3)
    )


def slab(outline: ArrayLike, thickness: float, *, edge: float = 0.002) -> Mesh:
    """A flat convex slab, top at y = 0: outline (N, 2) x, z turning from +X to +Z; uv = x, z."""
    ring = np.asarray(outline, float)
    inner = ring * (1 - edge / np.abs(ring).max(0))
    count = len(ring)

    def level(points: Array, y: float) -> Array:
        return np.column_stack([points[:, 0], np.full(count, y), points[:, 1]])

    middle = np.array([[ring[:, 0].mean(), 0.0, ring[:, 1].mean()]])
    top, shoulder = level(inner, 0), level(ring, -min(edge, thickness / 2))
    vertices = np.concatenate([middle, top, shoulder, level(ring, -thickness)])
    outward = ring / np.linalg.norm(ring, axis=1, keepdims=True)
    sideways = np.column_stack([outward[:, 0], np.zeros(count), outward[:, 1]])
    up = np.tile([0.0, 1.0, 0.0], (count + 1, 1))
    k = np.arange(count, dtype=np.int32)
    after = (k + 1) % count
    fan = np.stack([np.zeros(count, np.int32), 1 + after, 1 + k], 1)
    sides = [
        _quads(np.stack([low + k, low + after, high + after, high + k], 1)[:, ::-1])
        for high, low in ((1, 1 + count), (1 + count, 1 + 2 * count))
    ]
    return Mesh(
        vertices,
        np.concatenate([fan, *sides]).astype(np.int32),
        vertices[:, [0, 2]],
        np.concatenate([up, sideways, sideways]),
    )


def rounded_rectangle(length: float, width: float, radius: float, steps: int = 5) -> Array:
    """Outline (N, 2) of x, z around the origin, turning from +X to +Z."""
    quarter = np.linspace(0, np.pi / 2, steps)
    arc = radius * np.stack([np.cos(quarter), np.sin(quarter)], 1)
    x, z = length / 2 - radius, width / 2 - radius
    flip = arc[:, ::-1]
    return np.concatenate(
        [
            corner + np.array([x, z]) * np.sign(corner.mean(0))
            for corner in (arc, flip * [-1, 1], -arc, flip * [1, -1])
        ]
    )


def wall(
    start: ArrayLike,
    along: ArrayLike,
    height: float,
    openings: Sequence[tuple[float, float, float, float]] = (),
) -> Mesh:
    """A wall's face from a floor point along a horizontal edge (3,) m, facing along x up.

    ``openings``: (from, to, low, high) m along the wall and up, left out of it.
    """
    origin, edge = np.asarray(start, float), np.asarray(along, float)
    length = float(np.linalg.norm(edge))
    direction = edge / length
    xs = np.unique([0.0, length, *(v for o in openings for v in o[:2])])
    ys = np.unique([0.0, height, *(v for o in openings for v in o[2:])])
    middle_x, middle_y = (xs[:-1] + xs[1:]) / 2, (ys[:-1] + ys[1:]) / 2
    solid = np.ones((len(middle_x), len(middle_y)), bool)
    for a, b, c, d in openings:
        across, up = (a < middle_x) & (middle_x < b), (c < middle_y) & (middle_y < d)
        solid &= ~(across[:, None] & up)
    i, j = np.nonzero(solid)
    x = np.stack([xs[i], xs[i + 1], xs[i + 1], xs[i]], 1).ravel()
    y = np.stack([ys[j], ys[j], ys[j + 1], ys[j + 1]], 1).ravel()
    normal = cross(direction, np.array([0.0, 1.0, 0.0]))
    return Mesh(
        origin + x[:, None] * direction + y[:, None] * [0.0, 1.0, 0.0],
        _quads(np.arange(4 * len(i))),
        np.column_stack([x, y]),
        np.tile(normal, (4 * len(i), 1)),
    )


def terrain(rings: ArrayLike, sectors: int, height: ArrayLike) -> Mesh:
    """A disc of ground in polar steps: rings (R,) m, height (R, sectors + 1) m; uv = x, z."""
    radius = np.asarray(rings, float)[:, None]
    angles = np.linspace(0, 2 * np.pi, sectors + 1)
    x, z = radius * np.cos(angles), radius * np.sin(angles)
    vertices = np.stack(np.broadcast_arrays(x, np.asarray(height, float), z), -1).reshape(-1, 3)
    faces = _grid_faces(len(radius), sectors + 1)
    mesh = with_smooth_normals(vertices, faces, vertices[:, [0, 2]])
    normals = mesh.normals.reshape(len(radius), sectors + 1, 3)
    seam = normals[:, 0] + normals[:, -1]
    normals[:, 0] = normals[:, -1] = seam / np.linalg.norm(seam, axis=1, keepdims=True)
    return mesh


def leaves(
    positions: ArrayLike, outward: ArrayLike, length: float, rng: Rng, *, droop: float = 0.3
) -> Mesh:
    """Diamond-shaped leaves at positions (N, 3), each on its own patch of a unit-square texture.

    The shading normals lean towards ``outward`` (N, 3), which lets many small leaves shade like
    one soft crown. ``droop`` pulls the tips down.
    """
    base, out = np.asarray(positions, float), np.asarray(outward, float)
    count = len(base)
    heading = rng.normal(size=(count, 3)) + out
    heading[:, 1] -= droop
    heading /= np.linalg.norm(heading, axis=1, keepdims=True)
    side = cross(heading, rng.normal(size=(count, 3)))
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
    reach = length * rng.uniform(0.6, 1.3, (count, 1))
    tip, middle, half = heading * reach, heading * reach * 0.45, side * reach * 0.38
    vertices = np.stack([base, base + middle + half, base + tip, base + middle - half], 1)
    face_normal = cross(half, tip)
    face_normal /= np.maximum(np.linalg.norm(face_normal, axis=1, keepdims=True), 1e-9)
    face_normal *= np.where((face_normal * out).sum(1, keepdims=True) < 0, -1.0, 1.0)
    normals = 0.55 * face_normal + out
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    patch = rng.uniform(0, 1, (count, 1, 2))
    angle = rng.uniform(0, 2 * np.pi, count)
    u = 0.06 * np.stack([np.cos(angle), np.sin(angle)], 1)
    v = u[:, ::-1] * [-1, 1]
    uv = patch + np.stack([0 * u, 0.45 * u + 0.38 * v, u, 0.45 * u - 0.38 * v], 1)
    return Mesh(
        vertices.reshape(-1, 3),
        _quads(np.arange(4 * count)),
        uv.reshape(-1, 2),
        np.repeat(normals, 4, axis=0),
    )


def sphere(radius: float, segments: int = 16) -> Mesh:
    """A ball around the origin."""
    polar = np.linspace(-np.pi / 2, np.pi / 2, segments // 2 + 1)
    return lathe(radius * np.stack([np.cos(polar), np.sin(polar)], 1), segments)
