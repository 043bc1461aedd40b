"""Long hair that hangs: the paths of its strands from the scalp, by name in ``LONG``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from spinetrack_synth.avatars.array_types import Array
from spinetrack_synth.avatars.hairstyles import (
    Rng,
    beside_face,
    hanging_tail,
    plait,
    scalp_roots,
    tie_point,
    tied,
    walk,
)
from spinetrack_synth.avatars.parts import Bundle
from spinetrack_synth.avatars.scalp import Head
from spinetrack_synth.easing import smoothstep


def _falling(
    head: Head,
    rng: Rng,
    drop_m: float,
    count: int,
    steps: int,
    wave_m: float = 0.0,
    wavelength_m: float = 0.12,
    width_m: float = 0.0055,
    swept_back: float = 0.0,
) -> Bundle:
    """Hair that falls from a part to ``drop_m`` below the head's centre, in waves or straight;
    ``swept_back`` 0..1 from the forehead backwards instead."""
    start, normals = scalp_roots(head, count, rng)
    part = rng.uniform(-0.03, 0.03) * head.unit
    length = start[:, 1] - (head.center[1] - drop_m * head.unit)
    length += 0.06 * smoothstep(0.03, 0.1, start[:, 1] - head.center[1])
    length *= rng.uniform(0.82, 1.03, count)
    back = smoothstep(head.center[0] + 0.04, head.center[0] - 0.04, start[:, 0])
    away = np.sign(start[:, 2] - part) * (1 - 0.9 * back) * (1 - 0.7 * swept_back)
    jitter = 0.05 * rng.standard_normal((count, 3))

    def heading(here: Array, outward: Array, share: float) -> Array:
        # By length, not by share: the way round the head is as long however long the hair is.
        early = np.clip(1 - share * length / 0.14, 0.0, 1.0)
        flow = np.full_like(here, -1.0)
        flow[:, 2] = 1.1 * away * early
        flow[:, 0] = -0.45 * (1 - back) * (1 - early) * (share * length < 0.2) - 0.5 * back * early
        flow[:, 0] -= 1.6 * swept_back * (1 - back) * early
        flow -= outward * (np.einsum("ij,ij->i", flow, outward) * early)[:, None]
        return flow + jitter

    lift = rng.uniform(0.005, 0.016, count)
    paths = beside_face(head, walk(head, start, normals, length, steps, heading, lift))
    if wave_m:
        paths = _waved(head, paths, length, wave_m, wavelength_m, rng)
    return Bundle(paths, width_m * rng.uniform(0.75, 1.25, count), (0.03, 0.5))


def _waved(
    head: Head, paths: Array, length_m: Array, wave_m: float, wavelength_m: float, rng: Rng
) -> Array:
    """Paths that swing about their run; neighbours swing together."""
    share = np.linspace(0, 1, paths.shape[1])
    outward = paths - head.center
    outward /= np.linalg.norm(outward, axis=2, keepdims=True)
    aside = np.cross(np.gradient(paths, axis=1), outward)
    aside /= np.maximum(np.linalg.norm(aside, axis=2, keepdims=True), 1e-9)
    root = (paths[:, 0] - head.center) / 0.02
    phase = root @ rng.normal(0, 0.6, 3) + rng.normal(0, 0.5, len(paths))
    turn = phase[:, None] + 2 * np.pi * share * length_m[:, None] / wavelength_m
    size = wave_m * smoothstep(0.1, 0.4, share * length_m[:, None] / 0.3)
    swung = paths + aside * (size * np.sin(turn))[..., None]
    swung += outward * (0.6 * size * (1 + np.cos(turn)))[..., None]
    return head.outside(swung, 0.002)


def _long_bob(head: Head, rng: Rng) -> list[Bundle]:
    wave_m = rng.choice([0.0, 0.005])
    return [_falling(head, rng, rng.uniform(0.17, 0.22), 1900, 9, wave_m, 0.11)]


def _long_straight(head: Head, rng: Rng) -> list[Bundle]:
    return [_falling(head, rng, rng.uniform(0.27, 0.46), 1500, 11)]


def _long_wavy(head: Head, rng: Rng) -> list[Bundle]:
    return [_falling(head, rng, rng.uniform(0.24, 0.4), 1150, 14, rng.uniform(0.006, 0.011),
                     rng.uniform(0.1, 0.14), 0.0068)]  # fmt: skip


def _long_curly(head: Head, rng: Rng) -> list[Bundle]:
    return [_falling(head, rng, rng.uniform(0.18, 0.3), 950, 17, rng.uniform(0.010, 0.016),
                     rng.uniform(0.06, 0.08), 0.0075)]  # fmt: skip


def _shoulder_length(head: Head, rng: Rng) -> list[Bundle]:
    """Combed back from the forehead."""
    return [_falling(head, rng, rng.uniform(0.15, 0.21), 1800, 9, rng.uniform(0.0, 0.006), 0.11,
                     swept_back=1.0)]  # fmt: skip


def _chin_length(head: Head, rng: Rng) -> list[Bundle]:
    """Parted, down to the cheeks."""
    return [_falling(head, rng, rng.uniform(0.03, 0.07), 2000, 8, rng.uniform(0.0, 0.005), 0.1,
                     swept_back=0.4)]  # fmt: skip


def _half_up(head: Head, rng: Rng) -> list[Bundle]:
    """What grows on top is tied at the back, the rest hangs."""
    loose = _falling(head, rng, rng.uniform(0.24, 0.36), 1300, 10)
    low = loose.paths[:, 0, 1] < head.center[1] + 0.025 * head.unit
    tie, away = tie_point(head, rng.uniform(15, 30), 0.008)
    top = tied(head, rng, tie)
    high = top.paths[:, 0, 1] > head.center[1] + 0.01 * head.unit
    knot = hanging_tail(head, rng, tie, away, rng.uniform(0.18, 0.26), 0.014, 0.003)
    return [
        loose._replace(paths=loose.paths[low], widths=loose.widths[low]),
        top._replace(paths=top.paths[high], widths=top.widths[high]),
        knot,
    ]


def _two_braids(head: Head, rng: Rng) -> list[Bundle]:
    length, girth = rng.uniform(0.2, 0.32), rng.uniform(0.012, 0.015)
    low = rng.uniform(-0.075, -0.055) * head.unit
    bundles = []
    for side in (-1.0, 1.0):
        outward = np.array([-0.55, low / (0.08 * head.unit), side * 0.75])
        outward /= np.linalg.norm(outward)
        tie = head.center + outward * (head.surface_m(outward[None])[0] + 0.012)
        combed = tied(head, rng, tie)
        own = combed.paths[:, 0, 2] * side > 0
        bundles.append(combed._replace(paths=combed.paths[own], widths=combed.widths[own]))
        away = np.array([-0.3, -0.3, side])
        away /= np.linalg.norm(away)
        bundles += [
            plait(head, rng, tie, away, length, girth, 2 * np.pi * k / 3, count=55)
            for k in range(3)
        ]
    return bundles


def _locs(head: Head, rng: Rng) -> list[Bundle]:
    """Ropes of hair, each of a few strands about one run."""
    ropes, strands = 95, 9
    rope = _falling(head, rng, rng.uniform(0.12, 0.28), ropes, 12, swept_back=rng.uniform(0, 0.8))
    paths = np.repeat(rope.paths, strands, axis=0)
    about = rng.standard_normal((len(paths), 1, 3))
    about /= np.linalg.norm(about, axis=2, keepdims=True)
    girth = rng.uniform(0.003, 0.0045) * np.interp(np.linspace(0, 1, 12), [0, 0.9, 1], [1, 1, 0.4])
    twist = 0.25 * rng.standard_normal(paths.shape)
    paths = head.outside(paths + (about + twist) * girth[None, :, None], 0.001)
    return [Bundle(paths, rng.uniform(0.004, 0.006, len(paths)), (0.03, 0.5))]


LONG: dict[str, Callable[[Head, Rng], list[Bundle]]] = {
    "long bob": _long_bob, "long straight": _long_straight, "long wavy": _long_wavy,
    "long curly": _long_curly, "shoulder length": _shoulder_length, "chin length": _chin_length,
    "half up": _half_up, "two braids": _two_braids, "locs": _locs,
}  # fmt: skip
"""Hairstyles as `hairstyles.STYLES` has them."""
