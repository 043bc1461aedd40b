"""Commands that tell what answers: status, help, version, names."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from spinetrack_synth.rendering.server import admission
from spinetrack_synth.rendering.server.dispatch import Bind, Dispatcher
from spinetrack_synth.rendering.server.level import CurrentLevel

VERSION: Final = "1.1.2"
"""The version of UnrealCV whose commands these are."""


class StatusCommands:
    """Of the server at a port that writes pictures into a folder, with all that it can be asked."""

    def __init__(
        self, current: CurrentLevel, port: int, folder: Path, dispatcher: Dispatcher
    ) -> None:
        self._current = current
        self._port = port
        self._folder = folder
        self._dispatcher = dispatcher

    def bind(self, bind: Bind) -> None:
        """Add the commands that tell what answers."""
        dispatcher = self._dispatcher
        bind("vget /unrealcv/status", "Get the status of the server", self._status)
        bind("vget /unrealcv/help", "List all commands and what they do", lambda: dispatcher.help)
        bind("vget /unrealcv/version", "Get the version of UnrealCV", lambda: VERSION)
        bind(
            "vget /unrealcv/commands",
            "List the templates of all commands, one a line",
            lambda: "\n".join(dispatcher.templates),
        )
        bind("vget /unrealcv/echo [str]", "Give back what was sent", lambda text: text)
        bind(admission.TEMPLATE, "Give the token, where the server wants one", lambda token: None)
        bind("vget /scene/name", "Get the name of the project", lambda: "spinetrack_synth")
        bind("vget /level/name", "Get the name of the level", self._level_name)

    def _status(self) -> str:
        lens = self._current.level.lens(0)
        width, height = lens.size
        return "\n".join(
            [
                "Is Listening",
                "Client Connected",
                f"{self._port}",
                "Configuration",
                f"Config file: {self._folder / 'unrealcv.ini'}",
                f"Port: {self._port}",
                f"Width: {width}",
                f"Height: {height}",
                f"FOV: {lens.fov_deg:.1f}",
            ]
        )

    def _level_name(self) -> str:
        place = self._current.level.place
        return place.name if place else "empty"
