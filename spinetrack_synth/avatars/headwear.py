"""What is worn on a head, glasses apart: hats, headbands, headphones, and how they press hair."""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars.array_types import Array
from spinetrack_synth.avatars.hairstyles import Rng
from spinetrack_synth.avatars.parts import Bundle, Part
from spinetrack_synth.avatars.scalp import Head
from spinetrack_synth.avatars.solids import Solid, joined, part_of, sheet, slab, turned
from spinetrack_synth.avatars.strands import ribbons
from spinetrack_synth.avatars.textures import to_bytes
from spinetrack_synth.easing import smoothstep
from spinetrack_synth.shot import Material

HEADWEAR: Final[dict[str, float]] = {
    "cap": 0.055, "beanie": 0.03, "sun hat": 0.02, "headband": 0.035, "headphones": 0.03,
}  # fmt: skip
"""How many of the people wear what."""

HATS: Final = frozenset({"cap", "beanie", "sun hat", "headphones"})
"""What falls off where the head is upside down."""

_AZIMUTH_DEG: Final = np.array([0, 25, 50, 75, 90, 110, 130, 155, 180])
_RIMS_M: Final = {
    "cap": np.array([54, 52, 44, 34, 31, 30, 22, 4, -4]) / 1000,
    "beanie": np.array([50, 48, 42, 34, 31, 30, 12, -22, -30]) / 1000,
    "sun hat": np.array([54, 52, 46, 38, 34, 32, 26, 14, 10]) / 1000,
    "headband": np.array([46, 45, 41, 33, 30, 29, 14, -6, -12]) / 1000,
}
"""Heights of the lower rims above the eyes, from the forehead round to the nape, on a head whose
top is 0.11 m above them."""

_PRESSED_M: Final = 0.005
"""What hair under a hat is pressed to."""

Reach = Callable[[Array, Array], Array]


@dataclass(frozen=True, eq=False)
class Worn:
    """Something on a head: its part, and how far off the skin (n,) m it lets hair stand at azimuths
    (n,) rad from the nose and heights (n,) m above the eyes, inf where it is not. Hair that is
    farther off the skin than ``takes_m`` is not pressed."""

    part: Part
    room_m: Reach
    takes_m: float = 0.03


def draw_headwear(rng: Rng) -> str:
    """What somebody wears on the head, "" for nothing."""
    shares = list(HEADWEAR.values())
    return str(rng.choice([*HEADWEAR, ""], p=[*shares, 1 - sum(shares)]))


def make_headwear(head: Head, kind: str, rng: Rng) -> Worn:
    """A thing of a kind of ``HEADWEAR`` that fits a head."""
    return _MAKERS[kind](head, rng)


def pressed(part: Part, head: Head, worn: Worn) -> Part:
    """Hair under what is worn."""
    if part.strands is None:
        return part
    bundles = tuple(_pressed(bundle, head, worn) for bundle in part.strands.bundles)
    strands = replace(part.strands, bundles=bundles)
    return replace(
        part, strands=strands, rest_world=ribbons(strands, head.center).astype(np.float32)
    )


def _pressed(bundle: Bundle, head: Head, worn: Worn) -> Bundle:
    arm = bundle.paths - head.center
    distance = np.linalg.norm(arm, axis=2)
    direction = arm / np.maximum(distance, 1e-9)[..., None]
    azimuth = np.abs(np.arctan2(arm[..., 2], arm[..., 0]))
    height = bundle.paths[..., 1] - head.anatomy.eyes[:, 1].mean()
    # Where long hair comes out again is told by the skin's height, not by the hair's.
    surface = head.surface_m(direction)
    skin_height = surface * direction[..., 1] + head.center[1] - head.anatomy.eyes[:, 1].mean()
    near = distance < surface + worn.takes_m
    at = np.where(height > skin_height, skin_height, height)
    room = np.where(near, worn.room_m(azimuth, at), np.inf)
    held = np.minimum(distance, surface + room)
    return bundle._replace(paths=head.center + direction * held[..., None])


def _rim_m(head: Head, kind: str, azimuth_rad: Array) -> Array:
    """Heights of a rim above the eyes."""
    rim: Array = head.unit * np.interp(np.degrees(np.abs(azimuth_rad)), _AZIMUTH_DEG, _RIMS_M[kind])
    return rim


def _under(head: Head, kind: str) -> Reach:
    """Hair above a rim is pressed to the head."""

    def room_m(azimuth: Array, height: Array) -> Array:
        above = height - _rim_m(head, kind, azimuth)
        # Below the rim hair swells little by little.
        return _PRESSED_M - 0.002 + np.where(above > -0.05, 0.35 * np.maximum(-above, 0), np.inf)

    return room_m


def _directions(head: Head, azimuth: Array, height_m: Array) -> Array:
    """Directions (n, 3) from the head's centre in which its skin is so high above the eyes."""
    low = height_m + head.anatomy.eyes[:, 1].mean() - head.center[1]
    elevation = np.arcsin(np.clip(low / 0.1, -0.9, 0.9))
    for _ in range(3):
        direction = _toward(azimuth, elevation)
        elevation = np.arcsin(np.clip(low / head.surface_m(direction), -0.9, 0.98))
    return _toward(azimuth, elevation)


def _toward(azimuth: Array, elevation: Array) -> Array:
    flat = np.cos(elevation)
    return np.stack([flat * np.cos(azimuth), np.sin(elevation), flat * np.sin(azimuth)], axis=-1)


def _crown(
    head: Head, kind: str, gap_m: Callable[[Array, Array], Array], rows: int = 14
) -> tuple[Solid, Array]:
    """A shell from a rim to the top, turned in at the rim; and the rim (A, 3). ``gap_m`` of azimuth
    and of the share of the way up is how far the shell stands off the skin."""
    azimuth = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    from_nose = np.arctan2(np.sin(azimuth), np.cos(azimuth))
    rim = _directions(head, azimuth, _rim_m(head, kind, from_nose))
    lowest = np.arcsin(rim[:, 1])
    place = np.linspace(0, 1, rows)[:, None]
    elevation = lowest + (np.pi / 2 - 0.01 - lowest) * place
    direction = _toward(np.broadcast_to(azimuth, elevation.shape), elevation)
    off = gap_m(
        np.broadcast_to(from_nose, elevation.shape), np.broadcast_to(place, elevation.shape)
    )
    shell = head.center + direction * (head.surface_m(direction) + off)[..., None]
    inner = head.center + rim * (head.surface_m(rim) + 0.0005)[:, None]
    return sheet(np.concatenate([inner[None], shell]), around=True), shell[0]


def _cap(head: Head, rng: Rng) -> Worn:
    """A baseball cap."""
    height = rng.uniform(0.006, 0.014)

    def gap(azimuth: Array, place: Array) -> Array:
        front = smoothstep(np.radians(75), np.radians(20), np.abs(azimuth))
        return 0.006 + height * np.sin(np.pi * place) * (0.4 + 0.6 * front)

    crown, rim = _crown(head, "cap", gap)
    turn = np.linspace(-1, 1, 25)
    azimuth = np.radians(64) * turn
    edge = np.stack([np.interp(azimuth % (2 * np.pi), np.linspace(0, 2 * np.pi, 65), column)
                     for column in np.concatenate([rim, rim[:1]]).T], axis=1)  # fmt: skip
    out = np.linspace(0, 1, 7)[:, None]
    length = rng.uniform(0.062, 0.075) * np.sqrt(np.clip(1 - (0.97 * turn) ** 2, 0, 1)) + 0.004
    bend = rng.uniform(0.25, 0.45)
    visor = np.stack(
        [
            edge[:, 0] + out * length,
            edge[:, 1] - 0.28 * out * length - bend * out * 0.05 * turn**2 - 0.001,
            edge[:, 2] + 0.12 * out * length * turn,
        ],
        axis=-1,
    )
    up = np.array([0.0, 1.0, 0.0])
    button = head.center + (head.surface_m(up[None])[0] + 0.006) * up
    knob = turned([(0.0, 0.004), (0.006, 0.003), (0.007, 0.0)], button, up, np.eye(3)[0])
    solid = joined([crown, slab(visor, visor - [0, 0.0025, 0]), knob])
    return _worn(head, "cap", solid, Material(_panels(_color(rng), rng), roughness=0.85))


def _beanie(head: Head, rng: Rng) -> Worn:
    slack = rng.uniform(0.004, 0.03)

    def gap(azimuth: Array, place: Array) -> Array:
        back = 0.5 - 0.5 * np.cos(azimuth)
        return 0.006 + slack * smoothstep(0.1, 0.9, place) * (0.5 + 0.5 * back)

    crown, _ = _crown(head, "beanie", gap)
    solids = [crown]
    if rng.random() < 0.7:  # the cuff
        solids.append(_band(head, "beanie", rng.uniform(0.035, 0.05), 0.0095, -0.002))
    return _worn(head, "beanie", joined(solids), Material(_knit(_color(rng)), roughness=0.95))


def _sun_hat(head: Head, rng: Rng) -> Worn:
    top_m = float(head.surface_m(np.array([[0.0, 1.0, 0.0]]))[0])
    high = rng.uniform(0.008, 0.02)

    def gap(azimuth: Array, place: Array) -> Array:
        return 0.007 + high * smoothstep(0.1, 0.7, place) + 0.012 * np.sin(np.pi * place) * top_m

    crown, rim = _crown(head, "sun hat", gap)
    azimuth = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    outward = np.stack([np.cos(azimuth), np.zeros(64), np.sin(azimuth)], axis=1)
    out = np.linspace(0, 1, 7)[:, None]
    width = rng.uniform(0.06, 0.1)
    wave = 0.012 * np.sin(2 * azimuth + rng.uniform(0, 6)) + 0.006 * np.sin(
        3 * azimuth + rng.uniform(0, 6)
    )
    drop = rng.uniform(0.1, 0.45)
    brim = rim + (out * width)[..., None] * outward
    brim[..., 1] += -drop * out * width + out**2 * wave
    ribbon = _band(head, "sun hat", 0.025, 0.0125, 0.002)
    solid = joined([crown, slab(brim, brim - [0, 0.002, 0], around=True)])
    band = _uv_at(ribbon, 0.98)  # the last column of the straw's image is the ribbon's colour
    solid = joined([_uv_at(solid, None), band])
    return _worn(head, "sun hat", solid, Material(_straw(_color(rng), rng), roughness=0.8))


def _headband(head: Head, rng: Rng) -> Worn:
    width = rng.uniform(0.02, 0.045)
    solid = _band(head, "headband", width, 0.005, 0.0)

    def room_m(azimuth: Array, height: Array) -> Array:
        above = height - _rim_m(head, "headband", azimuth)
        return np.where((above > -0.004) & (above < width + 0.004), 0.003, np.inf)

    color = _color(rng)
    return Worn(part_of("headband", solid, Material(_knit(color), roughness=0.9)), room_m)


def _headphones(head: Head, rng: Rng) -> Worn:
    """A band over the top and a cup about each ear."""
    ears = head.anatomy.masks["ears"] > 0.5
    points = head.anatomy.points[ears]
    x = float(points[:, 0].mean())
    y = float(points[:, 1].mean()) - 0.002
    arc = np.linspace(-np.radians(106), np.radians(106), 37)
    direction = np.stack([np.zeros(37), np.cos(arc), np.sin(arc)], axis=1)
    reach = head.surface_m(direction) + 0.007
    half = rng.uniform(0.009, 0.015)
    across = np.linspace(-half, half, 4)[:, None]
    middle = head.center + direction * reach[:, None]
    middle[:, 0] = head.center[0] + (x - head.center[0]) * smoothstep(0.3, 1.0, np.abs(arc) / 1.47)
    level = np.abs(arc) > 1.2  # down to the cups the band runs straight
    least = np.abs(middle[~level, 2]).max()
    middle[level, 2] = np.sign(arc[level]) * np.maximum(np.abs(middle[level, 2]), least)
    strip = middle + across[..., None] * np.array([1.0, 0.0, 0.0])
    solids = [slab(strip + 0.006 * direction, strip)]
    radius = rng.uniform(0.036, 0.042)
    for side in (-1.0, 1.0):
        own = points[points[:, 2] * side > 0]
        base = 0.001 + float(np.abs(own[:, 2]).min())
        depth = float(np.abs(own[:, 2]).max()) - base + 0.008
        profile = [(0.0, depth), (0.8 * radius, depth), (0.93 * radius, depth - 0.003),
                   (radius, 0.55 * depth), (radius, 0.5 * depth), (1.04 * radius, 0.4 * depth),
                   (1.0 * radius, 0.0), (0.6 * radius, -0.002)]  # fmt: skip
        center = np.array([x, y, side * base])
        solids.append(turned(profile, center, np.array([0, 0, side]), np.array([1.0, 0, 0]), 0.88))
    dark = rng.random() < 0.6
    tone = np.full(3, rng.uniform(0.02, 0.06)) if dark else _color(rng)

    def room_m(azimuth: Array, height: Array) -> Array:
        aside = np.abs(np.cos(azimuth)) * 0.085 * head.unit
        return np.where((aside < half + 0.004) & (height > 0.03), 0.005, np.inf)

    material = Material((float(tone[0]), float(tone[1]), float(tone[2])), 0.45, 0.5)
    return Worn(part_of("headphones", joined(solids), material), room_m)


def _worn(head: Head, kind: str, solid: Solid, material: Material) -> Worn:
    return Worn(part_of(kind, solid, material), _under(head, kind), takes_m=0.14)


def _band(head: Head, kind: str, width_m: float, off_m: float, low_m: float) -> Solid:
    """A band round the head from a rim upwards."""
    azimuth = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    from_nose = np.arctan2(np.sin(azimuth), np.cos(azimuth))
    rim = _rim_m(head, kind, from_nose) + low_m
    rows = []
    for up, bulge in ((0, -0.6), (0, 0.6), (0.3, 1.0), (0.7, 1.0), (1, 0.6), (1, -0.6)):
        direction = _directions(head, azimuth, rim + up * width_m)
        off = off_m + 0.0025 * bulge
        rows.append(head.center + direction * (head.surface_m(direction) + off)[:, None])
    return sheet(np.stack(rows), around=True)


def _uv_at(solid: Solid, u: float | None) -> Solid:
    """All of a solid at one column of an image, or over all but its last columns."""
    uv = solid.uv.copy()
    uv[:, 0] = uv[:, 0] * 0.92 if u is None else u
    return replace(solid, uv=uv)


def _color(rng: Rng) -> Array:
    """Cloth of any colour, one in two nearly grey, sRGB (3,)."""
    saturation = rng.uniform(0.0, 0.15) if rng.random() < 0.5 else rng.uniform(0.25, 0.8)
    return np.array(colorsys.hsv_to_rgb(rng.random(), saturation, rng.uniform(0.08, 0.85)))


def _panels(color: Array, rng: Rng) -> NDArray[np.uint8]:
    """Six panels with seams between them."""
    place = (np.arange(384) + 0.5) / 384
    seam = np.abs((place * 6 + 0.5) % 1 - 0.5)
    shade = 1 - 0.35 * np.exp(-((seam / 0.02) ** 2))
    image = color * (shade[None, :, None] * (1 + 0.04 * rng.standard_normal((64, 384, 1))))
    return to_bytes(image)


def _knit(color: Array) -> NDArray[np.uint8]:
    """Ribs that run up."""
    rib = np.abs(np.sin(np.pi * 90 * (np.arange(720) + 0.5) / 720))
    row = 0.9 + 0.1 * np.abs(np.sin(np.pi * 40 * (np.arange(160) + 0.5) / 160))
    return to_bytes(color * (0.55 + 0.45 * rib)[None, :, None] * row[:, None, None])


def _straw(ribbon: Array, rng: Rng) -> NDArray[np.uint8]:
    """Plaited straw, or cotton; the last columns are the ribbon about the crown."""
    base = np.array([0.80, 0.68, 0.45]) if rng.random() < 0.6 else _color(rng)
    row, column = np.mgrid[0:192, 0:512]
    plait = 0.85 + 0.15 * np.sin(row * 0.8) * np.sin(column * 0.9 + (row // 4 % 2) * np.pi)
    image = base * plait[..., None] * (1 + 0.06 * rng.standard_normal((192, 512, 1)))
    image[:, int(0.95 * 512) :] = ribbon
    return to_bytes(image)


_MAKERS: Final[dict[str, Callable[[Head, Rng], Worn]]] = {
    "cap": _cap, "beanie": _beanie, "sun hat": _sun_hat, "headband": _headband,
    "headphones": _headphones,
}  # fmt: skip
