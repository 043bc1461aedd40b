"""``.mhclo``: how a mesh is fitted to MakeHuman's base mesh, vertex by vertex."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.community.lines import Line, beside, lines_of, text_of
from spinetrack_synth.errors import UserError

HM08: Final = 19158
"""Vertices of the base mesh ``hm08`` with its helpers."""

AXES: Final = ("x_scale", "y_scale", "z_scale")
_SECTIONS: Final = ("verts", "delete_verts", "weights", "faces", "vertexgroups")
"""Keys that numbers follow in lines of their own; those of the first two are taken."""

_WORST_OFFSET: Final = 50.0
"""Offsets (decimetres) beyond this belong to no body."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A mesh fitted to the base mesh, MakeHuman's axes: X left, Y up, Z forward, decimetres.

    Vertex i lies at the sum of ``weight[i]`` (N, 3) times the base vertices ``base[i]`` (N, 3),
    moved by ``offset[i]`` (N, 3) scaled on each axis by the distance of two base vertices along it
    over a reference: ``scales`` has (one, other, reference) or None for x, y, z. ``deleted``
    (HM08,) the base vertices below it that are not drawn. ``tags`` in lower case; ``licence`` and
    ``author`` as the file has them, "" where it does not say.
    """

    path: Path
    name: str
    mesh: Path
    material: Path | None
    base: NDArray[np.int64]
    weight: NDArray[np.float64]
    offset: NDArray[np.float64]
    scales: tuple[tuple[int, int, float] | None, ...]
    deleted: NDArray[np.bool_]
    tags: frozenset[str]
    licence: str
    author: str


def read_mhclo(path: Path) -> Fit:
    """Read a fit. Raises UserError, with file and line, for what is none."""
    reader = _Reader(path)
    old = _OLD.search(text_of(path)) is not None
    for line in lines_of(path, () if old else ("#",)):
        if line.key == "#":  # files of early MakeHumans have their keys in comments
            if not line.words:
                continue
            line = Line(path, line.number, line.words[0], line.words[1:])
        reader.take(line)
    return reader.fit()


_OLD: Final = re.compile(r"^#\s*verts\b", re.M)


class _Reader:
    """Reads a fit line by line: a head of keys, then ``verts``, then ``delete_verts``."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.stem
        self.mesh: Path | None = None
        self.material: Path | None = None
        self.rows: list[tuple[tuple[int, ...], tuple[float, ...], tuple[float, ...]]] = []
        self.scales: dict[str, tuple[int, int, float]] = {}
        self.deleted = np.zeros(HM08, bool)
        self.tags: set[str] = set()
        self.section = ""
        self.last: int | None = None  # of the vertices to delete, while a range may follow
        self.ranged = False
        self.licence, self.author = _about(text_of(path))

    def take(self, line: Line) -> None:
        first = line.key[0]
        if first.isdigit() or first in "-+.":
            if self.section == "verts":
                self._vertex(line)
            elif self.section == "delete_verts":
                self._delete(line)
            elif not self.section:
                line.fail("numbers before a line 'verts'")
            return
        if line.key in _SECTIONS:  # other keys may stand between 'verts' and its numbers
            self.section = line.key
        if line.key == "basemesh" and line.rest.lower() not in ("hm08", "hm_08"):
            line.fail(f"is fitted to the base mesh {line.rest!r}; hm08 is the one that is taken")
        elif line.key == "name" and line.rest:
            self.name = line.rest
        elif line.key == "tag":
            self.tags.add(line.rest.lower())
        elif line.key == "license":
            self.licence = line.rest
        elif line.key == "author":
            self.author = line.rest
        elif line.key == "obj_file":
            self.mesh = beside(line, (".obj",))
        elif line.key == "material" and line.rest.lower().endswith(".mhmat"):
            self.material = beside(line, (".mhmat",))
        elif line.key in AXES:
            if len(line.words) < 3:
                line.fail(f"{line.key}: {len(line.words)} values, expected 3")
            one, other = (line.index_of(w, HM08, "base vertex") for w in line.words[:2])
            reference = line.number_of(line.words[2])
            if reference <= 0:
                line.fail(f"{line.key}: a distance of {line.words[2]}, expected more than 0")
            self.scales[line.key] = (one, other, reference)

    def _vertex(self, line: Line) -> None:
        words = (line.key, *line.words)
        if len(words) == 1:
            index = line.index_of(words[0], HM08, "base vertex")
            self.rows.append(((index,) * 3, (1.0, 0.0, 0.0), (0.0,) * 3))
            return
        if len(words) not in (6, 9):
            line.fail(f"{len(words)} values, expected 1, 6 or 9 (vertices, weights, offset)")
        base = tuple(line.index_of(word, HM08, "base vertex") for word in words[:3])
        weight = tuple(line.number_of(word) for word in words[3:6])
        offset = tuple(line.number_of(word) for word in words[6:]) or (0.0,) * 3
        if not 0.5 < sum(weight) < 1.5:
            line.fail(f"weights sum to {sum(weight):.3f}, expected 1")
        if max(map(abs, offset)) > _WORST_OFFSET or max(map(abs, weight)) > _WORST_OFFSET:
            line.fail("lies metres off the body")
        self.rows.append((base, weight, offset))

    def _delete(self, line: Line) -> None:
        for word in (line.key, *line.words):
            if word == "-":
                if self.last is None:
                    line.fail("a range without its first vertex")
                self.ranged = True
                continue
            index = line.index_of(word, HM08, "base vertex")
            if self.ranged and self.last is not None:
                if index < self.last:
                    line.fail(f"a range from {self.last} back to {index}")
                self.deleted[self.last : index + 1] = True
                self.ranged, self.last = False, None
            else:
                self.deleted[index] = True
                self.last = index

    def fit(self) -> Fit:
        if self.mesh is None:
            raise UserError(f"{self.path}: names no mesh; add a line 'obj_file NAME.obj'")
        if not self.rows:
            raise UserError(f"{self.path}: fits no vertex; verts 0 and its lines are missing")
        return Fit(
            path=self.path,
            name=self.name,
            mesh=self.mesh,
            material=self.material,
            base=np.array([row[0] for row in self.rows], np.int64),
            weight=np.array([row[1] for row in self.rows], np.float64),
            offset=np.array([row[2] for row in self.rows], np.float64),
            scales=tuple(self.scales.get(axis) for axis in AXES),
            deleted=self.deleted,
            tags=frozenset(self.tags),
            licence=self.licence,
            author=self.author,
        )


_SAID: Final = re.compile(r"^\s*(?:#|//)*\s*(licen[cs]e|author)\s*:?\s+(\S.*?)\s*$", re.I | re.M)
_RELEASED: Final = re.compile(r"released as (CC0|CC-?BY\S*)", re.I)
_HOLDER: Final = re.compile(
    r"^\s*(?:#|//)*\s*copyright\s*(?:\(c\))?\s*(?:\d{4})?\s*(\S.*?)\s*$", re.I | re.M
)


def _about(text: str) -> tuple[str, str]:
    """Licence and author as the comments at the top tell them, "" where they do not."""
    head = text[:4000]
    said = {key.lower().replace("licence", "license"): value for key, value in _SAID.findall(head)}
    released = _RELEASED.search(head)
    holders = "; ".join(name.split(", http")[0] for name in _HOLDER.findall(head)[:3])
    licence = said.get("license") or (released.group(1) if released else "")
    return licence[:120], said.get("author", holders)[:120]
