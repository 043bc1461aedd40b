"""The people of a dataset, each made when first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from spinetrack_synth.avatars.avatar import Avatar
from spinetrack_synth.avatars.body import sample_subject
from spinetrack_synth.avatars.making import redress, undressed_avatar
from spinetrack_synth.avatars.spines import NORMAL
from spinetrack_synth.avatars.styles import SPORTS, draw_style
from spinetrack_synth.community import AssetFolder

NO_CHOICE: Final[Mapping[str, float]] = {}
"""No weights of styles: sportswear, barefoot."""


@dataclass(frozen=True)
class Present:
    """The subjects of one shot in its clothes; ``changing`` faces are others in every shot."""

    cast: Cast
    numbers: range
    outfit: int
    spines: float = 0.0
    clothes: Mapping[str, float] = field(default_factory=dict)
    changing: bool = True

    @property
    def size(self) -> int:
        """How many they are."""
        return len(self.numbers)

    def avatar(self, k: int) -> Avatar:
        """The k-th of them."""
        number = self.numbers[k]
        style = draw_style(self.clothes, [self.cast.seed, number, self.outfit])
        return self.cast.avatar(number, self.outfit, self.spines, style)


class Cast:
    """The subjects of a dataset, each made when first asked for: subject k depends on (seed, k).

    ``people`` fixes their number; None: there is no end of them. ``changing`` clothes are others
    in every shot, else outfit 0 is worn in all. Assets of the user's, ``worn``, are part of them.
    """

    WINDOW: Final = 10
    """Subjects that a shot chooses from, where there is no end of them."""

    SHOTS_A_STEP: Final = 3
    """Shots after which one goes and another comes."""

    KEPT: Final = 24
    """Avatars kept ready."""

    def __init__(
        self,
        seed: int,
        people: int | None = None,
        changing: bool = True,
        worn: AssetFolder | None = None,
    ) -> None:
        self.seed = seed
        self.people = people
        self.changing = changing
        self.worn = worn
        self._made = lru_cache(maxsize=self.KEPT)(self._make)
        self._dressed = lru_cache(maxsize=self.KEPT)(self._dress)

    def present(
        self,
        index: int,
        count: int = 1,
        spines: float = 0.0,
        clothes: Mapping[str, float] = NO_CHOICE,
    ) -> Present:
        """Who may be in shot ``index``, at least ``count`` of them where there is no end of them;
        a share ``spines`` of them with a spine that is not normal, in ``clothes`` of styles by
        weight.

        The shot's index is the number of their outfits. Where clothes do not change, their style
        does not either.
        """
        first = 0 if self.people is not None else index // self.SHOTS_A_STEP
        size = self.people or max(self.WINDOW, count)
        outfit = index if self.changing else 0
        styles = clothes if self.changing else NO_CHOICE
        numbers = range(first, first + size)
        return Present(self, numbers, outfit, spines, styles, self.changing)

    def avatar(self, k: int, outfit: int = 0, spines: float = 0.0, style: str = SPORTS) -> Avatar:
        """Avatar of subject k >= 0 in the outfit of a number, as ``sample_subject`` has it."""
        if k < 0 or (self.people is not None and k >= self.people):
            raise IndexError(f"subject {k} of a cast of {self.people}")
        # Scenes differ in the share; whom it leaves as he is, is made once for all of them.
        shaped = sample_subject(self.seed, k, spines).spine != NORMAL
        return self._dressed(k, outfit, shaped, style)

    def _make(self, k: int, shaped: bool) -> Avatar:
        return undressed_avatar(sample_subject(self.seed, k, 1.0 if shaped else 0.0), self.worn)

    def _dress(self, k: int, outfit: int, shaped: bool, style: str) -> Avatar:
        return redress(self._made(k, shaped), outfit, style, self.worn)
