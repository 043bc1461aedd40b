"""What cloth looks like before it is sewn: knits, weaves, repeats, blocks and single prints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars import emblems
from spinetrack_synth.avatars.array_types import Color
from spinetrack_synth.avatars.flat_cloth import TEXEL_M, ClothTexels
from spinetrack_synth.avatars.swatches import draw_swatch, shrunk
from spinetrack_synth.avatars.textures import grain, lay, mix, noise
from spinetrack_synth.easing import smoothstep

SQUASHED: Final = np.array([1, 0.6, 1], np.float32)
"""Folds run down the cloth."""

_EMBLAZONED: Final = 0.3
"""Share of plain tops that have something printed on them."""

_NUMBERED: Final = 0.12
"""Share of plain and blocked tops with a number on the back."""

Rng = np.random.Generator
Paint = NDArray[np.float32]
"""Colours (N, 3) of a garment's texels."""


@dataclass(frozen=True)
class Fabric:
    """A garment's cloth: its colours (sRGB), pattern, and how it shines.

    ``main`` the ground, ``second`` and ``others`` what is on it, ``trim`` of bands and bindings.
    ``pattern`` of ``PAINTERS``; ``swatch`` the kind of repeat where that is one, else "".
    """

    pattern: str
    main: Color
    second: Color
    trim: Color
    roughness: float
    others: tuple[Color, ...] = ()
    swatch: str = ""


def paint_cloth(place: ClothTexels, fabric: Fabric, rng: Rng) -> Paint:
    """The colours of a garment's cloth, with what is printed on it."""
    plain = np.empty((len(place.points), 3), np.float32)
    plain[:] = fabric.main
    paint = PAINTERS[fabric.pattern](plain, place, fabric, rng)
    if place.on_trunk.any() and fabric.pattern in ("plain", "heather", "blocks", "fade"):
        _print_on(paint, place, fabric, rng)
    return paint


def _plain(paint: Paint, place: ClothTexels, fabric: Fabric, rng: Rng) -> Paint:
    """One colour; of knitted cloth the ribs are seen."""
    if rng.random() < 0.25:
        pitch = rng.uniform(0.005, 0.012)
        if place.blur_m < 0.4 * pitch:
            rib = np.sin(place.grid[:, 0] * np.float32(2 * np.pi / pitch))
            paint *= (1 + np.float32(0.06 * np.sinc(place.blur_m / pitch)) * rib)[:, None]
    return paint


def _heather(paint: Paint, place: ClothTexels, fabric: Fabric, rng: Rng) -> Paint:
    """Flecks of lighter fibres."""
    main = np.array(fabric.main, np.float32)
    fleck = _flecks(place, SQUASHED, 0.7, rng)
    light = np.minimum(main * 1.1 + 0.045, 0.95)
    return mix(main * 0.92, light, np.clip(0.5 + 0.3 * fleck, 0, 1).astype(np.float32))


def _flecks(place: ClothTexels, stretch: Paint, strewn: float, rng: Rng) -> Paint:
    """Fibres (N,) of two colours, about -1..1, ``strewn`` how much without order."""
    flecks = np.float32(place.left(0.004)) * noise(place.points * stretch, 0.004, rng)
    flecks += np.float32(strewn * place.left(TEXEL_M)) * grain(len(flecks), rng)
    return flecks


def _swatch(paint: Paint, place: ClothTexels, fabric: Fabric, rng: Rng) -> Paint:
    """A repeat, printed or woven."""
    swatch = draw_swatch(fabric.swatch, (fabric.main, fabric.second, *fabric.others), rng)
    places = place.grid + rng.uniform(0, 1, 2).astype(np.float32)
    return swatch.smeared(place.blur_m).at(places)


def _denim(paint: Paint, place: ClothTexels, fabric: Fabric, rng: Rng) -> Paint:
    """Blue warp over a white weft, worn pale on thighs, knees and seat."""
    fleck = _flecks(place, np.array([1, 0.25, 1], np.float32), 0.6, rng)
    worn = rng.choice([0.0, rng.uniform(0.2, 0.6)])
    front = smoothstep(0.3, 1.0, np.abs(place.normals[:, 0]))
    thigh = smoothstep(0.15, 0.45, place.leg) * smoothstep(1.35, 0.9, place.leg)
    patchy = 0.7 + 0.5 * noise(place.points, 0.07, rng, 2)
    share = np.clip(0.10 + 0.06 * fleck + worn * front * thigh * patchy, 0, 0.85)
    lay(paint, np.array((0.72, 0.76, 0.80)), share.astype(np.float32))
    return paint


def _camouflage(paint: Paint, place: ClothTexels, fabric: Fabric, rng: Rng) -> Paint:
    """Patches of four tones over one another, in nature's colours or the cloth's own."""
    size = rng.uniform(0.05, 0.14)
    if rng.random() < 0.7:
        scheme = _CAMOUFLAGE[rng.integers(len(_CAMOUFLAGE))]
        tones = np.clip(np.array(scheme) * rng.uniform(0.85, 1.15), 0, 0.95)
    else:
        tones = np.array([fabric.main, fabric.second, *fabric.others])
    paint[:] = tones[0]
    points = place.points
    if rng.random() < 0.25:  # in pixels
        points = np.floor(points / np.float32(0.012)) * np.float32(0.012)
    for tone in tones[1:]:
        level = rng.uniform(0.12, 0.3)
        value = noise(points * np.array([1, 1.4, 1], np.float32), size, rng, 3)
        lay(paint, tone, smoothstep(level - 0.02, level + 0.02, value))
    return paint


def _blocks(paint: Paint, place: ClothTexels, fabric: Fabric, rng: Rng) -> Paint:
    """Two or three colours: a yoke, sleeves, bands about the chest, halves, lower legs."""
    colors = (fabric.second, *fabric.others[:1])
    if place.legs:
        cut = rng.uniform(0.85, 1.3)
        line = place.leg + rng.choice([0.0, 2.0]) * place.fore - cut
        edge = place.wider(0.0016) / 0.4  # a unit along the leg is so long
        lay(paint, colors[0], smoothstep(-edge, edge, line))
        return paint
    kind = rng.choice(["yoke", "sleeves", "band", "halves"], p=[0.4, 0.25, 0.25, 0.1])
    edge = place.wider(0.0015)
    y, high = place.points[:, 1], place.figure.height(rng.uniform(0.62, 0.75))
    if kind == "band":
        for color, wide in zip(colors, (rng.uniform(0.04, 0.12), rng.uniform(0.01, 0.03))):
            trunk = 1 - place.arms()
            inside = wide / 2 - np.abs(y - high + 0.05)
            lay(paint, color, smoothstep(-edge, edge, inside) * trunk)
    elif kind == "halves":
        lay(paint, colors[0], smoothstep(-edge, edge, place.points[:, 2]))
    else:
        above = smoothstep(-edge, edge, y - high) if kind == "yoke" else np.zeros_like(y)
        lay(paint, colors[0], np.maximum(above, place.arms()))
        if kind == "yoke" and rng.random() < 0.4:
            edge = place.wider(0.001)
            line = smoothstep(0.005 + edge, 0.005 - edge, np.abs(y - high))
            lay(paint, colors[1], line * (1 - place.arms()))
    return paint


def _panel(paint: Paint, place: ClothTexels, fabric: Fabric, rng: Rng) -> Paint:
    """A panel or stripes down the outer side."""
    count = int(rng.choice([1, 2, 3], p=[0.6, 0.2, 0.2]))
    width = rng.uniform(0.012, 0.04) if count == 1 else 0.006
    edge = place.wider(0.0015)
    for k in range(count):
        away = np.abs(place.side_m - np.float32(0.016 * k))
        lay(paint, fabric.second, smoothstep(width + edge, width - edge, away))
    return paint


def _print(paint: Paint, place: ClothTexels, fabric: Fabric, rng: Rng) -> Paint:
    """Blots or veins of a second colour."""
    value = noise(place.points, rng.uniform(0.03, 0.09), rng, 2)
    lines = rng.random() < 0.4
    hit = smoothstep(0.09, 0.05, np.abs(value)) if lines else smoothstep(0.12, 0.18, value)
    main = np.array(fabric.main)
    lay(paint, main + (np.array(fabric.second) - main) * rng.uniform(0.4, 1.0), hit)
    return paint


def _fade(paint: Paint, place: ClothTexels, fabric: Fabric, rng: Rng) -> Paint:
    """One colour turns into another, over all of the garment or within a hand's breadth."""
    if place.sewn_on:  # at the end that has turned
        paint[:] = fabric.second
        return paint
    y = place.points[:, 1]
    start, stop = (float(np.quantile(y, share)) for share in (0.2, 0.8))
    if rng.random() < 0.4:
        start = rng.uniform(start, stop)
        stop = start + 0.1
    lay(paint, fabric.second, smoothstep(start, stop, y))
    return paint


def _dye(paint: Paint, place: ClothTexels, fabric: Fabric, rng: Rng) -> Paint:
    """Dyed unevenly, or tied before: rings about a knot."""
    value = noise(place.points, 0.12, rng, 3)
    if rng.random() < 0.5:
        lay(paint, np.minimum(np.array(fabric.main) * 1.6 + 0.15, 0.95),
            smoothstep(-0.5, 0.7, value))  # fmt: skip
        return paint
    knot = np.array([rng.normal(0, 0.06), place.figure.height(rng.uniform(0.3, 0.7))])
    reach = np.linalg.norm(place.grid - knot.astype(np.float32), axis=1)
    ring = reach / np.float32(rng.uniform(0.05, 0.1)) + 0.6 * value
    for k, color in enumerate((fabric.second, *fabric.others)):
        wave = np.cos(2 * np.pi * (ring / 3 - k / 3))
        lay(paint, color, smoothstep(-0.1, 0.7, wave))
    return paint


PAINTERS: Final[dict[str, Callable[[Paint, ClothTexels, Fabric, Rng], Paint]]] = {
    "plain": _plain, "heather": _heather, "swatch": _swatch, "denim": _denim,
    "camouflage": _camouflage, "blocks": _blocks, "panel": _panel, "print": _print, "fade": _fade,
    "dye": _dye, "unprinted": _plain,
}  # fmt: skip

_CAMOUFLAGE: Final = (
    ((0.42, 0.42, 0.28), (0.24, 0.29, 0.18), (0.33, 0.24, 0.16), (0.10, 0.10, 0.09)),
    ((0.70, 0.62, 0.47), (0.52, 0.42, 0.29), (0.40, 0.33, 0.25), (0.80, 0.74, 0.62)),
    ((0.58, 0.59, 0.60), (0.38, 0.39, 0.41), (0.20, 0.21, 0.23), (0.80, 0.81, 0.82)),
    ((0.25, 0.31, 0.42), (0.13, 0.17, 0.27), (0.45, 0.50, 0.58), (0.07, 0.08, 0.12)),
)
"""Woodland, desert, winter and navy: the ground and the patches over it."""


def _print_on(paint: Paint, place: ClothTexels, fabric: Fabric, rng: Rng) -> None:
    """A sign on the chest, or a number on the back."""
    inks: tuple[Color, ...] = (fabric.second, *fabric.others)
    if rng.random() < _EMBLAZONED:
        kind = rng.choice(["emblem", "word", "small", "number"], p=[0.42, 0.28, 0.22, 0.08])
        size = float(rng.uniform(0.16, 0.28))
        across, high = 0.0, place.figure.bust_y - 0.02
        if kind == "small" or place.opens:  # a large one would be cut in two
            size, across = 0.07, -0.085
        picture = _picture(str(kind), inks, rng)
        _stamp(paint, place, picture, (across, high + 0.01), size, front=True)
    if rng.random() < _NUMBERED:
        middle = place.figure.bust_y + 0.02
        number = emblems.number(str(rng.integers(1, 100)), inks[0], None)
        _stamp(paint, place, number, (0.0, middle), 0.26, front=False)
        if rng.random() < 0.6:
            name = emblems.word(inks[0], rng)
            _stamp(paint, place, name, (0.0, middle + 0.14), 0.22, front=False)


def _picture(kind: str, inks: tuple[Color, ...], rng: Rng) -> emblems.Print:
    if kind == "word":
        return emblems.word(inks[0], rng)
    if kind == "number":
        return emblems.number(str(rng.integers(1, 100)), inks[0], inks[1])
    return emblems.emblem(inks, rng)


def _stamp(
    paint: Paint,
    place: ClothTexels,
    picture: emblems.Print,
    middle_m: tuple[float, float],
    size_m: float,
    front: bool,
) -> None:
    """Lay a print on the front or back, ``middle_m`` across (the subject's right) and world Y."""
    side = place.on_trunk & ((place.fore > 0) == front)
    chosen = np.flatnonzero(side)
    grid = place.grid[chosen] - (0.0 if front else place.back_m)
    x = 0.5 - (grid[:, 0] - middle_m[0]) / size_m
    y = 0.5 - (place.points[chosen, 1] - middle_m[1]) / size_m
    inside = (x >= 0) & (x < 1) & (y >= 0) & (y < 1)
    chosen, x, y = chosen[inside], x[inside], y[inside]
    inked = np.concatenate([picture[..., :3] * picture[..., 3:], picture[..., 3:]], axis=2)
    if place.blur_m:
        inked = shrunk(inked, max(1.0, place.blur_m * len(inked) / size_m))
    height, width = inked.shape[:2]
    ink = inked[(y * height).astype(int), (x * width).astype(int)]
    paint[chosen] += 0.94 * (ink[:, :3] - ink[:, 3:] * paint[chosen])
