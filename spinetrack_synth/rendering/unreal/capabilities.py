"""What an engine can do: its version, its commands, its project; and what the driver needs."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering.unreal.errors import CommandFailed, EngineError
from spinetrack_synth.rendering.unreal.messages import TOKEN_VARIABLE
from spinetrack_synth.rendering.unreal.session import Session

LIST_COMMANDS: Final = "vget /unrealcv/commands"
"""Since UnrealCV 1.1: a template a line."""

HELP: Final = "vget /unrealcv/help"
"""In every version: a template, and on the next line what the command does."""

UNREALCV: Final = "UnrealCV 1.0.1 or newer, see unreal_project/README.md"
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
"""A command as it will be sent -> what brings it. Those of UnrealCV are in its branches 4.22 to
5.2 (0.3.10 to 1.0.1) and in 1.1."""


@dataclass(frozen=True)
class EngineCapabilities:
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


def read_capabilities(session: Session, where: object, timeout_s: float) -> EngineCapabilities:
    """Ask an engine what it can do. Raises UserError where it lacks what the driver needs."""
    version = str(session.ask(["vget /unrealcv/version"], timeout_s)[0]).strip()
    capabilities = EngineCapabilities(version, _templates(session, timeout_s), {})
    if not capabilities.templates:
        raise UserError(
            f"{where}: UnrealCV {version} lists neither its commands nor their help; {UNREALCV}"
        )
    _give_token(session, capabilities, where, timeout_s)
    missing = [command for command in NEEDED if not capabilities.has(command)]
    if missing:
        raise UserError(f"{where}: UnrealCV {version} there lacks {_told(missing)}")
    return replace(
        capabilities, project=_project(str(session.ask(["vget /project"], timeout_s)[0]))
    )


def _templates(session: Session, timeout_s: float) -> tuple[str, ...]:
    """The templates of an engine's commands, none where it does not tell them."""
    for command in (LIST_COMMANDS, HELP):
        (told,) = session.ask([command], timeout_s, errors_too=True)
        lines = (" ".join(line.split()) for line in str(told).splitlines())
        templates = tuple(line for line in lines if line.startswith(("vget ", "vset ")))
        if command in templates:
            return templates
    return ()


def _give_token(
    session: Session, capabilities: EngineCapabilities, where: object, timeout_s: float
) -> None:
    """Say who we are to a server that knows of tokens: `serve` does, UnrealCV does not."""
    if not capabilities.has("vset /session/token x"):
        return
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    try:
        session.ask([f"vset /session/token {token}" if token else "vget /project"], timeout_s)
    except CommandFailed as error:
        if "token" not in str(error):
            raise
        needed = "holds another token than the server's" if token else "must hold its token"
        raise UserError(f"{where}: the server wants a token: {TOKEN_VARIABLE} {needed}") from None
    except EngineError:
        raise EngineError("the connection broke before there were any replies") from None


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
