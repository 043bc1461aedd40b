"""Scene descriptions: what a TOML file says about places, poses, people, cameras and light."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, get_type_hints

from spinetrack_synth.errors import UserError
from spinetrack_synth.poses.library import FAMILIES, library
from spinetrack_synth.scenes.places import PLACES

Weights = Mapping[str, float]
"""Relative frequencies by name."""


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
    ``mats`` the share of those who are on the floor with empty hands that have a mat there.
    """

    count: Mapping[int, float]
    same_pose: float
    gap_m: float
    props: float
    mats: float = 1.0


@dataclass(frozen=True)
class CameraRules:
    """From where and how the people are seen.

    ``coverage`` is the larger of width and height of their box, as a part of the picture's.
    """

    height_m: Range
    lens_mm: Range
    coverage: Range
    group: float
    crop: float
    crop_coverage: Range
    roll_deg: Range
    clearance_m: float


@dataclass(frozen=True)
class LightRules:
    """Sun, sky, windows, lamps and exposure."""

    sun_elevation_deg: Range
    turbidity: Range
    overcast: float
    evening: float
    lamps: float
    daylight_kelvin: Range
    lamp_kelvin: Range
    exposure_stops: Range


@dataclass(frozen=True)
class Scene:
    """A scene description. ``places`` and ``poses`` (families) are weights, and so are
    ``motions``, files that people perform in place of the poses."""

    name: str
    title: str
    places: Weights
    poses: Weights
    people: PeopleRules
    camera: CameraRules
    light: LightRules
    motions: Motions = field(default_factory=Motions)


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
            f.name
            for f in fields(kind)
            if f.default is not MISSING or f.default_factory is not MISSING
        }
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
        return kind(**values)

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
        if not low <= value[0] <= value[1] <= high:
            raise self.fail(key, f"{value!r} must lie within {low:g} to {high:g}")
        return Range(float(value[0]), float(value[1]))

    def weights(self, value: Any, key: str) -> dict[str, float]:
        known = tuple(PLACES) if key == "places" else FAMILIES
        return self._weights(value, key, known)

    def motions(self, value: Any, key: str) -> Motions:
        """Paths are taken from the folder of the scene file."""
        folder = Path(self.source).parent
        named = tuple(value) if isinstance(value, dict) else ()
        weights = self._weights(value, key, named)
        return Motions({str(folder / name): weight for name, weight in weights.items()})

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


MOST_PEOPLE = 4
"""More people than this do not fit on the floors of the places."""

_LIMITS: dict[str, tuple[float, float]] = {
    "height_m": (0.15, 2.4),
    "lens_mm": (14, 200),
    "coverage": (0.05, 1.0),
    "crop_coverage": (1.0, 3.0),
    "roll_deg": (-45, 45),
    "sun_elevation_deg": (0, 89),
    "turbidity": (1.8, 10),
    "daylight_kelvin": (2000, 12000),
    "lamp_kelvin": (2000, 12000),
    "exposure_stops": (-4, 4),
}
"""What makes sense at all, by key."""

_READERS: dict[Any, Callable[[_Reader, Any, str], Any]] = {
    str: _Reader.text,
    float: _Reader.number,
    Range: _Reader.range,
    Weights: _Reader.weights,
    Motions: _Reader.motions,
    Mapping[int, float]: _Reader.counts,
}


@cache
def _nearest(name: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.4)
    return f"; did you mean {close[0]!r}?" if close else ""
