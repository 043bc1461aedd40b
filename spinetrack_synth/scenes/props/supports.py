"""What people sit, lie, stand and lean on: chairs, benches, plinths, boxes, stairs, worktops.

Every support stands on y = 0 around the origin; who sits on it faces +X. Its heights are those of
``poses.equipment``, its solid parts are known as boxes, so that nobody sits in the wood.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from spinetrack_synth.poses.equipment import SUPPORTS
from spinetrack_synth.scenes import textures
from spinetrack_synth.scenes.place import Part, Prop, assembled
from spinetrack_synth.scenes.shapes import Array, box, cylinder, joined, moved, tube, turned
from spinetrack_synth.scenes.textures import Finish, paint
from spinetrack_synth.shot import Surface

Box = tuple[tuple[float, float, float], tuple[float, float, float]]
"""Lowest and highest corner, m."""


@dataclass(frozen=True)
class Area:
    """Where on a support one rests: at the height y as it is made, from low to high x and z m, and
    how the support is turned to somebody who faces +X."""

    y: float
    x: tuple[float, float]
    z: tuple[float, float]
    yaw_rad: float = 0.0


@dataclass(frozen=True)
class Furniture:
    """A support: its parts by finish, its solid boxes, its areas by the name in ``SUPPORTS``.

    ``nearest``: whether it stands as far forward (1) or back (-1) as whom it carries lets it: a
    back against the back, a table close by; 0 for the middle.
    """

    parts: Prop
    solids: tuple[Box, ...]
    areas: Mapping[str, Area]
    nearest: int = 0


def _legs(x: float, z: float, height: float, side: float) -> list[Part]:
    spots = [(a * x, b * z) for a in (-1, 1) for b in (-1, 1)]
    return [
        ("frame", box((side, height, side), (px, height / 2, pz), edge=0.006)) for px, pz in spots
    ]


def _leg_boxes(x: float, z: float, height: float, side: float) -> tuple[Box, ...]:
    return tuple(
        ((a * x - side / 2, 0.0, b * z - side / 2), (a * x + side / 2, height, b * z + side / 2))
        for a in (-1, 1)
        for b in (-1, 1)
    )


def chair() -> Furniture:
    """A plain chair with an open back."""
    top = SUPPORTS["chair"].height_m
    parts: list[Part] = _legs(0.19, 0.19, top - 0.03, 0.036)
    parts.append(("top", box((0.43, 0.032, 0.44), (0, top - 0.016, 0), edge=0.012)))
    posts = [
        turned(box((0.028, 0.46, 0.034), (0, 0.23, z), edge=0.006), pitch=0.14)
        for z in (-0.19, 0.19)
    ]
    rests = [
        turned(box((0.018, 0.09, 0.38), (0, y, 0), edge=0.008), pitch=0.14) for y in (0.2, 0.4)
    ]
    parts.append(("frame", moved(joined(posts), (-0.205, top - 0.02, 0))))
    parts.append(("top", moved(joined(rests), (-0.205, top, 0))))
    back: Box = ((-0.30, top + 0.14, -0.20), (-0.225, top + 0.46, 0.20))
    seat: Box = ((-0.215, top - 0.032, -0.22), (0.215, top, 0.22))
    return Furniture(
        tuple(parts), (seat, back, *_leg_boxes(0.19, 0.19, top - 0.03, 0.036)),
        {"chair": Area(top, (-0.20, 0.20), (-0.23, 0.23))}, nearest=1,
    )  # fmt: skip


def stool() -> Furniture:
    """A round stool."""
    top = SUPPORTS["stool"].height_m
    legs = [
        tube([[0.16 * c, 0, 0.16 * s], [0.11 * c, top - 0.03, 0.11 * s]], 0.015)
        for c, s in ((0.71, 0.71), (-0.71, 0.71), (-0.71, -0.71), (0.71, -0.71))
    ]
    ring = tube(
        [[0.13 * np.cos(a), 0.16, 0.13 * np.sin(a)] for a in np.linspace(0, 6.28, 17)], 0.008
    )
    seat = moved(cylinder(0.18, 0.045, segments=32, edge=0.016), (0, top - 0.045, 0))
    return Furniture(
        (("frame", joined([*legs, ring])), ("top", seat)),
        (((-0.15, top - 0.045, -0.15), (0.15, top, 0.15)), ((-0.11, 0, -0.11), (0.11, top, 0.11))),
        {"stool": Area(top, (-0.15, 0.15), (-0.17, 0.17))},
    )


def office_chair() -> Furniture:
    """A padded swivel chair on castors, without arms."""
    top = SUPPORTS["office_chair"].height_m
    parts: list[Part] = []
    for angle in np.arange(5) * 2 * np.pi / 5 + 0.3:
        c, s = 0.28 * np.cos(angle), 0.28 * np.sin(angle)
        parts.append(("frame", tube([[0, 0.10, 0], [c, 0.075, s]], [0.026, 0.018])))
        wheel = turned(cylinder(0.028, 0.05, segments=14), roll=np.pi / 2, yaw=-angle)
        parts.append(("frame", moved(wheel, (c, 0.028, s))))
    parts.append(("metal", moved(cylinder(0.026, top - 0.17), (0, 0.08, 0))))
    parts.append(("frame", box((0.26, 0.05, 0.2), (0, top - 0.10, 0), edge=0.02)))
    parts.append(("cloth", box((0.47, 0.08, 0.49), (0, top - 0.04, 0), edge=0.034)))
    back = turned(box((0.06, 0.48, 0.43), (0, 0.24, 0), edge=0.028), pitch=0.12)
    parts.append(("cloth", moved(back, (-0.235, top + 0.14, 0))))
    stay = tube([[-0.05, top - 0.1, 0], [-0.28, top - 0.06, 0], [-0.31, top + 0.3, 0]], 0.018)
    parts.append(("frame", stay))
    return Furniture(
        tuple(parts),
        (
            ((-0.225, top - 0.08, -0.235), (0.225, top, 0.235)),
            ((-0.33, top + 0.15, -0.20), (-0.245, top + 0.6, 0.20)),
            ((-0.10, 0.0, -0.10), (0.10, top - 0.08, 0.10)),
        ),
        {"office_chair": Area(top, (-0.21, 0.21), (-0.24, 0.24))}, nearest=1,
    )  # fmt: skip


def sofa() -> Furniture:
    """A sofa for two, low, with soft cushions."""
    top = SUPPORTS["sofa"].height_m
    parts: list[Part] = [("cloth", box((0.76, 0.20, 1.9), (-0.15, 0.19, 0), edge=0.03))]
    parts += [
        ("cloth", box((0.56, 0.17, 0.79), (-0.05, top - 0.085, z), edge=0.055)) for z in (-0.4, 0.4)
    ]
    for z in (-0.4, 0.4):
        cushion = turned(box((0.18, 0.44, 0.77), (0, 0.2, 0), edge=0.07), pitch=0.2)
        parts.append(("cloth", moved(cushion, (-0.335, top - 0.02, z))))
    parts.append(("cloth", box((0.14, 0.68, 1.9), (-0.50, 0.42, 0), edge=0.05)))
    parts += [("cloth", box((0.78, 0.5, 0.16), (-0.15, 0.33, z), edge=0.06)) for z in (-0.88, 0.88)]
    parts += _legs(0.2, 0.85, 0.10, 0.05)
    return Furniture(
        tuple(parts),
        (
            ((-0.5, 0.09, -0.95), (0.22, top, 0.95)),
            ((-0.57, 0.09, -0.95), (-0.36, top + 0.33, 0.95)),
            ((-0.5, 0.09, 0.80), (0.24, 0.58, 0.96)),
            ((-0.5, 0.09, -0.96), (0.24, 0.58, -0.80)),
        ),
        {"sofa": Area(top, (-0.34, 0.20), (-0.62, 0.62))}, nearest=1,
    )  # fmt: skip


def weight_bench() -> Furniture:
    """A flat padded bench along X; who lies on it has the head at -X."""
    top = SUPPORTS["weight_bench"].height_m
    pad = box((1.22, 0.075, 0.29), (0, top - 0.0375, 0), edge=0.022)
    rail = box((1.0, 0.06, 0.06), (0, top - 0.11, 0), edge=0.006)
    feet = [box((0.06, 0.05, 0.46), (x, 0.025, 0), edge=0.006) for x in (-0.46, 0.42)]
    posts = [
        box((0.06, top - 0.14, 0.06), (x, (top - 0.08) / 2, 0), edge=0.006) for x in (-0.46, 0.42)
    ]
    return Furniture(
        (("cloth", pad), ("frame", joined([rail, *feet, *posts]))),
        (
            ((-0.61, top - 0.075, -0.14), (0.61, top, 0.14)),
            ((-0.5, 0.0, -0.03), (0.46, top - 0.075, 0.03)),
        ),
        {"weight_bench": Area(top, (-0.66, 0.58), (-0.26, 0.26))},
    )


def plinth() -> Furniture:
    """A padded treatment table along X; who lies on it has the head at -X."""
    top = SUPPORTS["plinth"].height_m
    pad = box((1.95, 0.07, 0.80), (0, top - 0.035, 0), edge=0.028)
    tray = box((1.85, 0.05, 0.66), (0, top - 0.095, 0), edge=0.006)
    base = box((1.3, 0.08, 0.56), (0, 0.04, 0), edge=0.01)
    columns = [box((0.10, top - 0.17, 0.12), (x, (top - 0.12) / 2 + 0.03, 0)) for x in (-0.4, 0.4)]
    return Furniture(
        (("cloth", pad), ("frame", joined([tray, base, *columns]))),
        (
            ((-0.97, top - 0.07, -0.39), (0.97, top, 0.39)),
            ((-0.92, top - 0.12, -0.32), (0.92, top - 0.07, 0.32)),
            ((-0.65, 0.0, -0.28), (0.65, 0.08, 0.28)),
        ),
        {
            "plinth": Area(top, (-0.99, 0.99), (-0.41, 0.41)),
            # Turned by a quarter: what was its breadth lies before and behind the sitter.
            "plinth_edge": Area(top, (-0.40, 0.40), (-0.9, 0.9), np.pi / 2),
            "plinth_high": Area(top, (-0.40, 0.40), (-0.9, 0.9), np.pi / 2),
        },
    )


def step() -> Furniture:
    """A low step."""
    top = SUPPORTS["step"].height_m
    return Furniture(
        (("wood", box((0.42, top - 0.01, 0.8), (0, (top - 0.01) / 2, 0), edge=0.01)),
         ("frame", box((0.42, 0.012, 0.8), (0, top - 0.006, 0), edge=0.004))),
        (((-0.21, 0, -0.4), (0.21, top, 0.4)),),
        {"step": Area(top, (-0.21, 0.24), (-0.38, 0.38))},
    )  # fmt: skip


def plyo_box() -> Furniture:
    """A plywood box to step and jump on."""
    top = SUPPORTS["plyo_box"].height_m
    parts: list[Part] = [("wood", box((0.6, top, 0.75), (0, top / 2, 0), edge=0.008))]
    hole = box((0.004, 0.035, 0.12), (0.3, 0.75 * top, 0), edge=0.002)
    parts += [("frame", hole), ("frame", moved(hole, (-0.6, 0, 0)))]
    return Furniture(
        tuple(parts),
        (((-0.3, 0, -0.375), (0.3, top, 0.375)),),
        {"plyo_box": Area(top, (-0.31, 0.33), (-0.36, 0.36))},
    )


RISE_M: Final = SUPPORTS["stairs_1"].height_m
TREAD_M: Final = 0.29
FLIGHT: Final = 4
"""Steps of the stairs."""


def stairs() -> Furniture:
    """A short flight that rises along +X, 1.1 m broad."""
    parts: list[Part] = []
    solids: list[Box] = []
    end = FLIGHT * TREAD_M + 0.5
    for k in range(FLIGHT):
        low, high, start = k * RISE_M, (k + 1) * RISE_M, k * TREAD_M
        parts.append(
            (
                "white",
                box(
                    (end - start, RISE_M - 0.03, 1.06),
                    ((start + end) / 2, low + RISE_M / 2 - 0.015, 0),
                    edge=0.004,
                ),
            )
        )
        stop = end if k == FLIGHT - 1 else start + TREAD_M + 0.02
        parts.append(
            (
                "wood",
                box(
                    (stop - start + 0.02, 0.032, 1.1),
                    ((start + stop) / 2 - 0.01, high - 0.016, 0),
                    edge=0.008,
                ),
            )
        )
        solids.append(((start, low, -0.55), (end, high, 0.55)))

    def tread(k: int) -> tuple[float, float]:
        return (k - 1) * TREAD_M - 0.08, k * TREAD_M + 0.02

    across = (-0.45, 0.45)
    up = {f"stairs_{k}": Area(k * RISE_M, tread(k), across) for k in (1, 2, 3)}
    down = {
        f"stairs_down_{k}": Area(k * RISE_M, (-tread(k)[1], -tread(k)[0]), across, np.pi)
        for k in (1, 2, 3)
    }
    return Furniture(tuple(parts), tuple(solids), up | down)


def desk() -> Furniture:
    """A plain desk before the sitter."""
    top = SUPPORTS["desk"].height_m
    board = box((0.7, 0.026, 1.4), (0, top - 0.013, 0), edge=0.004)
    return Furniture(
        (("wood", board), *_legs(0.31, 0.65, top - 0.026, 0.04)),
        (
            ((-0.35, top - 0.026, -0.7), (0.35, top, 0.7)),
            *_leg_boxes(0.31, 0.65, top - 0.026, 0.04),
        ),
        {"desk": Area(top, (-0.35, 0.35), (-0.66, 0.66))}, nearest=-1,
    )  # fmt: skip


def counter() -> Furniture:
    """A stretch of kitchen counter before who stands at it."""
    top = SUPPORTS["counter"].height_m
    parts: list[Part] = [
        ("wood", box((0.62, 0.036, 1.8), (0, top - 0.018, 0), edge=0.005)),
        ("white", box((0.54, top - 0.136, 1.78), (0.03, (top + 0.064) / 2, 0), edge=0.003)),
        ("frame", box((0.46, 0.1, 1.76), (0.05, 0.05, 0), edge=0.003)),
    ]
    for z in (-0.6, 0.0, 0.6):
        front = box((0.018, top - 0.16, 0.588), (-0.245, (top + 0.06) / 2, z), edge=0.004)
        parts.append(("white", front))
        pull = box((0.014, 0.014, 0.16), (-0.264, top - 0.09, z), edge=0.004)
        parts.append(("metal", pull))
    return Furniture(
        tuple(parts),
        (
            ((-0.31, top - 0.036, -0.9), (0.31, top, 0.9)),
            ((-0.255, 0.1, -0.89), (0.30, top - 0.036, 0.89)),
        ),
        {"counter": Area(top, (-0.31, 0.31), (-0.85, 0.85))}, nearest=-1,
    )  # fmt: skip


MAKERS: Final[dict[str, Callable[[], Furniture]]] = {
    maker.__name__: maker
    for maker in (chair, stool, office_chair, sofa, weight_bench, plinth, step, plyo_box, stairs,
                  desk, counter)
}  # fmt: skip

STYLES: Final = 2

_WOODS: Final = (((0.66, 0.47, 0.30), (0.48, 0.32, 0.19)), ((0.80, 0.70, 0.56), (0.65, 0.54, 0.40)))
_CLOTHS: Final[dict[str, tuple[tuple[float, float, float], ...]]] = {
    "office_chair": ((0.13, 0.14, 0.16), (0.20, 0.30, 0.42)),
    "sofa": ((0.44, 0.46, 0.47), (0.47, 0.33, 0.24)),
    "weight_bench": ((0.08, 0.08, 0.09), (0.40, 0.07, 0.07)),
    "plinth": ((0.24, 0.42, 0.45), (0.16, 0.20, 0.34)),
}
_FRAMES: Final = ((0.09, 0.09, 0.10), (0.62, 0.63, 0.64))


@cache
def furniture(name: str) -> Furniture:
    """A support by name."""
    return MAKERS[name]()


@cache
def unit_support(name: str, style: int) -> tuple[Surface, ...]:
    """What is drawn of a support in one of ``STYLES`` looks, around the origin."""
    rng = np.random.default_rng([76, list(MAKERS).index(name), style])
    light, dark = _WOODS[style]
    wooden = textures.wood(rng, light, dark)
    color = _CLOTHS.get(name, ((0.5, 0.5, 0.5),) * STYLES)[style]
    leather = paint(color, roughness=0.5, specular=0.45)
    soft = name in ("sofa", "office_chair")
    finishes: dict[str, Finish] = {
        "wood": wooden,
        "top": wooden if style == 0 else paint((0.86, 0.86, 0.84), roughness=0.4),
        "frame": wooden if name == "chair" and style == 0 else paint(_FRAMES[style], roughness=0.4),
        "cloth": textures.cloth(rng, color, (0.8, 0.8, 0.8)) if soft else leather,
        "metal": paint((0.7, 0.7, 0.7), roughness=0.25, specular=0.8),
        "white": paint((0.85, 0.85, 0.83), roughness=0.5),
    }
    return assembled(f"support/{name}/{style}", finishes, furniture(name).parts)


def inside_m(boxes: Array, points: Array) -> Array:
    """How deep points (N, 3) lie in boxes (B, 2, 3), the deepest of each, (N,) m; negative
    outside."""
    depth = np.full(len(points), -np.inf)
    for low, high in boxes:
        within = np.minimum(points - low, high - points).min(axis=1)
        depth = np.maximum(depth, within)
    return depth
