"""What a renderer is, whichever draws: a shot goes in, a frame comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from spinetrack_synth.shot import Frame, Shot


class Quality(Enum):
    """How much work a picture gets; ids and depth are exact at every quality."""

    DRAFT = "draft"
    NORMAL = "normal"
    FINAL = "final"


@dataclass(frozen=True)
class EngineSettings:
    """Engines that draw: those that listen at ``host`` on each of the ``ports``, or ``count`` ones
    that are started here from the program ``launch``, on ports from the first one up."""

    host: str = "127.0.0.1"
    ports: tuple[int, ...] = (9000,)
    launch: Path | None = None
    count: int = 1


class Renderer(Protocol):
    """Draws shots one after another; holds whatever makes the next one cheap.

    A renderer knows nothing of labels, files or datasets. The same shot at the same quality gives
    the same frame on one machine.
    """

    @property
    def lanes(self) -> int:
        """How many threads may call ``render`` at once."""
        ...

    @property
    def ahead(self) -> int:
        """How many shots may wait, posed, while one is drawn; 0 where drawing keeps the processors
        busy itself, and where there are several lanes."""
        ...

    @property
    def provenance(self) -> Mapping[str, str]:
        """What a dataset has to say of who drew it, beside the version of this package."""
        ...

    def render(self, shot: Shot, *, quality: Quality = Quality.NORMAL) -> Frame:
        """The picture of a shot with its ids (H, W) and its depth (H, W) m at pixel centres."""
        ...

    def close(self) -> None:
        """Give back what the renderer holds; it draws nothing afterwards."""
        ...
