"""The pictures that a COCO file names."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from itertools import takewhile


class PictureNames:
    """Finds which of a file's pictures a path means, whatever folder either is told from."""

    def __init__(self, names: Iterable[str]) -> None:
        self._of_base: dict[str, list[tuple[str, list[str]]]] = {}
        for name in names:
            parts = _parts(name)
            self._of_base.setdefault(parts[-1], []).append((name, parts))

    def fitting(self, path: str) -> list[str]:
        """The names whose ends agree best with the path's, from the file's own name upwards."""
        wanted = _parts(path)
        alike = [
            (_agreeing(parts, wanted), name) for name, parts in self._of_base.get(wanted[-1], ())
        ]
        most = max(alike, default=(0, ""))[0]
        return [name for agreeing, name in alike if agreeing == most]


def _parts(path: str) -> list[str]:
    """A path's parts; macOS composes accents otherwise than what typed the dataset's names."""
    return unicodedata.normalize("NFC", path).replace("\\", "/").removeprefix("./").split("/")


def _agreeing(parts: list[str], others: list[str]) -> int:
    pairs = zip(reversed(parts), reversed(others))
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
