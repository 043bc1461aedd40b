"""House fronts: walls with windows, doors, shops, balconies and roofs, as a street shows them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinetrack_synth.scenes.place import Part, Prop
from spinetrack_synth.scenes.shapes import (
    Array,
    Mesh,
    Rng,
    box,
    joined,
    moved,
    rectangle,
    turned,
    wall,
)

DEPTH_M = 9.0
_REVEAL_M = 0.16


@dataclass(frozen=True)
class Front:
    """What a front is like: ``width`` m, storeys of ``storey`` m, distance of the windows and their
    size, the ground floor (``shop`` or ``door``), the roof (``pitched`` or ``flat``), the
    finishes of wall, plinth and roof, and whether there are shutters and balconies."""

    width: float
    storeys: int
    storey: float
    step: float
    window: tuple[float, float]
    ground: str
    roof: str
    wall: str
    plinth: str
    tiles: str = "roof"
    shutters: bool = False
    balconies: bool = False


def window_unit(width: float, height: float, *, cross: bool, blind: float) -> dict[str, Mesh]:
    """A window that fills an opening from x = 0, y = 0, its wall's face in z = 0; ``blind`` is how
    far a roller blind or curtain hangs down, 0..1."""
    w, h, d = width, height, _REVEAL_M
    reveal = [
        rectangle((0, 0, 0), (0, 0, -d), (0, h, 0)),
        rectangle((w, 0, -d), (0, 0, d), (0, h, 0)),
        rectangle((0, h, 0), (0, 0, -d), (w, 0, 0)),
    ]
    z, b = -0.10, 0.06
    bars = [(0, 0, w, b), (0, h - b, w, b), (0, 0, b, h), (w - b, 0, b, h)]
    if cross:
        bars += [(w / 2 - 0.03, 0, 0.06, h), (0, 0.66 * h, w, 0.045)]
    frame = [rectangle((x, y, z), (across, 0, 0), (0, up, 0)) for x, y, across, up in bars]
    sill = joined([
        rectangle((-0.06, 0, 0.09), (w + 0.12, 0, 0), (0, 0, -0.18)),
        rectangle((-0.06, -0.06, 0.09), (w + 0.12, 0, 0), (0, 0.06, 0)),
        rectangle((-0.06, -0.06, 0.0), (w + 0.12, 0, 0), (0, 0, 0.09)),
    ])  # fmt: skip
    unit = {
        "reveal": joined(reveal),
        "sash": joined(frame),
        "sill": sill,
        "glass": rectangle((0, 0, z - 0.02), (w, 0, 0), (0, h, 0)),
    }
    if blind:
        drop = blind * h
        unit["blind"] = rectangle((b, h - drop, z - 0.012), (w - 2 * b, 0, 0), (0, drop, 0))
    return unit


def front(rng: Rng, style: Front) -> tuple[Prop, Array]:
    """A house along X from 0 to its width, its face in z = 0, and the middles of its upper windows
    (N, 3) m, where light may shine out at night."""
    w, storey = style.width, style.storey
    high = style.storeys * storey + (0.5 if style.roof == "flat" else 0.15)
    columns = max(1, int((w - 0.6) / style.step))
    wide, tall = style.window
    xs = (np.arange(columns) + 0.5) * w / columns - wide / 2
    openings: list[tuple[float, float, float, float]] = []
    parts: list[Part] = []
    lit = []
    units = [window_unit(wide, tall, cross=rng.random() < 0.6, blind=b) for b in (0.0, 0.3, 0.9)]
    first = 1 if style.ground == "shop" else 0
    for level in range(first, style.storeys):
        sill = level * storey + (0.95 if storey > 2.9 else 0.85)
        for x in xs.tolist():
            if level == 0 and abs(x + wide / 2 - w / 2) < style.step * 0.6:
                continue
            openings.append((x, x + wide, sill, sill + tall))
            unit = units[int(rng.choice(3, p=[0.6, 0.25, 0.15]))]
            parts += [(_named(n, style), moved(m, (x, sill, 0))) for n, m in unit.items()]
            lit.append((x + wide / 2, sill + tall / 2, -0.09))
            if style.shutters:
                for s in (-1, 1):
                    left = x + wide / 2 + s * 0.75 * wide - 0.24 * wide
                    leaf = rectangle((left, sill, 0.035), (0.48 * wide, 0, 0), (0, tall, 0))
                    parts.append(("shutter", leaf))
            if style.balconies and level > 0 and abs(x + wide / 2 - w / 2) > style.step * 0.6:
                parts += _balcony(x + wide / 2, level * storey + 0.1, wide + 0.9)
    below, holes = _ground_floor(rng, style)
    parts += below
    openings += holes
    parts.append((style.wall, wall((0, 0, 0), (w, 0, 0), high, openings)))
    parts += _body(style, high)
    return tuple(parts), np.array(lit).reshape(-1, 3)


def _named(part: str, style: Front) -> str:
    return {"reveal": style.wall, "sill": style.plinth}.get(part, part)


def _ground_floor(
    rng: Rng, style: Front
) -> tuple[list[Part], list[tuple[float, float, float, float]]]:
    """Plinth with the door in the middle, or the windows of a shop beside it."""
    w = style.width
    door_w, door_h = 1.05, 2.3
    left = w / 2 - door_w / 2
    if style.ground == "shop":
        left = 0.5 if rng.random() < 0.5 else w - 0.5 - door_w
    parts: list[Part] = []
    holes = [(left, left + door_w, 0.0, door_h)]
    parts += [(n, moved(m, (left, 0.0, 0))) for n, m in _door(rng, door_w, door_h, style)]
    if style.ground == "shop":
        a, b = (left + door_w + 0.35, w - 0.45) if left < w / 2 else (0.45, left - 0.35)
        low, top = 0.45, min(2.75, style.storey - 0.45)
        holes.append((a, b, low, top))
        panes = max(1, round((b - a) / 1.8))
        unit = window_unit((b - a) / panes, top - low, cross=False, blind=0.0)
        unit["display"] = unit.pop("glass")
        for k in range(panes):
            parts += [(_named(n, style), moved(m, (a + k * (b - a) / panes, low, 0)))
                      for n, m in unit.items()]  # fmt: skip
        board = box((w - 0.5, 0.5, 0.08), (w / 2, min(3.1, style.storey), 0.04), edge=0.01)
        parts.append(("sign", board))
        if rng.random() < 0.6:
            awning = turned(box((b - a + 0.4, 0.03, 1.2)), roll=0.35)
            parts.append(("awning", moved(awning, ((a + b) / 2, top + 0.0, 0.55))))
    foot: list[Mesh] = []
    for x0, x1 in ((0.0, left - 0.04), (left + door_w + 0.04, w)):
        if x1 - x0 > 0.1:
            foot.append(box((x1 - x0, 0.42, 0.06), ((x0 + x1) / 2, 0.21, 0.02), edge=0.01))
    if foot:
        parts.append((style.plinth, joined(foot)))
    band = box((w, 0.16, 0.1), (w / 2, style.storey + 0.05, 0.03), edge=0.02)
    if style.storeys > 1 and style.ground != "shop":
        parts.append((style.plinth, band))
    return parts, holes


def _door(rng: Rng, w: float, h: float, style: Front) -> Prop:
    """A panelled or glazed door set back into its opening, with a step and a pane above it."""
    leaf_h = 2.02
    leaf = [box((w - 0.08, leaf_h, 0.05), (w / 2, leaf_h / 2 + 0.04, -0.15))]
    for y, tall in ((0.55, 0.6), (1.4, 0.8)):
        for x in (0.3, 0.7):
            leaf.append(box((0.3 * w, tall, 0.03), (x * w, y, -0.12), edge=0.008))
    frame = [box((0.06, h, 0.12), (x, h / 2, -0.12)) for x in (0.03, w - 0.03)]
    frame += [box((w, 0.06, 0.12), (w / 2, y, -0.12)) for y in (leaf_h + 0.06, h - 0.03)]
    light = rectangle((0.06, leaf_h + 0.09, -0.15), (w - 0.12, 0, 0), (0, h - leaf_h - 0.15, 0))
    step = box((w + 0.3, 0.13, 0.42), (w / 2, 0.0, 0.02), edge=0.015)
    side = [
        rectangle((0, 0, 0), (0, 0, -0.2), (0, h, 0)),
        rectangle((w, 0, -0.2), (0, 0, 0.2), (0, h, 0)),
        rectangle((0, h, 0), (0, 0, -0.2), (w, 0, 0)),
    ]
    knob = box((0.03, 0.12, 0.05), (w - 0.17, 1.05, -0.1))
    return (("door", joined(leaf)), ("sash", joined(frame)), ("glass", light), ("metal", knob),
            (style.plinth, step), (style.wall, joined(side)))  # fmt: skip


def _balcony(x: float, y: float, wide: float) -> list[Part]:
    slab = box((wide, 0.14, 1.1), (x, y, 0.5), edge=0.01)
    bars = [rectangle((x + dx, y + 0.05, 1.03), (0.02, 0, 0), (0, 0.92, 0))
            for dx in np.arange(-wide / 2 + 0.06, wide / 2, 0.14)]  # fmt: skip
    rail = [box((wide, 0.04, 0.05), (x, y + 0.97, 1.02))]
    rail += [box((0.04, 0.04, 1.05), (x + s * (wide / 2 - 0.02), y + 0.97, 0.5)) for s in (-1, 1)]
    return [("stone", slab), ("metal", joined([*bars, *rail]))]


def _body(style: Front, high: float) -> list[Part]:
    """Sides and roof behind the front."""
    w, d = style.width, DEPTH_M
    parts: list[Part] = [
        (style.wall, rectangle((w, 0, 0), (0, 0, -d), (0, high, 0))),
        (style.wall, rectangle((0, 0, -d), (0, 0, d), (0, high, 0))),
        (style.wall, rectangle((w, 0, -d), (-w, 0, 0), (0, high, 0))),
    ]
    if style.roof == "flat":
        rim = box((w + 0.1, 0.14, 0.3), (w / 2, high + 0.05, -0.08), edge=0.01)
        top = rectangle((0, high, 0), (w, 0, 0), (0, 0, -d))
        return [*parts, (style.plinth, rim), (style.tiles, top)]
    rise = 0.42 * d
    slope = np.hypot(d / 2 + 0.4, rise)
    angle = np.arctan2(rise, d / 2)
    for s in (1, -1):
        sheet = rectangle((0, 0, 0), (w + 0.3, 0, 0), (0, 0, -slope)) if s > 0 else rectangle(
            (w + 0.3, 0, 0), (-(w + 0.3), 0, 0), (0, 0, slope))  # fmt: skip
        tilted = turned(sheet, roll=s * angle)
        eave_y = high - 0.4 * np.tan(angle)
        parts.append(
            (style.tiles, moved(tilted, (-0.15, eave_y + 0.02, 0.4 if s > 0 else -d - 0.4)))
        )
    gutter = box((w + 0.3, 0.12, 0.14), (w / 2, high - 0.3, 0.42), edge=0.03)
    soffit = rectangle((-0.15, high - 0.05, -0.02), (w + 0.3, 0, 0), (0, -0.3, 0.42))
    for x, turn in ((0.0, 1), (w, -1)):
        points = np.array([[x, high, 0], [x, high, -d], [x, high + rise, -d / 2]], float)
        normal = np.tile([-float(turn), 0, 0], (3, 1))
        gable = Mesh(
            points,
            np.array([[0, 2, 1]] if turn > 0 else [[0, 1, 2]], np.int32),
            points[:, [2, 1]],
            normal,
        )
        parts.append((style.wall, gable))
    return [*parts, ("metal", gutter), (style.plinth, soffit)]
