"""What a renderer is, whichever draws: a shot goes in, a frame comes out."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from spinetrack_synth.shot import Frame, Shot


class Quality(Enum):
    """How much work a picture gets; ids and depth are exact at every quality."""

    DRAFT = "draft"
    NORMAL = "normal"
    FINAL = "final"


class Renderer(Protocol):
    """Draws shots one after another; holds whatever makes the next one cheap.

    A renderer knows nothing of labels, files or datasets. The same shot at the same quality gives
    the same frame on one machine.
    """

    def render(self, shot: Shot, *, quality: Quality = Quality.NORMAL) -> Frame:
        """The picture of a shot with its ids (H, W) and its depth (H, W) m at pixel centres."""
        ...

    def close(self) -> None:
        """Give back what the renderer holds; it draws nothing afterwards."""
        ...
