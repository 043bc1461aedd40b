"""Hairstyles: the paths of strands from the scalp, by name in ``STYLES``.

A path is (K, 3) m from root to tip. Every style gives bundles of strands. Long hair of other kinds
is in `long_hair`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from spinetrack_synth.avatars.array_types import Array
from spinetrack_synth.avatars.parts import Bundle
from spinetrack_synth.avatars.scalp import Head, scatter
from spinetrack_synth.easing import smoothstep

Rng = np.random.Generator


def scalp_roots(head: Head, count: int, rng: Rng) -> tuple[Array, Array]:
    """Random places on the scalp (n, 3) with the skin's normals."""
    corner, share = scatter(head.anatomy, head.density, count, rng)
    roots = (head.anatomy.points[corner] * share[:, :, None]).sum(axis=1)
    normals = (head.anatomy.normals[corner] * share[:, :, None]).sum(axis=1)
    return roots, normals / np.linalg.norm(normals, axis=1, keepdims=True)


def walk(
    head: Head,
    roots: Array,
    normals: Array,
    length_m: Array,
    steps: int,
    heading: Callable[[Array, Array, float], Array],
    lift_m: Array,
    cling: float = 0.0,
) -> Array:
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
    head: Head,
    rng: Rng,
    top_m: float,
    side_m: float,
    part_m: float,
    lift: float,
    count: int = 3600,
) -> Bundle:
    """Short hair: on top combed forward or away from a part, at sides and nape down and shorter."""
    roots, normals = scalp_roots(head, count, rng)
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

    def heading(here: Array, outward: Array, share: float) -> Array:
        flow = run - outward * np.einsum("ij,ij->i", run, outward)[:, None]
        up = lift * (1 - 0.8 * share) * (0.3 + 0.7 * on_top)
        ahead: Array = flow + jitter + outward * up[:, None]
        return ahead

    lift_m = rng.uniform(0.001, 0.004, count) + (0.004 + 0.006 * lift) * on_top
    widths = rng.uniform(0.0022, 0.0042, count)
    paths = walk(head, roots, normals, length, 5, heading, lift_m, 0.75 - lift)
    return Bundle(paths, widths, (0.5, 1.6) if top_m > 0.045 else None)


def _crop(head: Head, rng: Rng) -> list[Bundle]:
    top_m, side_m = rng.uniform(0.02, 0.045), rng.uniform(0.008, 0.016)
    return [_short(head, rng, top_m, side_m, 0.0, rng.uniform(0.2, 0.55))]


def _side_part(head: Head, rng: Rng) -> list[Bundle]:
    part = rng.choice([-1, 1]) * rng.uniform(0.02, 0.035)
    return [_short(head, rng, rng.uniform(0.05, 0.07), rng.uniform(0.012, 0.02), part, 0.2)]


def _pixie(head: Head, rng: Rng) -> list[Bundle]:
    part = rng.choice([-1, 1]) * rng.uniform(0.015, 0.03)
    return [_short(head, rng, rng.uniform(0.06, 0.08), rng.uniform(0.03, 0.045), part, 0.08)]


def _receding(head: Head, rng: Rng) -> list[Bundle]:
    return [_short(head, rng, 0.022, 0.013, 0.0, 0.3, count=2600)]


def _buzz(head: Head, rng: Rng) -> list[Bundle]:
    roots, normals = scalp_roots(head, 5200, rng)
    tips = roots + normals * rng.uniform(0.003, 0.0065, (len(roots), 1))
    tips = tips + 0.0015 * rng.standard_normal(tips.shape)
    widths = rng.uniform(0.001, 0.002, len(roots))
    return [Bundle(np.stack([roots, (roots + tips) / 2, tips], axis=1), widths)]


def _curls(head: Head, rng: Rng) -> list[Bundle]:
    return [_springs(head, rng, rng.uniform(0.012, 0.03), 0.35)]


def _afro(head: Head, rng: Rng) -> list[Bundle]:
    return [_springs(head, rng, rng.uniform(0.035, 0.08), 0.15)]


def _springs(head: Head, rng: Rng, length_m: float, uneven: float) -> Bundle:
    """Hair that stands outward in small curls, clipped to a round shape."""
    count, steps = 2200, 8
    roots, normals = scalp_roots(head, count, rng)
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
    return Bundle(path, rng.uniform(0.003, 0.0055, count))


def _bob(head: Head, rng: Rng) -> list[Bundle]:
    """Falls from a part to the chin and turns inward."""
    count, steps = 2100, 8
    roots, normals = scalp_roots(head, count, rng)
    part = rng.uniform(-0.03, 0.03) * head.unit
    low = head.center[1] - rng.uniform(0.115, 0.15) * head.unit
    length = (roots[:, 1] - low) * 1.1
    length += 0.06 * smoothstep(0.03, 0.1, roots[:, 1] - head.center[1])
    length *= rng.uniform(0.86, 1.03, count)
    back = smoothstep(head.center[0] + 0.04, head.center[0] - 0.04, roots[:, 0])
    away = np.sign(roots[:, 2] - part) * (1 - 0.9 * back)
    jitter = 0.06 * rng.standard_normal((count, 3))

    def heading(here: Array, outward: Array, share: float) -> Array:
        early = max(0.0, 1 - 1.8 * share)
        flow = np.full_like(here, -1.0)
        flow[:, 2] = 1.1 * away * early
        flow[:, 0] = -0.5 * (1 - back) * (1 - early) * (share < 0.7) - 0.6 * back * early
        flow -= outward * (np.einsum("ij,ij->i", flow, outward) * early)[:, None]
        flow -= outward * [0.5, 0.0, 0.5] * max(0.0, share - 0.75)
        return flow + jitter

    lift = rng.uniform(0.006, 0.016, count)
    paths = walk(head, roots, normals, length, steps, heading, lift)
    return [Bundle(beside_face(head, paths), rng.uniform(0.004, 0.007, count), (0.05, 0.75))]


def beside_face(head: Head, paths: Array) -> Array:
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


def tied(head: Head, rng: Rng, tie: Array) -> Bundle:
    """Hair drawn over the skull to the tie point."""
    count, steps = 2300, 6
    roots, normals = scalp_roots(head, count, rng)
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
    return Bundle(paths, rng.uniform(0.0038, 0.006, count))


def _slerp(a: Array, b: Array, share: Array) -> Array:
    """Directions (..., 3) on the great circle from a to b."""
    angle = np.arccos(np.clip((a * b).sum(axis=-1, keepdims=True), -0.9999, 0.9999))
    mixed: Array = (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)
    return mixed


def _over_ears(head: Head, directions: Array) -> Array:
    """Directions (..., 3) lifted above the ears where they would cross them."""
    azimuth = np.degrees(np.arctan2(np.abs(directions[..., 2]), directions[..., 0]))
    ear = smoothstep(70, 80, azimuth) * smoothstep(118, 108, azimuth)
    least = -0.02 / 0.085
    lifted = directions.copy()
    lifted[..., 1] = np.maximum(directions[..., 1], least * ear - 2 * (1 - ear))
    lifted /= np.linalg.norm(lifted, axis=-1, keepdims=True)
    return lifted


def hanging_tail(
    head: Head,
    rng: Rng,
    tie: Array,
    away: Array,
    length_m: float,
    girth_m: float,
    wave: float,
) -> Bundle:
    """A bundle that leaves the tie along ``away`` and hangs."""
    count, steps = 620, 8
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
    return Bundle(head.outside(paths, 0.012), rng.uniform(0.0034, 0.006, count), (0.0, 0.4))


def _run(start: Array, heading: Array, length_m: float) -> Array:
    """Points (K, 3) from ``start`` along unit headings (K, 3), evenly spaced."""
    steps = np.concatenate([np.zeros((1, 3)), np.cumsum(heading[1:], axis=0)])
    return start + steps * length_m / (len(heading) - 1)


def tie_point(head: Head, elevation_deg: float, gap_m: float) -> tuple[Array, Array]:
    """A point behind the head at an elevation, and the direction outward there."""
    e = np.radians(elevation_deg)
    outward = np.array([-np.cos(e), np.sin(e), 0.0])
    return head.center + outward * (head.surface_m(outward[None])[0] + gap_m), outward


def _ponytail(head: Head, rng: Rng) -> list[Bundle]:
    tie, away = tie_point(head, rng.uniform(28, 48), 0.012)
    upward = away + np.array([0.0, 0.3, 0.0])
    tail = hanging_tail(head, rng, tie, upward, rng.uniform(0.22, 0.34),
                 rng.uniform(0.02, 0.03), wave=rng.uniform(0, 0.006))  # fmt: skip
    return [tied(head, rng, tie), tail]


def _low_ponytail(head: Head, rng: Rng) -> list[Bundle]:
    tie, away = tie_point(head, rng.uniform(-32, -18), 0.010)
    tail = hanging_tail(head, rng, tie, away, rng.uniform(0.14, 0.24), rng.uniform(0.018, 0.026),
                 wave=rng.uniform(0, 0.005))  # fmt: skip
    return [tied(head, rng, tie), tail]


def _braid(head: Head, rng: Rng) -> list[Bundle]:
    tie, away = tie_point(head, rng.uniform(-28, -12), 0.010)
    length, girth = rng.uniform(0.2, 0.3), rng.uniform(0.014, 0.019)
    strands = []
    for k in range(3):
        strands.append(plait(head, rng, tie, away, length, girth, 2 * np.pi * k / 3))
    return [tied(head, rng, tie), *strands]


def plait(
    head: Head,
    rng: Rng,
    tie: Array,
    away: Array,
    length_m: float,
    girth_m: float,
    phase: float,
    count: int = 80,
) -> Bundle:
    """One of the three strands of a braid."""
    steps = 18
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
    widths = rng.uniform(0.003, 0.005, count)
    return Bundle(head.outside(paths, 0.012), widths, (0.0, 0.35), head.outside(spine, 0.012))


def _bun(head: Head, rng: Rng) -> list[Bundle]:
    tie, away = tie_point(head, rng.uniform(-25, 20), 0.008)
    return [tied(head, rng, tie), _coil(rng, tie, away, rng.uniform(0.026, 0.036))]


def _top_knot(head: Head, rng: Rng) -> list[Bundle]:
    tie, away = tie_point(head, rng.uniform(62, 85), 0.008)
    return [tied(head, rng, tie), _coil(rng, tie, away, rng.uniform(0.020, 0.030))]


def _puff(head: Head, rng: Rng) -> list[Bundle]:
    """Curls drawn back that burst out behind the tie."""
    tie, away = tie_point(head, rng.uniform(20, 60), 0.009)
    count, steps, length = 900, 8, rng.uniform(0.05, 0.085)
    ahead = rng.standard_normal((count, 3))
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    ahead += 0.75 * away
    across = np.cross(ahead, rng.standard_normal((count, 3)))
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    place = np.linspace(0, 1, steps)
    turn = rng.uniform(0, 2 * np.pi, count)[:, None] + place * rng.uniform(8, 13, count)[:, None]
    reach = place * (length * rng.uniform(0.75, 1.1, count))[:, None]
    paths = tie + ahead[:, None] * reach[..., None]
    paths += across[:, None] * (0.007 * np.cos(turn))[..., None]
    paths += np.cross(ahead, across)[:, None] * (0.007 * np.sin(turn))[..., None]
    paths = head.outside(paths, 0.010)
    return [tied(head, rng, tie), Bundle(paths, rng.uniform(0.003, 0.0055, count))]


def _coil(rng: Rng, tie: Array, away: Array, radius_m: float) -> Bundle:
    """A bun: strands wound round the direction ``away``."""
    count, steps = 560, 8
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
    return Bundle(paths, rng.uniform(0.004, 0.0065, count))


STYLES: dict[str, Callable[[Head, Rng], list[Bundle]]] = {
    "crop": _crop, "side part": _side_part, "receding": _receding, "pixie": _pixie, "buzz": _buzz,
    "curls": _curls, "afro": _afro, "bob": _bob, "ponytail": _ponytail,
    "low ponytail": _low_ponytail, "braid": _braid, "bun": _bun, "top knot": _top_knot,
    "puff": _puff, "bald on top": _receding,
}  # fmt: skip
