"""What an engine offers: its version, its commands, its project; and what the driver needs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering.unreal.errors import CommandFailed, EngineError
from spinetrack_synth.rendering.unreal.session import Session

LIST_COMMANDS: Final = "vget /unrealcv/commands"

UNREALCV: Final = "UnrealCV 1.1.0 or newer"
PROJECT: Final = "the project's own module, see unreal_project/README.md"

NEEDED: Final = {
    "vget /cameras": UNREALCV,
    "vset /cameras/spawn": UNREALCV,
    "vset /camera/1/location 0 0 0": UNREALCV,
    "vset /camera/1/rotation 0 0 0": UNREALCV,
    "vset /camera/1/fov 90": UNREALCV,
    "vset /camera/1/size 640 480": UNREALCV,
    "vget /camera/1/location": UNREALCV,
    "vget /camera/1/rotation": UNREALCV,
    "vget /camera/1/lit png": UNREALCV,
    "vget /camera/1/object_mask png": UNREALCV,
    "vget /camera/1/depth npy": UNREALCV,
    "vget /objects": UNREALCV,
    "vset /objects/spawn_cube name": UNREALCV,
    "vset /object/name/location 0 0 0": UNREALCV,
    "vset /object/name/color 0 0 0": UNREALCV,
    "vget /object/name/color": UNREALCV,
    "vset /object/name/destroy": UNREALCV,
    "vget /avatars": PROJECT,
    "vset /avatars/spawn asset name": PROJECT,
    "vset /avatar/name/pose {}": PROJECT,
    "vget /avatar/name/pose": PROJECT,
    "vset /place/studio/0": PROJECT,
    "vget /place": PROJECT,
    "vset /things []": PROJECT,
    "vset /lights {}": PROJECT,
    "vget /project": PROJECT,
}
"""A command as it will be sent -> what brings it."""


@dataclass(frozen=True)
class Offer:
    """An engine's version of UnrealCV, its commands' templates, and what ``vget /project`` says."""

    version: str
    templates: tuple[str, ...]
    project: dict[str, str]

    def has(self, command: str) -> bool:
        """Would the engine understand this command?"""
        return any(_matcher(template).fullmatch(command) for template in self.templates)

    @property
    def provenance(self) -> dict[str, str]:
        """What a dataset says about the engine that drew it."""
        known = ("engine", "plugin", "name", "version", "hash")
        told = {f"project_{key}" if key in known[2:] else key: self.project[key]
                for key in known if key in self.project}  # fmt: skip
        return {"plugin": self.version, **told}

    @property
    def settles_over_frames(self) -> bool:
        """Do pictures build up over several frames? Unreal's do, the embedded renderer's not."""
        return not self.project.get("engine", "").startswith("spinetrack-synth")


def read_offer(session: Session, where: object, timeout_s: float) -> Offer:
    """Ask an engine what it offers. Raises UserError where it lacks what the driver needs."""
    version = str(session.ask(["vget /unrealcv/version"], timeout_s)[0]).strip()
    try:
        listed = str(session.ask([LIST_COMMANDS], timeout_s)[0])
    except CommandFailed:
        listed = ""
    templates = tuple(" ".join(line.split()) for line in listed.splitlines() if line.strip())
    if LIST_COMMANDS not in templates:
        raise UserError(
            f"{where}: UnrealCV {version} does not list its commands; {UNREALCV} is needed"
        )
    offer = Offer(version, templates, {})
    missing = [command for command in NEEDED if not offer.has(command)]
    if missing:
        raise UserError(f"{where}: UnrealCV {version} there lacks {_told(missing)}")
    return Offer(version, templates, _project(str(session.ask(["vget /project"], timeout_s)[0])))


def _project(text: str) -> dict[str, str]:
    try:
        data = json.loads(text)
        return {str(key): str(value) for key, value in data.items()}
    except (ValueError, AttributeError):
        raise EngineError(f"'vget /project' answered {text[:60]!r}, which is no object") from None


def _told(missing: Iterable[str]) -> str:
    """Missing commands, each source named once."""
    by_source: dict[str, list[str]] = {}
    for command in missing:
        by_source.setdefault(NEEDED[command], []).append(f"'{command}'")
    return "; ".join(f"{', '.join(names)} ({source})" for source, names in by_source.items())


def _matcher(template: str) -> re.Pattern[str]:
    """``vget /camera/[uint]/lit [str]`` as a pattern: a placeholder ends at a space."""
    literals = re.split(r"\[[^\]]*\]", template)
    return re.compile(r"\S+".join(re.escape(literal) for literal in literals))
