"""The table of commands: UnrealCV's and the project's own, over a level and the pictures of it."""

from __future__ import annotations

from spinetrack_synth.rendering.server.commands.cameras import CameraCommands
from spinetrack_synth.rendering.server.commands.console import ConsoleCommands
from spinetrack_synth.rendering.server.commands.objects import ObjectCommands
from spinetrack_synth.rendering.server.commands.project import ProjectCommands
from spinetrack_synth.rendering.server.commands.status import StatusCommands
from spinetrack_synth.rendering.server.commands.unsupported import UNSUPPORTED
from spinetrack_synth.rendering.server.dispatch import Dispatcher
from spinetrack_synth.rendering.server.folder import Folder
from spinetrack_synth.rendering.server.level import CurrentLevel, Level
from spinetrack_synth.rendering.server.view_renderer import ViewRenderer


class CommandTable:
    """All commands, and the level that they see and change.

    ``port`` is told in the status; pictures that clients save go below ``folder``.
    """

    def __init__(
        self, level: Level, view_renderer: ViewRenderer, port: int, folder: Folder
    ) -> None:
        self.current = CurrentLevel(level)
        self.dispatcher = Dispatcher()
        self._cameras = CameraCommands(self.current, view_renderer, folder)
        for family in (
            StatusCommands(self.current, port, folder.path, self.dispatcher),
            self._cameras,
            ObjectCommands(self.current, self._cameras),
            ConsoleCommands(self._cameras),
            ProjectCommands(self.current),
        ):
            family.bind(self.dispatcher.bind)
        for template, why in UNSUPPORTED.items():
            self.dispatcher.bind_absent(template, why)

    def warm_up(self) -> None:
        """Make the pictures of camera 0, so that no client waits for kernels to be compiled."""
        self._cameras.warm_up()
