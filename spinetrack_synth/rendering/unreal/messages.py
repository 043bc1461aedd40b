"""The JSON of the project's own commands: poses, fingers, things and lights, written and read.

A command's argument may hold no space, and its numbers no exponent. What is written here is read
back by the other end: by the driver from an engine, by the embedded renderer's server from a
driver. All in Unreal's axes and cm.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.rendering.unreal import axes
from spinetrack_synth.shot import Ambient, AreaLight, Light, Sun, Thing

LOCATION_DECIMALS: Final = 5
"""Of locations in cm: a ten-thousandth of a millimetre."""

QUATERNION_DECIMALS: Final = 9

FINGER_DECIMALS: Final = 4

TOKEN_VARIABLE: Final = "SPINETRACK_SYNTH_TOKEN"
"""Environment variable with the token of a server that wants one: others can read command lines."""


def number(value: float, decimals: int = 6) -> str:
    """A number as commands want it: fixed point, no exponent, no trailing dot."""
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be sent")
    text = f"{value:.{decimals}f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def numbers(values: ArrayLike, decimals: int = 6) -> str:
    """Several numbers with spaces between them, as commands take locations and rotators."""
    return " ".join(number(value, decimals) for value in np.ravel(values).tolist())


# Poses


def pose_json(bodies: Sequence[str], body2world: NDArray[np.float64]) -> str:
    """The frames (B, 4, 4) of bodies in the world as ``{"pelvis":[x,y,z,qx,qy,qz,qw],...}``."""
    locations, quaternions = axes.frames_to_unreal(body2world)
    entries = (
        f'"{body}":[{_listed(location, LOCATION_DECIMALS)},'
        f"{_listed(quaternion, QUATERNION_DECIMALS)}]"
        for body, location, quaternion in zip(bodies, locations, quaternions)
    )
    return "{" + ",".join(entries) + "}"


def parse_pose(text: str) -> dict[str, NDArray[np.float64]]:
    """Body name -> its frame (4, 4) in the world, m; ValueError where the text is no pose."""
    data = _loads(text)
    if not isinstance(data, dict):
        raise ValueError("a pose is a JSON object of bodies")
    names = list(data)
    try:
        rows = np.array([data[name] for name in names], dtype=float).reshape(len(names), 7)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("each body of a pose has seven numbers: x y z, qx qy qz qw") from None
    lengths = np.linalg.norm(rows[:, 3:], axis=1)
    if not (np.isfinite(rows).all() and (np.abs(lengths - 1) < 1e-3).all()):
        raise ValueError("a body of the pose has no unit quaternion")
    return dict(zip(names, axes.frames_to_world(rows[:, :3], rows[:, 3:])))


# Fingers


def fingers_json(fingers_rad: NDArray[np.float64] | None) -> str:
    """Bends of the knuckles (2, 5, 3) as ``[[15 degrees of the right hand],[15 of the left]]``.

    Thumb first, in each digit from the palm outwards, positive where the hand closes; None, hands
    at rest, as zeros.
    """
    angles = np.zeros((2, 15)) if fingers_rad is None else np.degrees(fingers_rad).reshape(2, 15)
    return "[" + ",".join(f"[{_listed(hand, FINGER_DECIMALS)}]" for hand in angles) + "]"


def parse_fingers(text: str) -> NDArray[np.float64] | None:
    """The bends (2, 5, 3) rad of what ``fingers_json`` wrote, None for hands at rest.

    ValueError where it is something else.
    """
    try:
        angles = np.radians(np.array(_loads(text), dtype=float).reshape(2, 5, 3))
    except (TypeError, ValueError, OverflowError):
        raise ValueError("fingers are two lists of fifteen degrees") from None
    if not np.isfinite(angles).all():
        raise ValueError("fingers are two lists of fifteen degrees")
    return angles if angles.any() else None


# Things


def things_json(things: Iterable[Thing]) -> str:
    """``[{"asset":"mat/3","location":[x,y,z],"yaw":degrees,"scale":[a,b,c]},...]``.

    A thing that is tilted has ``"pitch"`` and ``"roll"`` as well, the other angles of a rotator.
    """
    entries = (
        f'{{"asset":"{thing.asset}","location":[{_listed(axes.to_unreal(thing.position_world))}],'
        f'"yaw":{number(axes.yaw_deg(thing.yaw_rad))},{_tilt_json(thing)}'
        f'"scale":[{_listed(axes.axes_swapped(thing.scale))}]}}'
        for thing in things
    )
    return "[" + ",".join(entries) + "]"


def _tilt_json(thing: Thing) -> str:
    if not thing.pitch_rad and not thing.roll_rad:
        return ""
    pitch, _, roll = axes.rotator_deg(thing.yaw_rad, thing.pitch_rad, thing.roll_rad)
    return f'"pitch":{number(pitch)},"roll":{number(roll)},'


def parse_things(text: str) -> tuple[Thing, ...]:
    """The things of what ``things_json`` wrote; ValueError where it is something else."""
    data = _loads(text)
    try:
        return tuple(
            Thing(
                asset=str(thing["asset"]),
                position_world=_three(thing["location"], axes.to_world),
                yaw_rad=axes.yaw_rad(_one(thing["yaw"])),
                scale=_three(thing["scale"], axes.axes_swapped),
                pitch_rad=axes.pitch_rad(_one(thing.get("pitch", 0.0))),
                roll_rad=axes.roll_rad(_one(thing.get("roll", 0.0))),
            )
            for thing in data
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"things: {error} is missing or wrong") from None


# Lights


def lights_json(lights: Iterable[Light], exposure: float) -> str:
    """The lights of a shot and the factor on its exposure.

    ``{"lights":[...],"exposure":1}`` with
    ``{"type":"sun","direction":[x,y,z],"turbidity":3,"sun_scale":1,"sky_scale":1}`` (the direction
    points to the sun),
    ``{"type":"area","center":[x,y,z],"half_u":[x,y,z],"half_v":[x,y,z],"radiance":[r,g,b]}``, which
    shines along half_v x half_u by the usual formula of the cross product (the swap of axes turns
    its sign), and ``{"type":"ambient","radiance":[r,g,b]}``.
    """
    listed = ",".join(_light_json(light) for light in lights)
    return f'{{"lights":[{listed}],"exposure":{number(exposure)}}}'


def _light_json(light: Light) -> str:
    if isinstance(light, Sun):
        return (
            f'{{"type":"sun","direction":[{_listed(axes.axes_swapped(light.direction_world))}],'
            f'"turbidity":{number(light.turbidity)},"sun_scale":{number(light.sun_scale)},'
            f'"sky_scale":{number(light.sky_scale)}}}'
        )
    if isinstance(light, AreaLight):
        vectors = (light.center_world, light.half_u_world, light.half_v_world)
        center, half_u, half_v = (_listed(axes.to_unreal(vector)) for vector in vectors)
        return (
            f'{{"type":"area","center":[{center}],"half_u":[{half_u}],"half_v":[{half_v}],'
            f'"radiance":[{_listed(light.radiance)}]}}'
        )
    return f'{{"type":"ambient","radiance":[{_listed(light.radiance)}]}}'


def parse_lights(text: str) -> tuple[tuple[Light, ...], float]:
    """Lights and exposure of what ``lights_json`` wrote; ValueError where it is something else."""
    data = _loads(text)
    try:
        return tuple(_parse_light(light) for light in data["lights"]), _one(data["exposure"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"lights: {error} is missing or wrong") from None


def _parse_light(data: dict[str, Any]) -> Light:
    if data["type"] == "sun":
        return Sun(
            direction_world=_three(data["direction"], axes.axes_swapped),
            turbidity=_one(data["turbidity"]),
            sun_scale=_one(data["sun_scale"]),
            sky_scale=_one(data["sky_scale"]),
        )
    if data["type"] == "area":
        return AreaLight(
            center_world=_three(data["center"], axes.to_world),
            half_u_world=_three(data["half_u"], axes.to_world),
            half_v_world=_three(data["half_v"], axes.to_world),
            radiance=_three(data["radiance"]),
        )
    if data["type"] == "ambient":
        return Ambient(radiance=_three(data["radiance"]))
    raise ValueError(f"there is no light of type {data['type']!r}")


def _one(value: Any) -> float:
    try:
        number = float(value)
    except OverflowError:  # a whole number of hundreds of digits
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{str(value)[:12]} is no finite number")
    return number


def _three(
    values: Any, converted: Callable[[ArrayLike], NDArray[np.float64]] = np.asarray
) -> tuple[float, float, float]:
    if len(values) != 3:
        raise ValueError(f"{values!r} is not three numbers")
    x, y, z = converted([_one(value) for value in values]).tolist()
    return x, y, z


def _listed(values: ArrayLike, decimals: int = 6) -> str:
    return ",".join(number(value, decimals) for value in np.ravel(values).tolist())


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no JSON: {error}") from None
