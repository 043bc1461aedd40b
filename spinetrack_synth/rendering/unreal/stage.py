"""A connected engine made ready, on which one shot after the other is set up and photographed."""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from spinetrack_synth.anatomy.model import fullbody
from spinetrack_synth.camera import Camera
from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering import sensor
from spinetrack_synth.rendering.unreal import calibration, messages
from spinetrack_synth.rendering.unreal.axes import (
    UnrealCamera,
    camera_to_unreal,
    rotator_matrix,
)
from spinetrack_synth.rendering.unreal.calibration import Calibration
from spinetrack_synth.rendering.unreal.capabilities import EngineCapabilities, read_capabilities
from spinetrack_synth.rendering.unreal.decoding import (
    COLORS,
    PLAIN,
    Color,
    check_lit,
    decode_depth,
    decode_ids,
    decode_rgb,
    is_near,
)
from spinetrack_synth.rendering.unreal.errors import EngineError, WrongPicture
from spinetrack_synth.rendering.unreal.pose_readback import check_shown, read_back
from spinetrack_synth.rendering.unreal.resemblance import check_settled
from spinetrack_synth.rendering.unreal.session import Reply, Session
from spinetrack_synth.shot import Frame, Shot

SET_UP: Final = (
    "vset /camera/{camera}/exposure_method manual",
    "vset /camera/{camera}/exposure_bias 0",
    "vset /camera/{camera}/motion_blur 0 0 0 0",
    "vset /camera/{camera}/illumination Lumen",
    "vset /camera/{camera}/reflection Lumen",
    "vset /action/game/pause",
)
"""Sent where the engine knows them: nothing may move, drift or smear between two pictures."""

WARM_UP: Final = 4
"""Pictures thrown away before each shot, where pictures build up over frames."""

LENS_PX: Final = 0.01
"""How far K may be from square pixels and a centred principal point: Unreal's cameras know no
others."""

LOCATION_CM: Final = 0.01
TURN: Final = 1e-4
"""How far the camera may be read back from where it was put (its replies have three decimals);
the turn as a difference of rotation matrices, about 0.006 degrees."""


_numbers = itertools.count(int(time.time()))
"""For names that no engine has seen: one that was destroyed may live on for a while."""


@dataclass(frozen=True)
class Patience:
    """How long an engine may take. ``hello_s`` to greet, ``reply_s`` for any batch of commands,
    ``megapixel_s`` more for each million pixels it draws, ``start_s`` to start up."""

    hello_s: float = 20.0
    reply_s: float = 30.0
    megapixel_s: float = 60.0
    start_s: float = 300.0

    def pictures_s(self, pixels: int) -> float:
        """For a batch in which so many pixels are drawn."""
        return self.reply_s + self.megapixel_s * pixels / 1e6


class Stage:
    """An engine over one session: checked, set up and calibrated when made, gone with the session.

    Making one raises UserError where the engine is not fit for this, EngineError where it fails.
    """

    def __init__(
        self, session: Session, where: object, patience: Patience, known: Calibration | None = None
    ) -> None:
        self._session = session
        self._where = where
        self._patience = patience
        self._place: list[str] = []
        self._people: list[str] = []
        self.capabilities: EngineCapabilities = read_capabilities(session, where, patience.reply_s)
        self._camera = self._own_camera()
        set_up = [command.format(camera=self._camera) for command in SET_UP]
        self._ask([command for command in set_up if self.capabilities.has(command)])
        self.calibration: Calibration = known or self._calibrate()

    def draw(self, shot: Shot) -> Frame:
        """Set a shot up, photograph it and read back what was drawn.

        It is drawn with a pinhole, and put on the shot's film afterwards. Raises EngineError where
        anything is not as it was told to be.
        """
        camera = shot.camera.pinhole()
        shot = replace(shot, camera=camera)
        lens = lens_of(camera)
        names = self._arrange(shot)
        frame = self._photograph(shot, lens, names)
        return sensor.taken(replace(frame, camera=camera), shot)

    def close(self) -> None:
        """Let go of the engine."""
        self._session.close()

    # Setting up

    def _own_camera(self) -> int:
        """The number of a camera of our own: that of the player lags behind."""
        cameras = str(self._ask(["vget /cameras"])[0]).split()
        if len(cameras) < 2:
            self._ask(["vset /cameras/spawn"])
            cameras = str(self._ask(["vget /cameras"])[0]).split()
        if len(cameras) < 2:
            raise EngineError("'vset /cameras/spawn' made no camera")
        return len(cameras) - 1

    def _calibrate(self) -> Calibration:
        cube = f"{calibration.CUBE}_{next(_numbers)}"
        camera = calibration.CAMERA
        size = camera.width * camera.height
        there = str(self._ask(["vget /objects"])[0]).split()
        left = [name for name in there if name.lower().startswith(calibration.CUBE)]
        self._ask([f"vset /object/{name}/destroy" for name in left])  # it would stand in the way
        self._ask([f"vset /objects/spawn_cube {cube}", self._color(cube, calibration.CUBE_COLOR)])
        try:
            taken = []
            for placement in calibration.placements(cube):
                shooting = [
                    *self._aim(camera),
                    *self._warm_up(),
                    *self._views("object_mask", "depth"),
                ]
                pixels = size * (len(shooting) - 4)
                taken.append(self._ask([placement, *shooting], pixels)[-2:])
        finally:
            if not self._session.closed:
                self._ask([f"vset /object/{cube}/destroy"])
        (near_mask, near_depth), (far_mask, far_depth) = taken
        return calibration.measure((near_mask, far_mask), (near_depth, far_depth), self._where)

    # A shot

    def _arrange(self, shot: Shot) -> list[str]:
        """Put place, things, lights and people where they belong; return the people's names."""
        if len(shot.people) > len(COLORS):
            raise UserError(f"shot {shot.index}: {len(shot.people)} people, {len(COLORS)} colours")
        place = _place_of(shot)
        moved = place != self._place
        there = _listed(self._ask(["vget /avatars"])[0])
        # Whoever another client left may be hidden, or whatever else that client did to them.
        spare = {name: asset for name, asset in there.items() if name in self._people}
        names, spawns = [], []
        for person in shot.people:
            name = next((n for n, asset in spare.items() if asset == person.subject_id), None)
            if name is None:
                name = f"{re.sub('[^A-Za-z0-9]', '_', person.subject_id)}_{next(_numbers)}"
                spawns.append(f"vset /avatars/spawn {person.subject_id} {name}")
            spare.pop(name, None)
            there.pop(name, None)
            names.append(name)
        self._ask(
            [
                *(f"vset /object/{name}/destroy" for name in there),
                *(["vset /place/" + "/".join(place)] if moved else []),
                *spawns,
                f"vset /things {messages.things_json(shot.things)}",
                f"vset /lights {messages.lights_json(shot.lights, shot.exposure)}",
                *(self._color(name, color) for name, color in zip(names, COLORS)),
            ],
            pixels=1_000_000 * len(spawns),  # a body may be made on the way: leave it time
        )
        self._people = names
        if moved:
            self._recolor(names)
            self._place = place
        return names

    def _photograph(self, shot: Shot, lens: UnrealCamera, names: Sequence[str]) -> Frame:
        """Pose, aim, draw, read back: all in one go, so that nothing comes between."""
        bodies = fullbody().bodies
        poses = [
            f"vset /avatar/{name}/pose {messages.pose_json(bodies, person.body2world)}"
            for name, person in zip(names, shot.people)
        ]
        if self.capabilities.has("vset /avatar/name/fingers []"):  # they carry no keypoints
            poses += [
                f"vset /avatar/{name}/fingers {messages.fingers_json(person.fingers_rad)}"
                for name, person in zip(names, shot.people)
            ]
        batch = [
            *poses,
            *self._aim(lens),
            *self._warm_up(),
            *self._views("lit", "object_mask", "depth"),
            *(f"vget /avatar/{name}/pose" for name in names),
            *(f"vget /object/{name}/color" for name in names),
            f"vget /camera/{self._camera}/location",
            f"vget /camera/{self._camera}/rotation",
            "vget /avatars",
            "vget /place",
        ]
        views = 3 + len(self._warm_up())
        replies = self._ask(batch, pixels=views * lens.width * lens.height)
        first = len(batch) - 7 - 2 * len(names)
        earlier = replies[first - 1] if self._warm_up() else None
        back = iter(replies[first:])
        lit, mask, depth = (next(back) for _ in range(3))
        bones = [_pose(next(back)) for _ in names]
        colors = [str(next(back)) for _ in names]
        _check_colors(names, colors)
        _check_aim(lens, str(next(back)), str(next(back)))
        standing = _listed(next(back))
        if standing != dict(zip(names, (person.subject_id for person in shot.people))):
            raise EngineError(f"the engine shows {', '.join(standing) or 'nobody'}")
        if (place := str(next(back)).split()) != _place_of(shot):
            raise EngineError(f"the engine shows the place {' '.join(place)!r}")
        return self._frame(shot, lens, (lit, mask, depth), earlier, bones)

    def _frame(
        self,
        shot: Shot,
        lens: UnrealCamera,
        views: tuple[Reply, Reply, Reply],
        earlier: Reply | None,
        bones: Sequence[dict[str, Any]],
    ) -> Frame:
        size = (lens.width, lens.height)
        lit, mask = (decode_rgb(v, *size, n) for v, n in zip(views, ("lit", "object_mask")))
        check_lit(lit, mask)
        if earlier is not None:
            check_settled(decode_rgb(earlier, *size, "lit"), lit)
        ids = decode_ids(mask, COLORS[: len(shot.people)])
        depth_m = decode_depth(views[2], *size, self.calibration.per_cm)
        people = tuple(read_back(person, frames) for person, frames in zip(shot.people, bones))
        check_shown(people, shot.camera, ids, depth_m)
        return Frame(rgb=lit, ids=ids, depth_m=depth_m, people=people)

    # Commands

    def _ask(self, commands: Sequence[str], pixels: int = 0) -> list[Reply]:
        return self._session.ask(commands, self._patience.pictures_s(pixels))

    def _aim(self, lens: UnrealCamera) -> list[str]:
        camera = f"/camera/{self._camera}"
        return [
            f"vset {camera}/size {lens.width} {lens.height}",
            f"vset {camera}/fov {messages.number(lens.fov_deg, 9)}",
            f"vset {camera}/location {messages.numbers(lens.location)}",
            f"vset {camera}/rotation {messages.numbers(lens.rotator_deg, 9)}",
        ]

    def _warm_up(self) -> list[str]:
        return self._views("lit") * (WARM_UP if self.capabilities.settles_over_frames else 0)

    def _views(self, *modes: str) -> list[str]:
        return [
            f"vget /camera/{self._camera}/{mode} {'npy' if mode == 'depth' else 'png'}"
            for mode in modes
        ]

    def _color(self, name: str, color: Color) -> str:
        return f"vset /object/{name}/color {' '.join(map(str, color))}"

    def _recolor(self, people: Sequence[str]) -> None:
        """Give a plain colour to everything whose own could be taken for somebody's."""
        others = [n for n in str(self._ask(["vget /objects"])[0]).split() if n not in people]
        # Some engines list things that have no colour.
        found = self._session.ask(
            [f"vget /object/{name}/color" for name in others],
            self._patience.reply_s,
            errors_too=True,
        )
        clashing = [
            name
            for name, text in zip(others, found)
            if (color := _color_of(str(text))) is not None and is_near(color, COLORS)
        ]
        self._ask([self._color(name, PLAIN) for name in clashing])


def lens_of(camera: Camera) -> UnrealCamera:
    """The camera in Unreal's terms. Raises UserError where Unreal has no such lens."""
    K = camera.K
    centred = np.array([[K[0, 0], 0, camera.width / 2], [0, K[0, 0], camera.height / 2], [0, 0, 1]])
    if not np.abs(K - centred).max() <= LENS_PX:
        raise UserError(
            "Unreal's cameras have square pixels and their principal point in the middle; "
            f"K {np.round(K, 2).tolist()} at {camera.width}x{camera.height} is no such camera"
        )
    return camera_to_unreal(camera)


def _place_of(shot: Shot) -> list[str]:
    """Place and variant, as ``vget /place`` tells them."""
    return [shot.place, str(shot.variant)]


def _listed(reply: Reply) -> dict[str, str]:
    """The names of the avatars that stand in the level, each with its asset."""
    try:
        return {str(entry["name"]): str(entry["asset"]) for entry in json.loads(reply)}
    except (ValueError, TypeError, KeyError):
        raise EngineError(f"'vget /avatars' answered {str(reply)[:60]!r}") from None


def _pose(reply: Reply) -> dict[str, Any]:
    try:
        return messages.parse_pose(str(reply))
    except ValueError as error:
        raise EngineError(f"'vget /avatar/.../pose': {error}") from None


def _color_of(text: str) -> Color | None:
    """The colour in ``(R=128,G=48,B=208,A=255)``."""
    parts = re.match(r"\(R=(\d+),G=(\d+),B=(\d+)", text.strip())
    return (int(parts[1]), int(parts[2]), int(parts[3])) if parts else None


def _check_colors(names: Sequence[str], replies: Sequence[str]) -> None:
    for name, color, reply in zip(names, COLORS, replies):
        if _color_of(reply) != color:
            raise WrongPicture(f"object_mask: {name} has the colour {reply.strip()}, not {color}")


def _check_aim(lens: UnrealCamera, location: str, rotator: str) -> None:
    try:
        there = np.array(location.split(), dtype=float).reshape(3)
        turned = np.array(rotator.split(), dtype=float).reshape(3)
    except ValueError:
        raise EngineError(f"the camera stands at {location!r} {rotator!r}") from None
    apart = np.abs(there - lens.location).max()
    turn = np.abs(rotator_matrix(turned) - rotator_matrix(lens.rotator_deg)).max()
    if not (apart <= LOCATION_CM and turn <= TURN):
        raise EngineError(
            f"the camera stands {apart:.3f} cm from where it was put, turned by "
            f"{np.round(turned - lens.rotator_deg, 3).tolist()} degrees"
        )
