"""Hair as thousands of thin ribbons grown from the scalp, and the shade painted beneath them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars.body import Subject
from spinetrack_synth.avatars.parts import Part
from spinetrack_synth.avatars.skin import Anatomy, Shade, tone_color
from spinetrack_synth.avatars.textures import noise, smoothstep
from spinetrack_synth.shot import Material

# The hairline: height above the eyes (m, on a head whose top is 0.11 m above them) by azimuth from
# the nose (degrees): forehead, temple, sideburn, over the ear, behind it, nape.
_HAIRLINE_DEG = np.array([0, 20, 38, 50, 60, 68, 72, 79, 82, 90, 106, 113, 125, 150, 180])
_HAIRLINE_M = np.array(
    [66, 67, 62, 47, 30, 14, -8, -12, 14, 18, 16, -14, -46, -58, -62]
) / 1000  # fmt: skip
_HEAD_M = 0.11

# Natural hair colours, sRGB, dark to light, then the uncommon ones.
_COLORS = {
    "black": (0.045, 0.038, 0.036), "dark brown": (0.105, 0.070, 0.052),
    "brown": (0.19, 0.125, 0.085), "light brown": (0.30, 0.205, 0.13),
    "dark blond": (0.43, 0.325, 0.21), "blond": (0.58, 0.46, 0.30),
    "auburn": (0.30, 0.12, 0.07), "grey": (0.47, 0.46, 0.45),
}  # fmt: skip

WOMEN = {
    "ponytail": 0.24, "low ponytail": 0.2, "bun": 0.2, "top knot": 0.12, "braid": 0.12,
    "bob": 0.1, "pixie": 0.05,
}  # fmt: skip
MEN = {
    "crop": 0.34, "side part": 0.22, "buzz": 0.2, "bald": 0.08, "receding": 0.1, "top knot": 0.06,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Head:
    """A head to grow hair on.

    ``center`` (3,) m and ``unit`` (head size over the usual one); ``density`` (P,) 0..1 of scalp
    hair over the skin sheet; ``radius`` (rows, columns) m of the skull and neck without ears by
    direction from the centre.
    """

    anatomy: Anatomy
    center: NDArray[np.float64]
    unit: float
    density: NDArray[np.float64]
    radius: NDArray[np.float64]

    def surface_m(self, direction: NDArray) -> NDArray[np.float64]:
        """Distance of the skin from the centre along unit directions (..., 3)."""
        from scipy.ndimage import map_coordinates

        rows, columns = self.radius.shape
        polar = np.arccos(np.clip(direction[..., 1], -1, 1)) / np.pi * (rows - 1)
        turn = (np.arctan2(direction[..., 2], direction[..., 0]) / (2 * np.pi) % 1.0) * columns
        return map_coordinates(self.radius, [polar, turn], order=1, mode="grid-wrap")

    def outside(self, points: NDArray, clearance_m: float | NDArray) -> NDArray[np.float64]:
        """Points (..., 3) moved out of the head."""
        arm = points - self.center
        length = np.linalg.norm(arm, axis=-1, keepdims=True)
        direction = arm / np.maximum(length, 1e-9)
        least = self.surface_m(direction)[..., None] + np.asarray(clearance_m)[..., None]
        return self.center + direction * np.maximum(length, least)


@dataclass(frozen=True, eq=False)
class Hairdo:
    """What a subject's hair adds: parts to draw, shades to paint, the colour of the brows."""

    parts: tuple[Part, ...]
    shades: tuple[Shade, ...]
    brow_color: tuple[float, float, float]


def hairdo(anatomy: Anatomy, subject: Subject, rng: np.random.Generator) -> Hairdo:
    """Choose and grow a subject's hair."""
    styles = WOMEN if subject.sex == "female" else MEN
    style = str(rng.choice(list(styles), p=np.array(list(styles.values())) / sum(styles.values())))
    curly = rng.random() < 0.85 * subject.ancestry[0] ** 0.7
    if curly and style in ("crop", "side part", "receding", "bob", "pixie"):
        style = "afro" if style in ("bob", "pixie") or rng.random() < 0.35 else "curls"
    return grow(anatomy, subject, style, rng)


def grow(anatomy: Anatomy, subject: Subject, style: str, rng: np.random.Generator) -> Hairdo:
    """Hair of a named style (see ``WOMEN``, ``MEN``, and ``curls``, ``afro``)."""
    color = _hair_color(subject, rng)
    brow = np.minimum(0.8 * color, 0.5 * tone_color(subject))
    head = _head(anatomy, subject, style, rng)
    shades = [Shade(head.density * _SHADE[style][0], tuple(color * 0.75), _SHADE[style][1])]
    parts = []
    if style in STYLES:
        paths, widths = STYLES[style](head, rng)
        parts.append(_ribbons("hair", paths, widths, head, color, rng))
    if subject.sex == "male":
        shades += _beard_shade(head, color, rng)
    return Hairdo(tuple(parts), tuple(shades), (float(brow[0]), float(brow[1]), float(brow[2])))


# How densely a style's scalp is painted, and how dotted.
_SHADE = {
    "bald": (0.25, 0.7), "buzz": (0.8, 0.35), "crop": (0.92, 0.1), "side part": (0.95, 0.0),
    "pixie": (0.97, 0.0),
    "receding": (0.85, 0.15), "curls": (0.95, 0.1), "afro": (0.97, 0.0), "bob": (0.97, 0.0),
    "ponytail": (0.97, 0.0), "low ponytail": (0.97, 0.0), "bun": (0.97, 0.0),
    "top knot": (0.97, 0.0), "braid": (0.97, 0.0),
}  # fmt: skip


def _hair_color(subject: Subject, rng: np.random.Generator) -> NDArray[np.float64]:
    light = subject.ancestry[2] * np.clip(1.3 - 2.2 * subject.skin_tone, 0, 1)
    if rng.random() < 0.8 * light:
        names = ["dark brown", "brown", "light brown", "dark blond", "blond", "auburn"]
        name = names[rng.choice(6, p=[0.18, 0.24, 0.2, 0.17, 0.13, 0.08])]
    else:
        name = "black" if rng.random() < 0.7 else "dark brown"
    color = np.array(_COLORS[name]) * rng.uniform(0.85, 1.2)
    grey = float(smoothstep(0.74, 0.9, np.array(subject.age))) * rng.random()
    return color * (1 - 0.8 * grey) + 0.8 * grey * np.array(_COLORS["grey"])


def _head(anatomy: Anatomy, subject: Subject, style: str, rng: np.random.Generator) -> Head:
    points = anatomy.points
    eye = anatomy.eyes.mean(axis=0)
    skull = points[points[:, 1] > eye[1]]
    unit = float((skull[:, 1].max() - eye[1]) / _HEAD_M)
    middle = (skull[:, 0].min() + skull[:, 0].max()) / 2
    center = np.array([middle, eye[1] + 0.03 * unit, 0.0])
    arm = points - center
    azimuth = np.degrees(np.arctan2(np.abs(arm[:, 2]), arm[:, 0]))
    line = np.interp(azimuth, _HAIRLINE_DEG, _HAIRLINE_M) + rng.normal(0, 0.003)
    line = line + rng.normal(0, 0.002) * (azimuth < 25)
    if style == "receding":
        line = line + 0.055 * smoothstep(62, 40, azimuth) - 0.012 * smoothstep(14, 0, azimuth)
    elif subject.sex == "male":
        line = line + 0.012 * np.exp(-(((azimuth - 42) / 10) ** 2)) * rng.uniform(0.3, 1.5)
    above = (points[:, 1] - eye[1]) / unit - line + 0.004 * noise(points, 0.02, rng)
    density = smoothstep(-0.005, 0.013, above) * (np.linalg.norm(arm, axis=1) < 0.2 * unit)
    density = density * (anatomy.masks["ears"] < 0.3) * (anatomy.masks["inside-mouth"] < 0.5)
    if style == "receding":
        crown = center + np.array([-0.035, 0.09, 0.0]) * unit
        bare = np.exp(-((points - crown) ** 2).sum(axis=1) / (2 * (0.035 * unit) ** 2))
        density = density * (1 - 0.9 * bare)
    return Head(anatomy, center, unit, density, _radius_map(anatomy, center))


def _radius_map(anatomy: Anatomy, center: NDArray) -> NDArray[np.float64]:
    from scipy.spatial import KDTree

    arm = anatomy.points - center
    length = np.linalg.norm(arm, axis=1)
    skin = (length < 0.22) & (anatomy.masks["ears"] < 0.2) & (anatomy.masks["inside-mouth"] < 0.3)
    skin &= np.einsum("ij,ij->i", arm, anatomy.normals) > 0
    rows, columns = 48, 96
    polar = np.linspace(0, np.pi, rows)[:, None]
    turn = np.arange(columns) * 2 * np.pi / columns
    direction = np.stack(
        [
            np.sin(polar) * np.cos(turn),
            np.broadcast_to(np.cos(polar), (rows, columns)),
            np.sin(polar) * np.sin(turn),
        ],
        axis=-1,
    )
    distance, near = KDTree(arm[skin] / length[skin, None]).query(direction, k=6)
    weight = 1 / (distance + 0.02)
    return (length[skin][near] * weight).sum(axis=-1) / weight.sum(axis=-1)


# Roots and paths. A path is (K, 3) points from root to tip; styles give (n, K, 3) and widths (n,).


def _roots(head: Head, count: int, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
    """Random places on the scalp (n, 3) with the skin's normals."""
    faces, points = head.anatomy.sheet.faces, head.anatomy.points
    scalp = faces[head.density[faces].min(axis=1) > 0.02]
    a, b, c = (points[scalp[:, k]] for k in range(3))
    weight = np.linalg.norm(np.cross(b - a, c - a), axis=1) * head.density[scalp].mean(axis=1)
    face = rng.choice(len(scalp), size=count, p=weight / weight.sum())
    share = rng.dirichlet([1, 1, 1], count)[:, :, None]
    corner = scalp[face]
    roots = (points[corner] * share).sum(axis=1)
    normals = (head.anatomy.normals[corner] * share).sum(axis=1)
    return roots, normals / np.linalg.norm(normals, axis=1, keepdims=True)


def _walk(
    head: Head,
    roots: NDArray,
    normals: NDArray,
    length_m: NDArray,
    steps: int,
    heading: Callable[[NDArray, NDArray, float], NDArray],
    lift_m: NDArray,
    cling: float = 0.0,
) -> NDArray[np.float64]:
    """Paths along ``heading(points, outward, share)`` that stay ``lift_m`` (n,) off the skin.

    ``cling`` 0..1 draws what stands farther off back to that shell at every step.
    """
    path = [roots - 0.001 * normals]
    for k in range(1, steps):
        share = k / (steps - 1)
        here = path[-1]
        outward = here - head.center
        outward /= np.linalg.norm(outward, axis=1, keepdims=True)
        ahead = heading(here, outward, share)
        ahead = ahead / np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
        point = here + ahead * (length_m / (steps - 1))[:, None]
        shell = lift_m * min(1.0, 2 * share)
        arm = point - head.center
        distance = np.linalg.norm(arm, axis=1, keepdims=True)
        excess = distance - head.surface_m(arm / distance)[:, None] - shell[:, None]
        point = point - cling * np.clip(excess, 0, None) * arm / distance
        path.append(head.outside(point, shell))
    return np.stack(path, axis=1)


def _short(
    head: Head, rng, top_m: float, side_m: float, part_m: float, lift: float, count: int = 3600
) -> tuple[NDArray, NDArray]:
    """Short hair: on top combed forward or away from a part, at sides and nape down and shorter."""
    roots, normals = _roots(head, count, rng)
    rise = (roots - head.center)[:, 1] / (0.08 * head.unit)
    on_top = smoothstep(0.1, 0.8, rise)
    fade = 0.3 + 0.7 * smoothstep(-1.1, 0.1, rise)
    length = (side_m * fade + (top_m - side_m) * on_top) * rng.uniform(0.6, 1.15, count)
    jitter = (0.14 + 0.2 * lift) * rng.standard_normal((count, 3))
    if part_m:
        beyond = np.where(roots[:, 2] * np.sign(part_m) > abs(part_m), 1.0, -1.0)
        comb = np.stack([np.full(count, 0.45), np.zeros(count), beyond * np.sign(part_m)], axis=1)
    else:
        spread = 0.5 * np.tanh(roots[:, 2] / 0.04)
        comb = np.stack([np.ones(count), np.zeros(count), spread], axis=1)
    fall = np.array([-0.25, -1.0, 0.0])
    run = on_top[:, None] * comb + (1 - on_top[:, None]) * fall

    def heading(here: NDArray, outward: NDArray, share: float) -> NDArray:
        flow = run - outward * np.einsum("ij,ij->i", run, outward)[:, None]
        up = lift * (1 - 0.8 * share) * (0.3 + 0.7 * on_top)
        return flow + jitter + outward * up[:, None]

    lift_m = rng.uniform(0.001, 0.004, count) + (0.004 + 0.006 * lift) * on_top
    widths = rng.uniform(0.0022, 0.0042, count)
    return _walk(head, roots, normals, length, 5, heading, lift_m, 0.75 - lift), widths


def _crop(head: Head, rng):
    return _short(head, rng, rng.uniform(0.02, 0.045), rng.uniform(0.008, 0.016), 0.0,
                  rng.uniform(0.2, 0.55))  # fmt: skip


def _side_part(head: Head, rng):
    part = rng.choice([-1, 1]) * rng.uniform(0.02, 0.035)
    return _short(head, rng, rng.uniform(0.05, 0.07), rng.uniform(0.012, 0.02), part, 0.2)


def _pixie(head: Head, rng):
    part = rng.choice([-1, 1]) * rng.uniform(0.015, 0.03)
    return _short(head, rng, rng.uniform(0.06, 0.08), rng.uniform(0.03, 0.045), part, 0.08)


def _receding(head: Head, rng):
    return _short(head, rng, 0.022, 0.013, 0.0, 0.3, count=2600)


def _buzz(head: Head, rng):
    roots, normals = _roots(head, 5200, rng)
    tips = roots + normals * rng.uniform(0.003, 0.0065, (len(roots), 1))
    tips = tips + 0.0015 * rng.standard_normal(tips.shape)
    widths = rng.uniform(0.001, 0.002, len(roots))
    return np.stack([roots, (roots + tips) / 2, tips], axis=1), widths


def _curls(head: Head, rng):
    return _springs(head, rng, rng.uniform(0.012, 0.03), 0.35)


def _afro(head: Head, rng):
    return _springs(head, rng, rng.uniform(0.035, 0.08), 0.15)


def _springs(head: Head, rng, length_m: float, uneven: float) -> tuple[NDArray, NDArray]:
    """Hair that stands outward in small curls, clipped to a round shape."""
    count, steps = 2200, 8
    roots, normals = _roots(head, count, rng)
    outward = roots - head.center + [0.0, 0.02, 0.0]
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    ahead = outward + 0.3 * normals + 0.3 * rng.standard_normal((count, 3))
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    # Shorter toward the hairline, so that the outline runs into face and neck.
    face = smoothstep(0.03, 0.075, roots[:, 0] - head.center[0])
    low = smoothstep(0.02, -0.08, roots[:, 1] - head.center[1])
    length = length_m * rng.uniform(1 - uneven, 1 + uneven, count)
    length = length * (1 - 0.45 * face) * (1 - 0.75 * low)
    across = np.cross(ahead, rng.standard_normal((count, 3)))
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    other = np.cross(ahead, across)
    place = np.linspace(0, 1, steps)
    turn = rng.uniform(0, 2 * np.pi, count)[:, None] + place * rng.uniform(7, 13, count)[:, None]
    coil = np.minimum(0.008, 0.3 * length)[:, None] * np.minimum(2 * place, 1.0)
    path = (
        roots[:, None]
        + ahead[:, None] * (place * length[:, None])[..., None]
        + across[:, None] * (coil * np.cos(turn))[..., None]
        + other[:, None] * (coil * np.sin(turn))[..., None]
    )
    path[:, 1:] = head.outside(path[:, 1:], 0.001)
    return path, rng.uniform(0.003, 0.0055, count)


def _bob(head: Head, rng) -> tuple[NDArray, NDArray]:
    """Falls from a part to the chin and turns inward."""
    count, steps = 2100, 8
    roots, normals = _roots(head, count, rng)
    part = rng.uniform(-0.03, 0.03) * head.unit
    low = head.center[1] - rng.uniform(0.115, 0.15) * head.unit
    length = (roots[:, 1] - low) * 1.1
    length += 0.06 * smoothstep(0.03, 0.1, roots[:, 1] - head.center[1])
    length *= rng.uniform(0.86, 1.03, count)
    back = smoothstep(head.center[0] + 0.04, head.center[0] - 0.04, roots[:, 0])
    away = np.sign(roots[:, 2] - part) * (1 - 0.9 * back)
    jitter = 0.06 * rng.standard_normal((count, 3))

    def heading(here: NDArray, outward: NDArray, share: float) -> NDArray:
        early = max(0.0, 1 - 1.8 * share)
        flow = np.full_like(here, -1.0)
        flow[:, 2] = 1.1 * away * early
        flow[:, 0] = -0.5 * (1 - back) * (1 - early) * (share < 0.7) - 0.6 * back * early
        flow -= outward * (np.einsum("ij,ij->i", flow, outward) * early)[:, None]
        flow -= outward * [0.5, 0.0, 0.5] * max(0.0, share - 0.75)
        return flow + jitter

    lift = rng.uniform(0.006, 0.016, count)
    paths = _walk(head, roots, normals, length, steps, heading, lift)
    return _beside_face(head, paths), rng.uniform(0.004, 0.007, count)


def _beside_face(head: Head, paths: NDArray) -> NDArray[np.float64]:
    """Hair that would hang before the face moved to its side."""
    wall = 0.072 * head.unit
    ahead = paths[..., 0] - head.center[0] - 0.03 * head.unit
    below = head.center[1] + 0.045 * head.unit - paths[..., 1]
    push = smoothstep(-0.02, 0.02, ahead) * smoothstep(0.0, 0.02, below)
    side = np.where(paths[:, -1:, 2] >= 0, 1.0, -1.0)
    out = np.maximum(side * paths[..., 2], wall)
    moved = paths.copy()
    moved[..., 2] += push * (side * out - paths[..., 2])
    return moved


def _tied(head: Head, rng, tie: NDArray, count: int = 2300):
    """Hair drawn over the skull to the tie point."""
    steps = 6
    roots, normals = _roots(head, count, rng)
    start = roots - head.center
    start /= np.linalg.norm(start, axis=1, keepdims=True)
    goal = tie - head.center
    reach = np.linalg.norm(goal)
    goal = goal / reach
    place = np.linspace(0, 1, steps)[None, :, None]
    # Over the crown where the straight way round would cross the face.
    far = smoothstep(1.3, 2.4, np.arccos(np.clip(start @ goal, -1, 1)))[:, None]
    middle = start + goal + far * [0.0, 1.5, 0.0]
    middle = (middle / np.linalg.norm(middle, axis=1, keepdims=True))[:, None]
    first = _slerp(start[:, None], middle, place)
    arc = _slerp(first, _slerp(middle, goal[None, None], place), place)
    arc = _over_ears(head, arc)
    lift = rng.uniform(0.0015, 0.0065, count)[:, None]
    rise = lift * np.sin(np.pi * np.clip(place[..., 0], 0, 0.5)) + 0.004 * place[..., 0]
    shell = head.surface_m(arc) + rise
    blend = smoothstep(0.8, 1.0, place[..., 0])
    distance = shell * (1 - blend) + reach * blend
    paths = head.center + arc * distance[..., None]
    paths[:, 0] = roots - 0.001 * normals
    paths[:, -1] += 0.006 * rng.standard_normal((count, 3))
    return paths, rng.uniform(0.0038, 0.006, count)


def _slerp(a: NDArray, b: NDArray, share: NDArray) -> NDArray[np.float64]:
    """Directions (..., 3) on the great circle from a to b."""
    angle = np.arccos(np.clip((a * b).sum(axis=-1, keepdims=True), -0.9999, 0.9999))
    return (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)


def _over_ears(head: Head, directions: NDArray) -> NDArray[np.float64]:
    """Directions (..., 3) lifted above the ears where they would cross them."""
    azimuth = np.degrees(np.arctan2(np.abs(directions[..., 2]), directions[..., 0]))
    ear = smoothstep(70, 80, azimuth) * smoothstep(118, 108, azimuth)
    least = -0.02 / 0.085
    lifted = directions.copy()
    lifted[..., 1] = np.maximum(directions[..., 1], least * ear - 2 * (1 - ear))
    return lifted / np.linalg.norm(lifted, axis=-1, keepdims=True)


def _tail(head: Head, rng, tie, away, length_m: float, girth_m: float, count: int = 620, wave=0.0):
    """A bundle that leaves the tie along ``away`` and hangs."""
    steps = 8
    place = np.linspace(0, 1, steps)
    away = np.asarray(away, float) / np.linalg.norm(away)
    down = np.array([0.0, -1.0, 0.0])
    turn = np.clip(place * 2.2, 0, 1)[:, None] ** 0.7
    heading = away * (1 - turn) + down * turn
    heading /= np.linalg.norm(heading, axis=1, keepdims=True)
    spine = _run(tie, heading, length_m)
    side = np.array([0.0, 0.0, 1.0])
    fore = np.cross(heading, side)
    swell = girth_m * (0.35 + 0.65 * np.sin(np.pi * np.clip(place * 1.25 + 0.1, 0, 1)) ** 0.7)
    swell = swell * (1 - 0.75 * place**3)
    polar = rng.uniform(0, 2 * np.pi, count)
    ring = np.sqrt(rng.uniform(0.1, 1.0, count))
    reach = rng.uniform(0.72, 1.0, count)
    stretch = place[None] * reach[:, None]
    spine_at = np.stack([np.interp(stretch, place, spine[:, c]) for c in range(3)], axis=-1)
    fore_at = np.stack([np.interp(stretch, place, fore[:, c]) for c in range(3)], axis=-1)
    swell_at = np.interp(stretch, place, swell)
    ripple = wave * np.sin(place * 9 + rng.normal(0, 0.6, count)[:, None])
    paths = (
        spine_at
        + fore_at * (swell_at * (ring * np.cos(polar))[:, None] + ripple)[..., None]
        + side * (swell_at * (ring * np.sin(polar))[:, None])[..., None]
    )
    paths[:, 1:] += 0.0015 * rng.standard_normal(paths[:, 1:].shape)
    return head.outside(paths, 0.012), rng.uniform(0.0034, 0.006, count)


def _run(start: NDArray, heading: NDArray, length_m: float) -> NDArray[np.float64]:
    """Points (K, 3) from ``start`` along unit headings (K, 3), evenly spaced."""
    steps = np.concatenate([np.zeros((1, 3)), np.cumsum(heading[1:], axis=0)])
    return start + steps * length_m / (len(heading) - 1)


def _gather(*bundles: tuple[NDArray, NDArray]) -> tuple[list[NDArray], list[NDArray]]:
    return [paths for paths, _ in bundles], [widths for _, widths in bundles]


def _tie_point(head: Head, elevation_deg: float, gap_m: float) -> tuple[NDArray, NDArray]:
    """A point behind the head at an elevation, and the direction outward there."""
    e = np.radians(elevation_deg)
    outward = np.array([-np.cos(e), np.sin(e), 0.0])
    return head.center + outward * (head.surface_m(outward[None])[0] + gap_m), outward


def _ponytail(head: Head, rng):
    tie, away = _tie_point(head, rng.uniform(28, 48), 0.012)
    upward = away + np.array([0.0, 0.3, 0.0])
    tail = _tail(head, rng, tie, upward, rng.uniform(0.22, 0.34),
                 rng.uniform(0.02, 0.03), wave=rng.uniform(0, 0.006))  # fmt: skip
    return _gather(_tied(head, rng, tie), tail)


def _low_ponytail(head: Head, rng):
    tie, away = _tie_point(head, rng.uniform(-32, -18), 0.010)
    tail = _tail(head, rng, tie, away, rng.uniform(0.14, 0.24), rng.uniform(0.018, 0.026),
                 wave=rng.uniform(0, 0.005))  # fmt: skip
    return _gather(_tied(head, rng, tie), tail)


def _braid(head: Head, rng):
    tie, away = _tie_point(head, rng.uniform(-28, -12), 0.010)
    length, girth = rng.uniform(0.2, 0.3), rng.uniform(0.014, 0.019)
    strands = []
    for k in range(3):
        strands.append(_plait(head, rng, tie, away, length, girth, 2 * np.pi * k / 3))
    return _gather(_tied(head, rng, tie), *strands)


def _plait(head: Head, rng, tie, away, length_m: float, girth_m: float, phase: float):
    """One of the three strands of a braid."""
    count, steps = 80, 18
    place = np.linspace(0, 1, steps)
    turn = np.clip(place * 4, 0, 1)[:, None]
    heading = away * (1 - turn) + np.array([0.0, -1.0, 0.0]) * turn
    heading /= np.linalg.norm(heading, axis=1, keepdims=True)
    spine = _run(tie, heading, length_m)
    fore = np.cross(heading, [0.0, 0.0, 1.0])
    angle = place * 2 * np.pi * length_m / 0.055 + phase
    taper = (1 - 0.55 * place)[:, None]
    center = spine + taper * girth_m * (
        np.sin(angle)[:, None] * np.array([0, 0, 1.0]) + 0.5 * np.sin(2 * angle)[:, None] * fore
    )
    polar, ring = rng.uniform(0, 2 * np.pi, count), np.sqrt(rng.uniform(0.2, 1, count))
    wide = 0.62 * girth_m * taper[None, :, 0] * ring[:, None]
    paths = (
        center[None]
        + fore[None] * (wide * np.cos(polar)[:, None])[..., None]
        + np.array([0, 0, 1.0]) * (wide * np.sin(polar)[:, None])[..., None]
    )
    return head.outside(paths, 0.012), rng.uniform(0.003, 0.005, count)


def _bun(head: Head, rng):
    tie, away = _tie_point(head, rng.uniform(-25, 20), 0.008)
    return _gather(_tied(head, rng, tie), _coil(rng, tie, away, rng.uniform(0.026, 0.036)))


def _top_knot(head: Head, rng):
    tie, away = _tie_point(head, rng.uniform(62, 85), 0.008)
    return _gather(_tied(head, rng, tie), _coil(rng, tie, away, rng.uniform(0.020, 0.030)))


def _coil(rng, tie, away, radius_m: float, count: int = 560):
    """A bun: strands wound round the direction ``away``."""
    steps = 8
    axis = np.asarray(away) / np.linalg.norm(away)
    u = np.cross(axis, [0.0, 0.0, 1.0])
    u /= np.linalg.norm(u)
    v = np.cross(axis, u)
    polar = np.arccos(rng.uniform(-0.75, 0.95, count))[:, None]
    drift = np.linspace(0, 1, steps)[None] * rng.normal(0, 0.5, count)[:, None]
    polar = np.clip(polar + drift, 0.25, 2.5)
    turn = rng.uniform(0, 2 * np.pi, count)[:, None] + np.linspace(0, 1, steps) * 2.2
    deep = radius_m * np.sqrt(rng.uniform(0.75, 1.05, count))[:, None]
    ripple = deep * (1 + 0.06 * np.sin(3 * turn + 4 * polar))
    ball = tie + 0.7 * radius_m * axis
    paths = (
        ball
        + axis * (0.85 * ripple * np.cos(polar))[..., None]
        + u * (ripple * np.sin(polar) * np.cos(turn))[..., None]
        + v * (ripple * np.sin(polar) * np.sin(turn))[..., None]
    )
    return paths, rng.uniform(0.004, 0.0065, count)


STYLES: dict[str, Callable] = {
    "crop": _crop, "side part": _side_part, "receding": _receding, "pixie": _pixie, "buzz": _buzz,
    "curls": _curls, "afro": _afro, "bob": _bob, "ponytail": _ponytail,
    "low ponytail": _low_ponytail, "braid": _braid, "bun": _bun, "top knot": _top_knot,
}  # fmt: skip


def _ribbons(
    name: str, paths, widths, head: Head, color: NDArray, rng: np.random.Generator
) -> Part:
    """Tapered ribbons along paths, each turned a little at random about its own run."""
    if not isinstance(paths, list):
        paths, widths = [paths], [widths]
    points, faces, uv = [], [], []
    start = 0
    for path, width in zip(paths, widths, strict=True):
        count, steps = path.shape[:2]
        ahead = np.gradient(path, axis=1)
        ahead /= np.maximum(np.linalg.norm(ahead, axis=2, keepdims=True), 1e-9)
        outward = path - head.center
        across = np.cross(ahead, outward)
        across /= np.maximum(np.linalg.norm(across, axis=2, keepdims=True), 1e-9)
        other = np.cross(across, ahead)
        tilt = rng.normal(0, 0.45, count)[:, None, None]
        across = across * np.cos(tilt) + other * np.sin(tilt)
        place = np.linspace(0, 1, steps)
        half = 0.5 * width[:, None] * np.interp(place, [0, 0.3, 0.75, 1], [0.8, 1, 0.85, 0.12])
        edge = across * half[..., None]
        points.append(np.stack([path - edge, path + edge], axis=2).reshape(-1, 3))
        row = start + 2 * (np.arange(count)[:, None] * steps + np.arange(steps - 1)).ravel()
        faces.append(np.stack([row, row + 1, row + 3], 1))
        faces.append(np.stack([row, row + 3, row + 2], 1))
        tone = rng.beta(2.5, 2.5, count)[:, None, None]
        u = np.broadcast_to(0.02 + 0.96 * tone, (count, steps, 2))
        v = np.broadcast_to(1 - place[None, :, None], (count, steps, 2))
        uv.append(np.stack([u, v], axis=-1).reshape(-1, 2))
        start += 2 * count * steps
    rest_world = np.concatenate(points)
    return Part(
        name=name,
        faces=np.concatenate(faces).astype(np.int32),
        uv=np.concatenate(uv).astype(np.float32),
        material=Material(_strand_tones(color), roughness=0.55, specular=0.25),
        weld=np.arange(len(rest_world), dtype=np.int32),
        body="skull",
        rest_world=rest_world.astype(np.float32),
    )


def _strand_tones(color: NDArray) -> NDArray[np.uint8]:
    """Tones of single strands (columns) from root (top row) to tip."""
    size = 32
    tone = np.linspace(-1, 1, size)[None, :, None]
    tip = np.linspace(0, 1, size)[:, None, None]
    contrast = 0.42 - 0.4 * float(color.mean())  # pale strands differ less
    image = color * (1 + contrast * tone) * (0.72 + 0.42 * tip)
    image = image * (1 + 0.10 * tone * np.array([1.0, 0.2, -0.8]))
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)


def _beard_shade(head: Head, color: NDArray, rng: np.random.Generator) -> list[Shade]:
    """Stubble or a beard shadow of some men."""
    kind = rng.random()
    if kind < 0.3:
        return []
    strength = rng.uniform(0.12, 0.3) if kind < 0.7 else rng.uniform(0.45, 0.8)
    weight = _beard_region(head) * strength
    return [Shade(weight, tuple(np.minimum(color, 0.3) * 0.7), 0.6)]


def _beard_region(head: Head) -> NDArray[np.float64]:
    """Where a beard grows, (P,) 0..1: jaw, chin, above the lip; not on the lips."""
    anatomy, unit = head.anatomy, head.unit
    points, eye = anatomy.points, anatomy.eyes.mean(axis=0)
    azimuth = np.degrees(np.arctan2(np.abs(points[:, 2]), points[:, 0] - head.center[0]))
    y = (points[:, 1] - eye[1]) / unit
    mouth = float(np.average(points[:, 1], weights=anatomy.masks["lips"]) - eye[1]) / unit
    upper = np.interp(
        azimuth,
        [0, 12, 20, 28, 45, 65, 74],
        [mouth + 0.016, mouth + 0.016, mouth + 0.008, mouth - 0.002, mouth + 0.004, -0.03, -0.005],
    )
    lower = np.interp(azimuth, [0, 30, 60, 80], [mouth - 0.062, mouth - 0.06, mouth - 0.035, -0.05])
    region = smoothstep(0.006, -0.004, y - upper) * smoothstep(-0.006, 0.008, y - lower)
    region *= smoothstep(84, 74, azimuth)
    away = np.linalg.norm(points - head.center, axis=1) < 0.22 * unit
    return region * away * (1 - np.clip(1.5 * anatomy.masks["lips"], 0, 1))
