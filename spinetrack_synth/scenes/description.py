"""Scene descriptions: what a TOML file says about places, poses, people, cameras and light."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NewType, get_type_hints

import numpy as np

from spinetrack_synth.avatars.styles import STYLES
from spinetrack_synth.errors import UserError
from spinetrack_synth.poses.library import FAMILIES, library
from spinetrack_synth.scenes.places import PLACES

Weights = Mapping[str, float]
"""Relative frequencies by name."""


Triple = tuple[float, float, float]

AssetName = NewType("AssetName", str)
"""Letters, digits and underscores: it stands in commands and names of files."""

SceneFile = NewType("SceneFile", str)
"""A path, in the scene file from its own folder."""

UNITS_M: Final = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "ft": 0.3048}
Unit = NewType("Unit", str)
"""One of ``UNITS_M``, lengths in metres by name."""

AXES: Final = ("x", "y", "z", "-x", "-y", "-z")
Axis = NewType("Axis", str)
"""One of ``AXES``."""

Degrees = NewType("Degrees", float)


class Motions(dict[str, float]):
    """Weights by the path of a motion file."""


@dataclass(frozen=True)
class Range:
    """Values from low to high, both included."""

    low: float
    high: float


@dataclass(frozen=True)
class PeopleRules:
    """How many people, and what they share.

    ``count`` are weights by number of people; ``gap_m`` the least floor between two of them;
    ``mats`` the share of those who have one: 1 for all on the floor with empty hands, less for
    some of those who touch it with more than their feet; ``spines`` the share of the people
    whose spine is not normal; ``clothes`` the styles that people wear, barefoot sportswear where
    there are none.
    """

    count: Mapping[int, float]
    same_pose: float
    gap_m: float
    props: float
    mats: float = 1.0
    spines: float = 0.0
    clothes: Weights = field(default_factory=dict)


NONE = Range(0.0, 0.0)


@dataclass(frozen=True)
class DistortionRules:
    """Brown-Conrady coefficients, with half the picture's diagonal as unit of radius: the same
    numbers bend pictures of every lens alike, and k1 alone is the part by which corners move."""

    k1: Range = NONE
    k2: Range = NONE
    p1: Range = NONE
    p2: Range = NONE
    k3: Range = NONE

    def check(self) -> str | None:
        """What is wrong with the ranges together; None for nothing."""
        # The radial part grows with each coefficient, so the lowest ones fold first.
        k1, k2, k3 = self.k1.low, self.k2.low, self.k3.low
        radius = np.linspace(0, MOST_RADIUS, 500)
        landed = radius * (1 + k1 * radius**2 + k2 * radius**4 + k3 * radius**6)
        slope = 1 + 3 * k1 * radius**2 + 5 * k2 * radius**4 + 7 * k3 * radius**6
        sound = np.logical_and.accumulate(slope > LEAST_SLOPE)
        # The tangential part moves corners by up to three times its numbers, and more farther out.
        aside = sum(max(-values.low, values.high) for values in (self.p1, self.p2))
        if landed[sound].max() >= 1.01 + 4 * aside:
            return None
        return (
            f"k1 = {k1:g}, k2 = {k2:g}, k3 = {k3:g} fold the picture before its corner; "
            "raise the lowest values (k1 alone: -0.14)"
        )


@dataclass(frozen=True)
class CameraRules:
    """From where and how the people are seen.

    ``coverage`` is the larger of width and height of their box, as a part of the picture's.
    ``portrait`` is the share of pictures with width and height exchanged; ``truncation`` the share
    in which an edge of the picture cuts off a part of the main person, ``truncated`` that part.
    ``f_number`` opens the lens, focused on the main person; 0 is a pinhole. ``shutter_s`` is how
    long the shutter is open, 0 for one moment, ``shake_deg_s`` how fast the hand that holds the
    camera turns it meanwhile.
    """

    height_m: Range
    lens_mm: Range
    coverage: Range
    group: float
    crop: float
    crop_coverage: Range
    roll_deg: Range
    clearance_m: float
    portrait: float = 0.0
    truncation: float = 0.0
    truncated: Range = Range(0.1, 0.5)
    f_number: Range = NONE
    shutter_s: Range = NONE
    shake_deg_s: Range = NONE
    distortion: DistortionRules = field(default_factory=DistortionRules)


@dataclass(frozen=True)
class FilmRules:
    """What a picture is taken on: noise (of the ISO), errors of the white balance (red against
    blue, green against both), light lost in the corners, quality of the JPEG file."""

    iso: Range = NONE
    temperature_stops: Range = NONE
    tint_stops: Range = NONE
    vignetting_stops: Range = NONE
    jpeg_quality: Range = Range(92.0, 92.0)


@dataclass(frozen=True)
class LightRules:
    """Sun, sky, windows, lamps and exposure; ``night`` is the share of the outdoor pictures after
    sunset."""

    sun_elevation_deg: Range
    turbidity: Range
    overcast: float
    evening: float
    lamps: float
    daylight_kelvin: Range
    lamp_kelvin: Range
    exposure_stops: Range
    night: float = 0.0


@dataclass(frozen=True)
class PropFile:
    """A thing from a mesh file that stands in every picture of a scene.

    The middle of its underside is at ``position_m``: x and z in the world, y above the ground; it
    is turned by ``yaw_deg`` about the vertical, as seen from above against the clock. ``up`` is
    the axis of the file that points up; its numbers are in ``unit``, or such that the longest side
    of the box around it measures ``size_m`` where that is above 0. Parts without a colour get
    ``color``, sRGB 0..1.
    """

    name: AssetName
    file: SceneFile
    position_m: Triple
    yaw_deg: Degrees = Degrees(0.0)
    unit: Unit = Unit("m")
    size_m: float = 0.0
    up: Axis = Axis("y")
    color: Triple = (0.6, 0.6, 0.6)


@dataclass(frozen=True)
class Scene:
    """A scene description. ``places`` and ``poses`` (families) are weights, and so are
    ``motions``, files that people perform in place of the poses; ``props`` are things from mesh
    files."""

    name: str
    title: str
    places: Weights
    poses: Weights
    people: PeopleRules
    camera: CameraRules
    light: LightRules
    motions: Motions = field(default_factory=Motions)
    film: FilmRules = field(default_factory=FilmRules)
    props: tuple[PropFile, ...] = ()


def scene_names() -> tuple[str, ...]:
    """Names of the scenes that come with the package."""
    folder = files("spinetrack_synth.scenes")
    return tuple(sorted(p.name.removesuffix(".toml") for p in folder.iterdir()
                        if p.name.endswith(".toml")))  # fmt: skip


def own_scene(name_or_path: str | Path) -> Path | None:
    """The file of one's own scene; None for a scene of the package, whose name goes before a file
    of that name."""
    return None if str(name_or_path) in scene_names() else Path(name_or_path)


def load_scene(name_or_path: str | Path) -> Scene:
    """A scene of the package by name, or one's own by the path of its TOML file.

    Raises UserError where there is no such scene (with the nearest name) or where the file is
    wrong (with file and key).
    """
    text, path = str(name_or_path), own_scene(name_or_path)
    if path is None:
        content = files("spinetrack_synth.scenes").joinpath(f"{text}.toml").read_bytes()
        return parse_scene(content, f"{text}.toml")
    if path.suffix != ".toml" and not path.is_file():
        near = _nearest(text, scene_names())
        raise UserError(
            f"no scene {text!r}{near}; give one of {', '.join(scene_names())} "
            "or the path of a TOML file"
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}; give a readable TOML file") from None
    return parse_scene(content, str(path))


def describe() -> tuple[dict[str, Any], ...]:
    """What ``spinetrack-synth scenes`` lists of each: name, title, places, families, counts."""
    listed = []
    for name in scene_names():
        scene = load_scene(name)
        families = tuple(scene.poses)
        listed.append(
            {
                "name": scene.name,
                "title": scene.title,
                "places": {place: PLACES[place].variants for place in scene.places},
                "families": families,
                "poses": sum(pose.family in families for pose in library().values()),
                "people": tuple(sorted(scene.people.count)),
            }
        )
    return tuple(listed)


def parse_scene(content: bytes, source: str) -> Scene:
    """A scene from the bytes of a TOML file; ``source`` names it in errors (UserError)."""
    try:
        table = tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UserError(f"{source}: byte {error.start} is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{source}: {error}") from None
    scene: Scene = _Reader(source).table(Scene, table, "")
    return scene


@dataclass(frozen=True)
class _Reader:
    """Turns tables into the dataclasses above, naming file and key of whatever is wrong."""

    source: str

    def fail(self, key: str, problem: str) -> UserError:
        return UserError(f"{self.source}: {key}: {problem}")

    def table(self, kind: type, table: Any, key: str) -> Any:
        """One of the dataclasses from its table."""
        if not isinstance(table, dict):
            raise self.fail(key, f"{table!r} is no table; write [{key}]")
        hints, prefix = get_type_hints(kind), f"{key}." if key else ""
        names = [field.name for field in fields(kind)]
        for name in table:
            if name not in names:
                raise self.fail(f"{prefix}{name}", f"unknown key{_nearest(name, tuple(names))}")
        optional = {
            f.name for f in fields(kind)
            if f.default_factory is not MISSING or f.default is not MISSING
        }  # fmt: skip
        values = {}
        for name in names:
            if name not in table and name in optional:
                continue
            if name not in table:
                raise self.fail(f"{prefix}{name}", "is missing")
            read = _READERS.get(hints[name])
            where = f"{prefix}{name}"
            values[name] = (
                read(self, table[name], where)
                if read
                else self.table(hints[name], table[name], where)
            )
        made = kind(**values)
        problem = made.check() if isinstance(made, DistortionRules) else None
        if problem:
            raise self.fail(key, problem)
        return made

    def text(self, value: Any, key: str) -> str:
        if not isinstance(value, str) or not value:
            raise self.fail(key, f"{value!r} is no text")
        return value

    def number(self, value: Any, key: str) -> float:
        """A share or a length: not negative; shares not above 1."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
            raise self.fail(key, f"{value!r} is no number from 0 up")
        if not key.endswith("_m") and value > 1:
            raise self.fail(key, f"{value!r} is a share: give 0 to 1")
        return float(value)

    def range(self, value: Any, key: str) -> Range:
        numbers = isinstance(value, list) and len(value) == 2 and all(
            isinstance(v, int | float) and not isinstance(v, bool) for v in value
        )  # fmt: skip
        if not numbers or not value[0] <= value[1]:
            raise self.fail(key, f"{value!r} is no range; write [low, high]")
        low, high = _LIMITS[key.rpartition(".")[2]]
        if key.endswith(_OFF_AT_ZERO) and value == [0, 0]:
            return NONE
        if not low <= value[0] <= value[1] <= high:
            raise self.fail(key, f"{value!r} must lie within {low:g} to {high:g}")
        return Range(float(value[0]), float(value[1]))

    def weights(self, value: Any, key: str) -> dict[str, float]:
        known = {"places": tuple(PLACES), "people.clothes": STYLES}.get(key, FAMILIES)
        return self._weights(value, key, known)

    def motions(self, value: Any, key: str) -> Motions:
        """Paths are taken from the folder of the scene file."""
        folder = Path(self.source).parent
        named = tuple(value) if isinstance(value, dict) else ()
        weights = self._weights(value, key, named)
        return Motions({str(folder / name): weight for name, weight in weights.items()})

    def props(self, value: Any, key: str) -> tuple[PropFile, ...]:
        if not isinstance(value, list):
            raise self.fail(key, f"{value!r} is no list of things; write [[{key}]]")
        read = tuple(self.table(PropFile, item, f"{key}[{k}]") for k, item in enumerate(value))
        names = [prop.name for prop in read]
        for k, prop in enumerate(read):
            if prop.name in names[:k]:
                raise self.fail(f"{key}[{k}].name", f"{prop.name!r} is taken by another thing")
            if prop.size_m and "unit" in value[k]:
                raise self.fail(f"{key}[{k}].size_m", "goes without 'unit': either says the size")
        return read

    def asset_name(self, value: Any, key: str) -> AssetName:
        text = self.text(value, key)
        if not re.fullmatch(r"[a-z0-9_]{1,40}", text):
            raise self.fail(key, f"{value!r}: use small letters, digits and '_', at most 40")
        return AssetName(text)

    def scene_file(self, value: Any, key: str) -> SceneFile:
        return SceneFile(str(Path(self.source).parent / self.text(value, key)))

    def unit(self, value: Any, key: str) -> Unit:
        return Unit(self._one_of(value, key, tuple(UNITS_M)))

    def axis(self, value: Any, key: str) -> Axis:
        return Axis(self._one_of(value, key, AXES))

    def _one_of(self, value: Any, key: str, known: tuple[str, ...]) -> str:
        if value not in known:
            raise self.fail(key, f"{value!r} is none of {', '.join(known)}")
        return str(value)

    def degrees(self, value: Any, key: str) -> Degrees:
        if not _is_number(value) or not -360 <= value <= 360:
            raise self.fail(key, f"{value!r} is no angle from -360 to 360")
        return Degrees(float(value))

    def triple(self, value: Any, key: str) -> Triple:
        """A colour, or a place: x and z within some metres, y not below the ground."""
        good = isinstance(value, list) and len(value) == 3 and all(map(_is_number, value))
        if key.endswith("color"):
            if not good or not all(0 <= v <= 1 for v in value):
                raise self.fail(key, f"{value!r} is no colour; write [r, g, b] from 0 to 1")
        elif not good or not all(abs(v) <= FARTHEST_M for v in value) or value[1] < 0:
            raise self.fail(
                key,
                f"{value!r} is no place; write [x, y, z], at most {FARTHEST_M:g} m away and y, "
                "the height above the ground, not below 0",
            )
        return float(value[0]), float(value[1]), float(value[2])

    def counts(self, value: Any, key: str) -> dict[int, float]:
        by_name = self._weights(value, key, tuple(str(n) for n in range(1, MOST_PEOPLE + 1)))
        return {int(name): weight for name, weight in sorted(by_name.items())}

    def _weights(self, value: Any, key: str, known: tuple[str, ...]) -> dict[str, float]:
        if not isinstance(value, dict):
            raise self.fail(key, f"{value!r} is no table of weights")
        for name, weight in value.items():
            if name not in known:
                near = _nearest(name, known)
                raise self.fail(f"{key}.{name}", f"unknown{near}; known are {', '.join(known)}")
            if isinstance(weight, bool) or not isinstance(weight, int | float) or not weight >= 0:
                raise self.fail(f"{key}.{name}", f"{weight!r} is no weight from 0 up")
        if not sum(value.values()) > 0:
            raise self.fail(key, "no weight above 0")
        return {name: float(weight) for name, weight in value.items() if weight > 0}


MOST_PEOPLE = 8
"""More people than this do not fit on the floors of the places."""

FARTHEST_M = 12.0
"""No place has room for people or things farther from its middle."""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_LIMITS: dict[str, tuple[float, float]] = {
    "height_m": (0.1, 8.0),
    "lens_mm": (14, 200),
    "coverage": (0.05, 1.0),
    "crop_coverage": (1.0, 3.0),
    "roll_deg": (-45, 45),
    "sun_elevation_deg": (0, 89),
    "turbidity": (1.8, 10),
    "daylight_kelvin": (2000, 12000),
    "lamp_kelvin": (2000, 12000),
    "exposure_stops": (-4, 4),
    "truncated": (0.02, 0.8),
    "f_number": (0.7, 64),
    "shutter_s": (0.0001, 0.25),
    "shake_deg_s": (0, 30),
    "k1": (-0.5, 0.5),
    "k2": (-0.5, 0.5),
    "k3": (-0.5, 0.5),
    "p1": (-0.005, 0.005),
    "p2": (-0.005, 0.005),
    "iso": (50, 51200),
    "temperature_stops": (-1, 1),
    "tint_stops": (-0.5, 0.5),
    "vignetting_stops": (0, 3),
    "jpeg_quality": (10, 95),
}
"""What makes sense at all, by key."""

_OFF_AT_ZERO = ("f_number", "shutter_s", "iso")
"""Keys that are switched off by [0, 0]."""

LEAST_SLOPE = 0.15
"""Of the distance from the picture's middle after distortion over that before: at less, corners
would be squeezed into lines."""
MOST_RADIUS = 3.0
"""Half diagonals within which a corner's origin is looked for."""

_READERS: dict[Any, Callable[[_Reader, Any, str], Any]] = {
    str: _Reader.text,
    float: _Reader.number,
    Range: _Reader.range,
    Weights: _Reader.weights,
    Motions: _Reader.motions,
    Mapping[int, float]: _Reader.counts,
    tuple[PropFile, ...]: _Reader.props,
    AssetName: _Reader.asset_name,
    SceneFile: _Reader.scene_file,
    Unit: _Reader.unit,
    Axis: _Reader.axis,
    Degrees: _Reader.degrees,
    Triple: _Reader.triple,
}


@cache
def _nearest(name: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.4)
    return f"; did you mean {close[0]!r}?" if close else ""
