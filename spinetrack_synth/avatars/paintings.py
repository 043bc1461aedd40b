"""Pictures of cloth and skin, painted when it is known how large they are seen, and no finer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from spinetrack_synth.shot import Material

SIZES: Final = (256, 512, 768, 1024)
"""Sides of pictures."""

FINEST: Final = 0.0
"""The length of a texel that asks for the largest picture."""

UNSEEN: Final = float("inf")
"""The length of a texel that asks for one colour in place of a picture."""


class Painting:
    """A material whose picture is painted in the size that is asked for, and kept in that size.

    ``paint`` paints it with sides of so many texels; ``plain`` stands for it where it is not looked
    at; ``texel_m`` is how long a texel of the largest picture is on the body.
    """

    def __init__(self, paint: Callable[[int], Material], plain: Material, texel_m: float) -> None:
        self.plain = plain
        self._paint = paint
        self._texel_m = texel_m
        self._painted: dict[int, Material] = {}

    def at(self, texel_m: float) -> Material:
        """The material with texels no longer than that, if it can."""
        if texel_m == UNSEEN:
            return self.plain
        size = self.size(texel_m)
        if size not in self._painted:
            self._painted[size] = self._paint(size)
        return self._painted[size]

    def size(self, texel_m: float) -> int:
        """The sides of that picture, 0 for none."""
        if texel_m == UNSEEN:
            return 0
        fine = (size for size in SIZES if self._texel_m * SIZES[-1] / size <= texel_m)
        return next(fine, SIZES[-1])


Look = Material | Painting
"""What a part is made of."""


def painted(look: Look, texel_m: float = FINEST) -> Material:
    """The material of what a part is made of, with texels no longer than that, if it can."""
    return look.at(texel_m) if isinstance(look, Painting) else look
