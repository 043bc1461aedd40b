"""The renderer that draws with Unreal engines, one or several."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from queue import SimpleQueue
from typing import Final

from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering.protocol import EngineSettings, Quality
from spinetrack_synth.rendering.unreal.engine import Engine
from spinetrack_synth.rendering.unreal.launching import free_ports
from spinetrack_synth.rendering.unreal.session import LOCAL_HOSTS, Endpoint
from spinetrack_synth.rendering.unreal.stage import Patience
from spinetrack_synth.shot import Frame, Shot


class UnrealRenderer:
    """Draws shots with whichever of its engines is idle; ``render`` may be called by as many
    threads as it has ``lanes``.

    What it returns is what was drawn: its frames carry the people read back from their bones. How
    good a picture looks is set up in the engine, so ``quality`` changes nothing.
    """

    ahead: Final = 0

    def __init__(self, engines: Sequence[Engine]) -> None:
        with ExitStack() as stack:
            # One after the other: engines that start write the same unrealcv.ini.
            for engine in engines:
                engine.open()
                stack.callback(engine.close)
            self.provenance = dict(engines[0].provenance)
            if any(engine.provenance != self.provenance for engine in engines):
                raise UserError(
                    "the engines differ in version or project; a dataset is drawn by equal ones"
                )
            self._close = stack.pop_all().close
        self.lanes = len(engines)
        self._idle: SimpleQueue[Engine] = SimpleQueue()
        for engine in engines:
            self._idle.put(engine)

    def render(self, shot: Shot, *, quality: Quality = Quality.NORMAL) -> Frame:
        """Draw a shot. Raises UserError where no fresh start of the engine helps."""
        engine = self._idle.get()
        try:
            return engine.draw(shot)
        finally:
            self._idle.put(engine)

    def close(self) -> None:
        """Disconnect, and end the engines that were started here."""
        self._close()


def open_engines(settings: EngineSettings, patience: Patience | None = None) -> UnrealRenderer:
    """A renderer with the engines of some settings, started or connected to.

    Raises UserError, one line that tells what to do, where one of them cannot draw.
    """
    ports = settings.ports
    if settings.launch is not None:
        if settings.host not in LOCAL_HOSTS:
            raise UserError(f"--launch starts an engine on this machine, not on {settings.host}")
        if len(ports) == 1:
            ports = free_ports(settings.count, ports[0])
    elif settings.count > 1:
        raise UserError("--engines goes with --launch; give --port once for each running engine")
    return UnrealRenderer(
        [Engine(Endpoint(settings.host, port), settings.launch, patience) for port in ports]
    )
