"""Eyeballs: spheres where the eye helpers are, with a painted iris; lashes, teeth and tongue."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spinetrack_synth.avatars.array_types import Array, Color, Ints
from spinetrack_synth.avatars.assets import BodyData
from spinetrack_synth.avatars.body import RestBody, Subject
from spinetrack_synth.avatars.mesh import Sheet, group_sheet, open_edges
from spinetrack_synth.avatars.paintings import Painting
from spinetrack_synth.avatars.parts import Part
from spinetrack_synth.avatars.textures import mix
from spinetrack_synth.easing import smoothstep
from spinetrack_synth.shot import Material

_TEXEL_M = 0.0003
"""How long a texel of the largest picture is: the way over a ball of 12 mm has 256 of them."""
_WHITE = (0.87, 0.84, 0.81)
_RINGS, _SPOKES = 16, 24
_IRIS = 0.52
"""Angle of the iris' rim from the optical axis, rad: 5.9 mm on a ball of 12 mm."""

_LASH_SHARE = 0.45
"""Length of the lashes over that of the helper strips."""

_TEETH_LOWER = 0.045
"""How much lower the upper teeth stand than in the data, in its unit, 0.1 m."""

# Iris colours, sRGB, dark to light.
_BROWN, _HAZEL, _GREEN, _BLUE, _GREY = (
    (0.21, 0.12, 0.07), (0.34, 0.25, 0.14), (0.32, 0.34, 0.26), (0.33, 0.385, 0.43),
    (0.41, 0.45, 0.48),
)  # fmt: skip


def eyes(data: BodyData, rest: RestBody, subject: Subject) -> Part:
    """Both eyeballs in one part, the left one first, carried by the skull; they look ahead."""

    def paint(size: int) -> Material:
        rng = np.random.default_rng([subject.seed, 0xE7E])
        iris = _iris_color(subject, rng)
        return Material(_paint(iris, rng, size // 4), roughness=0.12, specular=0.5)

    points: list[Array] = []
    faces: list[Ints] = []
    uv: list[Array] = []
    for center, radius in zip(*eyeballs(data, rest), strict=True):
        sphere, triangles, polar = _ball()
        faces.append(triangles + len(faces) * len(sphere))
        points.append(center + radius * sphere)
        uv.append(polar)
    rest_world = np.concatenate(points).astype(np.float32)
    return Part(
        name="eyes",
        faces=np.concatenate(faces).astype(np.int32),
        uv=np.concatenate(uv).astype(np.float32),
        material=Painting(paint, Material(_WHITE, roughness=0.12, specular=0.5), _TEXEL_M),
        weld=np.arange(len(rest_world), dtype=np.int32),
        body="skull",
        rest_world=rest_world,
    )


def eyeballs(data: BodyData, rest: RestBody) -> tuple[Array, Array]:
    """Centres (2, 3) m of the eyeballs, left first, and their radii (2,) m."""
    balls = [
        rest.vertices_world[np.unique(data.quads[data.faces_of(helper)])]
        for helper in ("helper-l-eye", "helper-r-eye")
    ]
    centers = np.stack([(ball.min(axis=0) + ball.max(axis=0)) / 2 for ball in balls])
    return centers, np.array([np.ptp(ball, axis=0).mean() / 2 for ball in balls])


def face_scale_m(data: BodyData, rest: RestBody) -> float:
    """Metres of a body at rest for a unit of its targets, by how far apart the eyes are."""
    apart = []
    for points in (rest.vertices_world, data.vertices):
        left, right = (
            points[np.unique(data.quads[data.faces_of(f"helper-{side}-eye")])].mean(axis=0)
            for side in "lr"
        )
        apart.append(np.linalg.norm(left - right))
    return float(apart[0] / apart[1])


@lru_cache(maxsize=1)
def _ball() -> tuple[Array, Ints, Array]:
    """Unit sphere looking along +X, with polar uv."""
    angle = np.linspace(0, np.pi, _RINGS + 1)[1:]
    spoke = np.arange(_SPOKES) * 2 * np.pi / _SPOKES
    grid = np.meshgrid(angle, spoke, indexing="ij")
    a, s = (np.append(0.0, axis.ravel()) for axis in grid)
    x = np.cos(a) + 0.06 * smoothstep(_IRIS + 0.1, 0.0, a)  # the cornea bulges
    sphere = np.stack([x, np.sin(a) * np.sin(s), np.sin(a) * np.cos(s)], axis=1)
    uv = 0.5 + 0.5 * (a / np.pi)[:, None] * np.stack([np.cos(s), np.sin(s)], axis=1)
    first = 1 + np.arange(_SPOKES)
    cap = np.stack([np.zeros(_SPOKES, int), first, np.roll(first, -1)], axis=1)
    rows = first + _SPOKES * np.arange(_RINGS - 1)[:, None]
    here, there = rows, rows + _SPOKES
    quads = np.stack([here, there, np.roll(there, -1, 1), np.roll(here, -1, 1)], -1).reshape(-1, 4)
    faces = np.concatenate([cap, quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return sphere, faces[:, ::-1], uv


def _iris_color(subject: Subject, rng: np.random.Generator) -> Array:
    """Light eyes go with light skin and European ancestry."""
    light = subject.ancestry[2] * np.clip(1.3 - 2.2 * subject.skin_tone, 0, 1)
    if rng.random() < 0.85 * light:
        base = (_HAZEL, _GREEN, _BLUE, _BLUE, _GREY)[rng.integers(5)]
    else:
        base = _BROWN
    return np.clip(np.array(base) * rng.uniform(0.8, 1.25) + rng.normal(0, 0.015, 3), 0.04, 0.8)


def _paint(iris: Array, rng: np.random.Generator, size: int) -> NDArray[np.uint8]:
    row, column = np.mgrid[0:size, 0:size]
    x, y = (column + 0.5) / size - 0.5, 0.5 - (row + 0.5) / size
    angle = 2 * np.pi * np.hypot(x, y)
    spoke = np.arctan2(y, x)
    color = np.broadcast_to(_WHITE, (size, size, 3)).copy()
    color *= 1 - 0.25 * smoothstep(0.7, 1.3, angle)[..., None] * np.array([0.4, 1.0, 1.0])
    fibers = sum(np.sin(spoke * k + rng.uniform(0, 7)) for k in (17, 29, 41)) / 3
    ring = iris * (1 + 0.18 * fibers[..., None]) * (1.25 - 0.5 * (angle / _IRIS)[..., None])
    color = mix(color, ring, smoothstep(_IRIS + 0.03, _IRIS - 0.03, angle))
    limbus = np.exp(-(((angle - _IRIS) / 0.05) ** 2))
    color = mix(color, iris * 0.25, 0.75 * limbus)
    color = mix(color, np.full(3, 0.01), smoothstep(0.22, 0.17, angle))
    return (np.clip(color, 0, 1) * 255 + 0.5).astype(np.uint8)


def lashes(data: BodyData, color: Color) -> Part:
    """The rim of the lids and the lashes: the lash helpers, shortened."""
    stencil, faces, uv, weld = _lash_strips(data)
    red, green, blue = color
    return Part(
        name="lashes",
        faces=faces,
        uv=uv,
        material=Material((0.5 * red, 0.5 * green, 0.5 * blue), roughness=0.7, specular=0.1),
        weld=weld,
        stencil=stencil,
        offset_m=np.zeros(len(uv), np.float32),
    )


def mouth(data: BodyData) -> tuple[Part, Part]:
    """Teeth and tongue: seen where a mouth opens."""
    teeth, tongue = _teeth(data), _tongue(data)
    return (
        _inner("teeth", teeth, Material((0.82, 0.78, 0.70), roughness=0.3, specular=0.4)),
        _inner("tongue", tongue, Material((0.62, 0.30, 0.29), roughness=0.5, specular=0.3)),
    )


def _inner(name: str, sheet: Sheet, material: Material) -> Part:
    return Part(
        name=name,
        faces=sheet.faces,
        uv=sheet.uv.astype(np.float32),
        material=material,
        weld=sheet.weld,
        stencil=sheet.stencil,
        offset_m=np.zeros(len(sheet.uv), np.float32),
    )


@lru_cache(maxsize=2)
def _teeth(data: BodyData) -> Sheet:
    """Both rows; the upper one hangs lower than the data has it, where it is never seen."""
    sheet = group_sheet(data, "helper-upper-teeth", "helper-lower-teeth")
    vertex = sheet.stencil.indices
    upper = np.unique(data.quads[data.faces_of("helper-upper-teeth")])
    x, _, z = data.vertices[upper].T
    front = upper[(np.abs(x) < 0.05) & (z > z.max() - 0.12)]
    high, low = front[[np.argmax(data.vertices[front, 1]), np.argmin(data.vertices[front, 1])]]
    row = np.flatnonzero(np.isin(vertex, upper))
    share = np.full(len(row), _TEETH_LOWER / np.ptp(data.vertices[[high, low], 1]))
    moved = csr_array(
        (
            np.concatenate([share, -share]),
            (np.tile(row, 2), np.repeat([low, high], len(row))),
        ),
        shape=sheet.stencil.shape,
    )
    return replace(sheet, stencil=csr_array(sheet.stencil + moved))


@lru_cache(maxsize=2)
def _tongue(data: BodyData) -> Sheet:
    return group_sheet(data, "helper-tongue")


@lru_cache(maxsize=2)
def _lash_strips(
    data: BodyData,
) -> tuple[csr_array, NDArray[np.int32], NDArray[np.float32], NDArray[np.int32]]:
    """Stencil, faces, uv, weld of the upper lash strips, their free edge drawn back to the lid."""
    sheet = group_sheet(data, "helper-l-eyelashes-2", "helper-r-eyelashes-2")
    vertex = sheet.stencil.indices
    points = data.vertices[vertex].astype(np.float64)
    eye = {
        side: data.vertices[np.unique(data.quads[data.faces_of(f"helper-{side}-eye")])].mean(axis=0)
        for side in "lr"
    }
    center = np.where(points[:, :1] > 0, eye["l"], eye["r"])
    reach = np.linalg.norm(points - center, axis=1)
    # The root of a lash vertex is the nearest vertex of the strip's inner edge.
    edges = open_edges(sheet)
    rim = np.unique(edges)
    inner = rim[reach[rim] < np.median(reach)]
    root = inner[np.argmin(np.linalg.norm(points[:, None] - points[inner], axis=2), axis=1)]
    stencil = csr_array(_LASH_SHARE * sheet.stencil + (1 - _LASH_SHARE) * sheet.stencil[root])
    return stencil, sheet.faces, sheet.uv.astype(np.float32), sheet.weld
