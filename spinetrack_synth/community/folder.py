"""A folder of assets: what is in it, of which kind, and under which terms."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

from spinetrack_synth.community.lines import content_of
from spinetrack_synth.community.mhclo import Fit, read_mhclo
from spinetrack_synth.community.mhmat import pictures_of, read_mhmat
from spinetrack_synth.community.obj import AssetMesh, read_obj
from spinetrack_synth.errors import UserError
from spinetrack_synth.shot import Material

DEFAULT_SHARE: Final = 0.5
"""Of the people, who wear assets where nothing else is said."""

OURS: Final = ("eyebrows", "eyelashes", "eyes", "teeth", "tongue", "genitals", "proxymeshes")
"""Folders of parts of the body, which our people have of their own."""

Terms = tuple[str, str]
"""Licence and author, "" where a file does not say."""


@dataclass(frozen=True, eq=False)
class Wearable:
    """An asset with a mesh, by its path within the folder, ready to be fitted."""

    name: str
    fit: Fit
    mesh: AssetMesh

    @property
    def terms(self) -> Terms:
        return self.fit.licence, self.fit.author

    def material(self) -> Material:
        """Its look. Raises UserError where a picture cannot be read."""
        return material_of(self.fit.material) if self.fit.material else Material((0.6, 0.6, 0.6))


@dataclass(frozen=True, eq=False)
class Skin:
    """A skin by its path within the folder: a material whose picture lies over the body's uv."""

    name: str
    path: Path

    def material(self) -> Material:
        return material_of(self.path)


@dataclass(frozen=True, eq=False)
class AssetFolder:
    """Sound assets of a folder, by name; a ``share`` of the people wears some of them.

    ``left_out`` are not worn: parts of the body, and skins without a picture.
    """

    path: Path
    share: float
    wearables: tuple[Wearable, ...]
    skins: tuple[Skin, ...]
    left_out: tuple[str, ...]

    def sha256(self) -> dict[str, str]:
        """Checksums by name, each of all files of an asset."""
        sums = {}
        for wearable in self.wearables:
            fit = wearable.fit
            files = [fit.path, fit.mesh]
            if fit.material:
                files += [fit.material, *pictures_of(fit.material)]
            sums[wearable.name] = _sha256(files)
        return sums | {
            skin.name: _sha256([skin.path, *pictures_of(skin.path)]) for skin in self.skins
        }

    def terms(self) -> dict[str, str]:
        """What the files say of licence and author, by name, in words."""
        return {w.name: ", ".join(filter(None, w.terms)) for w in self.wearables}


def typed_folder(text: str) -> tuple[Path, float]:
    """``DIR`` or ``DIR:SHARE`` as it is typed. Raises UserError for a share that is none."""
    name, colon, number = text.rpartition(":")
    # A folder's own name may hold a colon, and C:\\assets is no share.
    if not colon or "/" in number or "\\" in number or Path(text).is_dir():
        return Path(text), DEFAULT_SHARE
    try:
        share = float(number)
    except ValueError:
        share = math.nan
    if not 0 < share <= 1:
        raise UserError(
            f"--assets {text}: share {number!r} is no number above 0 and up to 1; "
            "write DIR or DIR:0.3"
        )
    return Path(name), share


def read_folder(text: str) -> AssetFolder:
    """The assets of a folder as it is typed. Raises UserError for the first that is not sound."""
    path, share = typed_folder(text)
    found, faults = look_through(path, first=True)
    if faults:
        raise UserError(f"{faults[0]} (all of them: spinetrack-synth assets check {path})")
    return replace(found, share=share)


def look_through(path: Path, first: bool = False) -> tuple[AssetFolder, list[str]]:
    """The sound assets of a folder, and a line for each that is not, or for the ``first``.

    Raises UserError where there is no folder and where it holds no assets.
    """
    wearables: list[Wearable] = []
    skins: list[Skin] = []
    left_out: list[str] = []
    faults: list[str] = []
    for file in _files(path):
        name = file.relative_to(path).as_posix()
        try:
            if any(part.lower() in OURS for part in file.relative_to(path).parts[:-1]):
                left_out += [name] * (file.suffix.lower() == ".mhclo")
            elif file.suffix.lower() == ".mhclo":
                wearables.append(read_wearable(name, file))
            elif not is_skin(file, path):
                continue
            elif isinstance(material_of(file).base_color, tuple):
                left_out.append(name)  # one colour, a drawing of a person or a stand-in
            else:
                skins.append(Skin(name, file))
        except UserError as error:
            faults.append(str(error))
            if first:
                break
    if not (wearables or skins or faults):
        raise UserError(f"{path}: holds no .mhclo and no skins; give a folder of MakeHuman assets")
    found = AssetFolder(path, DEFAULT_SHARE, tuple(wearables), tuple(skins), tuple(left_out))
    return found, faults


def read_wearable(name: str, path: Path) -> Wearable:
    """A fit with its mesh and look. Raises UserError where they are not sound."""
    fit = read_mhclo(path)
    mesh = read_obj(fit.mesh)
    if mesh.count != len(fit.base):
        raise UserError(
            f"{path}: fits {len(fit.base)} vertices, {fit.mesh.name} has {mesh.count}; "
            "they are not of one asset"
        )
    if fit.material is not None:
        material_of(fit.material)
    return Wearable(name, fit, mesh)


def is_skin(file: Path, root: Path) -> bool:
    """Whether a material is a skin: those lie in a folder ``skins``, or their picture does."""
    inside = file.relative_to(root.parent if root.name.lower() == "skins" else root)
    return file.suffix.lower() == ".mhmat" and "skins" in [p.lower() for p in inside.parts[:-1]]


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        found = "is a file" if path.exists() else "is not there"
        raise UserError(f"{path}: {found}; give a folder of MakeHuman assets")
    try:
        yield from sorted(file for file in path.rglob("*") if file.is_file())
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None


@lru_cache(maxsize=24)
def material_of(path: Path) -> Material:
    """A material file's look, read once."""
    return read_mhmat(path)


def _sha256(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(content_of(file))
    return digest.hexdigest()
