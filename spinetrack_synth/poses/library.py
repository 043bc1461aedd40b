"""The poses of the files beside this module: names, families, coordinates, contacts."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np

from spinetrack_synth.errors import UserError
from spinetrack_synth.poses.equipment import GRIPS, SUPPORTS
from spinetrack_synth.poses.regions import REGIONS, mirrored_name

FILES: Final[dict[str, tuple[str, ...]]] = {
    "yoga": (
        "standing", "forward_bend", "back_bend", "twist", "seated",
        "inversion", "arm_balance", "supine", "prone",
    ),
    "exercise": (
        "squat", "hinge", "lunge", "press", "bench_press", "row_and_curl", "floor_exercise",
    ),
    "gymnastics": ("handstand", "bridge", "cartwheel", "split", "body_shape"),
    "rehab": ("trunk_motion", "sit_to_stand", "single_leg", "timed_up_and_go", "on_plinth"),
    "office": ("desk_sitting", "slumped_sitting", "lifting", "desk_standing"),
    "martial_arts": ("guard", "kick", "strike", "kneeling"),
    "locomotion": ("walking", "running"),
    "everyday": ("at_ease", "on_sofa", "on_stairs", "housework", "carrying"),
}  # fmt: skip
"""Pose files by name, with the families that each has poses of."""

FAMILIES: Final = tuple(family for families in FILES.values() for family in families)

_SPINE: Final = ("extension", "bending", "rotation")

JOINTS: Final[dict[str, tuple[str, ...]]] = {
    "pelvis": ("pelvis_tilt", "pelvis_list", "pelvis_rotation"),
    **{
        region: tuple(f"{region}_{motion}" for motion in _SPINE)
        for region in ("lumbar", "thoracic", "cervical", "upper_cervical")
    },
    "hip": ("hip_flexion", "hip_adduction", "hip_rotation"),
    "knee": ("knee_angle",),
    "ankle": ("ankle_angle", "subtalar_angle"),
    "toes": ("mtp_angle",),
    "clavicle": ("clavicle_elevation", "clavicle_protraction"),
    "arm": ("arm_flex", "arm_add", "arm_rot"),
    "elbow": ("elbow_flex", "pro_sup"),
    "wrist": ("wrist_flex", "wrist_dev"),
}
"""Joints as the pose files write them, with the coordinates their numbers stand for."""

_OF_HANDS: Final = frozenset({"hand", "hand_back", "fingertips"})

_MIDLINE: Final = frozenset({"pelvis", "lumbar", "thoracic", "cervical", "upper_cervical"})

_FLIPPED_BY_MIRROR: Final = frozenset(
    f"{region}_{motion}"
    for region in ("lumbar", "thoracic", "cervical", "upper_cervical")
    for motion in ("bending", "rotation")
) | {"pelvis_list", "pelvis_rotation", "pelvis_tz"}
"""Coordinates of the midline that change sign in a mirror."""


@dataclass(frozen=True)
class Reach:
    """Two regions of the skin that meet: a hand on a shin, palm on palm."""

    region: str
    target: str

    @property
    def holds(self) -> bool:
        """Whether a hand lies on another part of the body, not on its like."""
        part, other = (end.partition("_")[2] for end in (self.region, self.target))
        return part in _OF_HANDS and other != part


@dataclass(frozen=True)
class Rest:
    """Contacts that lie on a support instead of the floor: on any one of ``supports``."""

    supports: tuple[str, ...]
    regions: tuple[str, ...]


@dataclass(frozen=True)
class Hold:
    """A thing in one hand or between two, and where else it lies: ``upper_back`` or nowhere."""

    thing: str
    hands: tuple[str, ...]
    against: str = ""


@dataclass(frozen=True)
class Pose:
    """A pose as model coordinates.

    ``coordinates`` maps coordinate names to rad, those left out are zero; ``variation`` to the
    standard deviation (rad) where a pose asks for its own. ``contacts`` are regions of the skin
    on the floor, or on a support where ``rests`` name them; ``reaches`` pairs that meet; ``holds``
    what the hands have. A pose out of a movement, or one that leans on a back, is not
    ``balanced``: its centre of mass lies where it is written. ``flight_m`` is the room under the
    lowest point of somebody in the air. ``fists``: free hands are closed.
    """

    name: str
    sanskrit: str
    english: str
    family: str
    coordinates: Mapping[str, float]
    contacts: tuple[str, ...]
    reaches: tuple[Reach, ...] = ()
    variation: Mapping[str, float] = field(default_factory=dict)
    notes: str = ""
    rests: tuple[Rest, ...] = ()
    holds: tuple[Hold, ...] = ()
    balanced: bool = True
    flight_m: float = 0.0
    fists: bool = False

    @property
    def stays(self) -> bool:
        """Whether somebody can stay in it on the floor with nothing but the own body."""
        return self.balanced and not (self.rests or self.holds or self.flight_m)

    @property
    def symmetric(self) -> bool:
        """Whether the pose is its own mirror image."""
        twin = mirrored(self)
        same_contacts = set(twin.contacts) == set(self.contacts)
        same_holds = {(h.thing, *sorted(h.hands)) for h in twin.holds} == {
            (h.thing, *sorted(h.hands)) for h in self.holds
        }
        same = dict(twin.coordinates) == dict(self.coordinates)
        return same_contacts and same_holds and same


@cache
def library(*names: str) -> dict[str, Pose]:
    """All poses by name, or those of the named ``FILES`` alone."""
    poses: dict[str, Pose] = {}
    for name, families in FILES.items():
        if names and name not in names:
            continue
        text = files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
        for pose in read_poses(text).values():
            if pose.name in poses or pose.family not in families:
                raise ValueError(f"{name}.toml: [{pose.name}] twice, or of another file's family")
            poses[pose.name] = pose
    return poses


def known_pose(name: str) -> Pose:
    """A yoga pose by its name. Raises UserError, with the nearest, where there is none."""
    if name in library():
        return library()[name]
    near = get_close_matches(name, library(), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise UserError(f"no pose {name!r}{hint}; `spinetrack-synth poses` lists them")


def read_poses(text: str) -> dict[str, Pose]:
    """Poses by name from the text of a pose file, written as ``yoga.toml`` is.

    Raises UserError where it is no TOML or names an unknown joint, family or region.
    """
    try:
        entries = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"poses: {error}") from None
    return {name: _pose(name, entry) for name, entry in entries.items()}


def mirrored(pose: Pose) -> Pose:
    """The pose with left and right exchanged."""
    return replace(
        pose,
        coordinates={
            mirrored_coordinate(name): mirror_sign(name) * value
            for name, value in pose.coordinates.items()
        },
        variation={mirrored_coordinate(name): sd for name, sd in pose.variation.items()},
        contacts=tuple(mirrored_name(region) for region in pose.contacts),
        reaches=tuple(
            Reach(mirrored_name(reach.region), mirrored_name(reach.target))
            for reach in pose.reaches
        ),
        rests=tuple(
            replace(rest, regions=tuple(map(mirrored_name, rest.regions))) for rest in pose.rests
        ),
        holds=tuple(
            replace(hold, hands=tuple(map(mirrored_name, hold.hands))) for hold in pose.holds
        ),
    )


def either_side(pose: Pose, rng: np.random.Generator) -> Pose:
    """The pose or its mirror image, one as likely as the other."""
    return mirrored(pose) if rng.random() < 0.5 else pose


def mirrored_coordinate(name: str) -> str:
    """The twin of a coordinate on the other side, itself on the midline."""
    if name.endswith(("_r", "_l")):
        return name[:-1] + ("l" if name.endswith("r") else "r")
    return name


def mirror_sign(name: str) -> float:
    """-1 for a coordinate of the midline that changes sign in a mirror, else 1.

    The levels of a spine (``L5_S1_LB``) follow their region's bending and rotation.
    """
    return -1.0 if name in _FLIPPED_BY_MIRROR or name.endswith(("_LB", "_AR")) else 1.0


def _pose(name: str, entry: dict[str, Any]) -> Pose:
    """A pose from its table in the file."""

    def wrong(problem: str) -> UserError:
        return UserError(f"poses: [{name}]: {problem}")

    words = {key: entry.pop(key) for key in ("english", "family") if key in entry}
    if len(words) < 2:
        raise wrong("english and family are needed")
    if words["family"] not in FAMILIES:
        raise wrong(f"family {words['family']!r} is none of {', '.join(FAMILIES)}")
    contacts = tuple(entry.pop("contacts", []))
    reaches = tuple(Reach(*pair) for pair in entry.pop("reaches", []))
    for region in (*contacts, *(end for reach in reaches for end in (reach.region, reach.target))):
        if region not in REGIONS:
            raise wrong(f"unknown region {region!r}")
    plain = {"sanskrit": ""} | {key: entry.pop(key) for key in _PLAIN if key in entry}
    try:
        rests = tuple(_rest(*row, contacts=contacts) for row in entry.pop("rests", []))
        holds = tuple(_hold(*row) for row in entry.pop("holds", []))
        variation = _coordinates(entry.pop("variation", {}))
        coordinates = _coordinates(entry)
    except ValueError as error:
        raise wrong(str(error)) from None
    return Pose(
        name=name,
        **words,
        **plain,
        coordinates=coordinates,
        contacts=contacts,
        reaches=reaches,
        variation=variation,
        rests=rests,
        holds=holds,
    )


_PLAIN: Final = ("sanskrit", "notes", "balanced", "flight_m", "fists")


def _rest(supports: str, *regions: str, contacts: tuple[str, ...]) -> Rest:
    """What a row of ``rests`` says: a support, or several with | between them, and regions."""
    rest = Rest(tuple(supports.split("|")), regions)
    for support in rest.supports:
        if support not in SUPPORTS:
            raise ValueError(f"unknown support {support!r}; there are {', '.join(SUPPORTS)}")
    for region in regions:
        if region not in contacts:
            raise ValueError(f"{region!r} rests on {supports} but is none of the contacts")
    return rest


def _hold(thing: str, *places: str) -> Hold:
    """What a row of ``holds`` says: a thing, one hand or two, and where else it lies."""
    if thing not in GRIPS:
        raise ValueError(f"unknown thing {thing!r}; there are {', '.join(GRIPS)}")
    hands = tuple(place for place in places if place in ("right_hand", "left_hand"))
    against = tuple(place for place in places if place not in hands)
    if not hands or len(set(hands)) < len(hands) or against not in ((), ("upper_back",)):
        raise ValueError(f"{thing}: {places!r} are no hands, nor upper_back")
    return Hold(thing, tuple(sorted(hands, reverse=True)), *against)


def _coordinates(joints: Mapping[str, Any]) -> dict[str, float]:
    """Coordinates in rad from joints in degrees; a joint without a side stands for both."""
    coordinates: dict[str, float] = {}
    for key in sorted(joints, key=lambda key: key.endswith(("_r", "_l"))):
        joint, side = (key[:-2], key[-2:]) if key.endswith(("_r", "_l")) else (key, "")
        if joint not in JOINTS or (side and joint in _MIDLINE):
            raise ValueError(f"unknown joint {key!r}")
        values = joints[key] if isinstance(joints[key], list) else [joints[key]]
        if len(values) != len(JOINTS[joint]):
            raise ValueError(f"{key}: {len(values)} values, expected {', '.join(JOINTS[joint])}")
        sides = ("",) if joint in _MIDLINE else (side,) if side else ("_r", "_l")
        for coordinate, value in zip(JOINTS[joint], values):
            for suffix in sides:
                coordinates[coordinate + suffix] = math.radians(value)
    return coordinates
