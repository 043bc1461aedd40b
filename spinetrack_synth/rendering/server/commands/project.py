"""The project's own commands: avatars and their poses, the place, things, lights."""

from __future__ import annotations

import numpy as np

from spinetrack_synth.anatomy.model import fullbody_path
from spinetrack_synth.checksum import file_sha256
from spinetrack_synth.rendering.server.commands.replies import compact_json
from spinetrack_synth.rendering.server.commands.status import VERSION
from spinetrack_synth.rendering.server.dispatch import Bind
from spinetrack_synth.rendering.server.level import CurrentLevel, LevelError, Placement, avatar_of
from spinetrack_synth.rendering.unreal import messages
from spinetrack_synth.version import __version__


class ProjectCommands:
    """Those that UnrealCV does not have: `unreal_project/` answers them too."""

    def __init__(self, current: CurrentLevel) -> None:
        self._current = current

    def bind(self, bind: Bind) -> None:
        """Add the commands of avatars, the place, things and lights."""
        bind("vget /avatars", "List the avatars as JSON", self._list_avatars)
        bind("vset /avatars/spawn [str] [str]", "Spawn an avatar [asset, name]", self._spawn_avatar)
        bind(
            "vset /avatar/[str]/pose [str]",
            "Set the frames of an avatar's bodies in the world, JSON",
            self._pose,
        )
        bind("vget /avatar/[str]/pose", "Get the frames of an avatar's bodies", self._pose_of)
        bind(
            "vset /avatar/[str]/fingers [str]",
            "Bend an avatar's fingers, JSON of degrees",
            self._bend,
        )
        bind("vget /avatar/[str]/fingers", "Get the bends of an avatar's fingers", self._bends)
        bind("vset /place/[str]/[uint]", "Set the surroundings [place, variant]", self._go)
        bind("vget /place", "Get the surroundings [place, variant]", self._place)
        bind("vset /things [str]", "Replace the movable things, JSON", self._set_things)
        bind("vset /lights [str]", "Replace the lights and the exposure, JSON", self._set_lights)
        bind("vget /project", "What draws, as JSON", self._project)

    def _list_avatars(self) -> str:
        avatars = (a for a in self._current.level.actors.values() if a.kind == "avatar")
        return compact_json([{"name": actor.name, "asset": actor.asset} for actor in avatars])

    def _spawn_avatar(self, asset: str, name: str) -> None:
        self._current.level = self._current.level.spawned("avatar", asset, name, Placement())

    def _pose(self, name: str, text: str) -> None:
        actor = self._current.level.avatar(name)
        frames = messages.parse_pose(text)
        bodies = avatar_of(actor.asset).tree.bodies
        if odd := sorted(set(bodies) ^ set(frames)):
            lacking = "lacks" if odd[0] in bodies else "has an unknown"
            raise LevelError(f"the pose {lacking} body {odd[0]}")
        body2world = np.array([frames[body] for body in bodies])
        self._current.level = self._current.level.with_actor(actor.posed(body2world))

    def _pose_of(self, name: str) -> str:
        actor = self._current.level.avatar(name)
        return messages.pose_json(avatar_of(actor.asset).tree.bodies, actor.body2world)

    def _bend(self, name: str, text: str) -> None:
        level = self._current.level
        actor = level.avatar(name).holding(messages.parse_fingers(text))
        self._current.level = level.with_actor(actor)

    def _bends(self, name: str) -> str:
        pose = self._current.level.avatar(name).pose
        return messages.fingers_json(pose.fingers if pose else None)

    def _go(self, place: str, variant: int) -> None:
        self._current.level = self._current.level.with_place(place, variant)

    def _place(self) -> str:
        place = self._current.level.place
        if place is None:
            raise LevelError("there is no place")
        return place.asset.replace("/", " ")

    def _set_things(self, text: str) -> None:
        self._current.level = self._current.level.with_things(messages.parse_things(text))

    def _set_lights(self, text: str) -> None:
        self._current.level = self._current.level.lit(*messages.parse_lights(text))

    def _project(self) -> str:
        return compact_json(
            {
                "name": "spinetrack_synth",
                "version": __version__,
                "hash": file_sha256(fullbody_path()),
                "engine": f"spinetrack-synth {__version__}",
                "plugin": VERSION,
            }
        )
