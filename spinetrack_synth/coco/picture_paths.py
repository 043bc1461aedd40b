"""Which picture of a COCO file a path means, and where the pictures lie."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path

from spinetrack_synth.coco.document import Document


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


def pictures_root(path: Path) -> Path:
    """Where the pictures of an annotation file usually lie: in ``images`` beside it, or beside the
    folder it is in."""
    beside = path.parent / "images"
    return beside if beside.is_dir() else path.parent.parent / "images"


def picture_folders(document: Document) -> tuple[Path, ...]:
    """Where a file name may start: the folder given, and its part for the split."""
    root = document.pictures
    if root is None:
        return ()
    candidates = (root / document.split, root / "images" / document.split, root)
    return tuple(folder for folder in candidates if folder.is_dir())


def search_folders(path: Path, images: Path | None = None) -> tuple[Path, ...]:
    """Where the pictures of an annotation file may lie: in the folder ``images`` that is named, or
    else in those beside the file and above it."""
    roots = (images,) if images else (pictures_root(path), path.parent.parent, path.parent)
    folders = (
        folder for root in roots for folder in picture_folders(Document(path, {}, pictures=root))
    )
    return tuple(dict.fromkeys(folders))


def locate(name: object, folders: tuple[Path, ...]) -> Path | None:
    """The file of that name in the first folder that has it; never outside of the folders. Names
    that were written on Windows may part folders by backslashes."""
    if not isinstance(name, str) or not name.strip() or "\0" in name:
        return None
    spellings = dict.fromkeys((name, name.replace("\\", "/")))
    try:
        for folder in folders:
            for path in (folder / spelling for spelling in spellings):
                inside = os.path.normpath(path).startswith(os.path.normpath(folder) + os.sep)
                if inside and path.is_file():
                    return path
    except (OSError, ValueError):  # a name that no file system can hold
        return None
    return None


def missing_remedy(name: str, option: str | None) -> str:
    """What to do about a picture that is not found, as the end of a message: to name its folder by
    ``option``, where that is not done yet; but a name may lead out of any folder."""
    plain = os.path.normpath(name.replace("\\", "/"))
    if plain.startswith(("/", "../")) or re.match(r"[A-Za-z]:", plain):
        return "; the name leads out of the folder of the pictures: write it as it is below that"
    return f"; name the folder of the pictures {option}" if option else ""
