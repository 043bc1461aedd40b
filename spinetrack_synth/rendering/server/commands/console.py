"""Actions of the game and its console, of which little has a meaning here."""

from __future__ import annotations

from re import fullmatch

from spinetrack_synth.rendering.server.commands.cameras import CameraCommands
from spinetrack_synth.rendering.server.dispatch import Bind


class ConsoleCommands:
    """The game does not move by itself; the console sizes camera 0."""

    def __init__(self, cameras: CameraCommands) -> None:
        self._cameras = cameras
        self._paused = False

    def bind(self, bind: Bind) -> None:
        """Add the actions and the console."""
        bind("vset /action/game/pause", "Pause the game: nothing moves by itself here", self._pause)
        bind("vset /action/game/resume", "Resume the game", self._resume)
        bind("vget /action/game/is_paused", "Is the game paused?", self._is_paused)
        bind("vset /action/input/enable", "Enable input: there is none here", lambda: None)
        bind("vset /action/input/disable", "Disable input: there is none here", lambda: None)
        help = "Run a console command: setres WxH sizes camera 0, others change nothing here"
        bind("vcmd [str]", help, self._run)
        for words in range(1, 7):
            bind("vrun" + " [str]" * words, help, self._run)

    def _pause(self) -> None:
        self._paused = True

    def _resume(self) -> None:
        self._paused = False

    def _is_paused(self) -> str:
        return "true" if self._paused else "false"

    def _run(self, *words: str) -> None:
        size = fullmatch(r"setres (\d+)x(\d+)[wf]*", " ".join(words).lower())
        if size:
            self._cameras.resize(0, int(size[1]), int(size[2]))
