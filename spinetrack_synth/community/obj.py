"""Wavefront OBJ as assets have it: vertices in the order that the fit counts them, and uv."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.community.lines import Line, lines_of
from spinetrack_synth.errors import UserError

MOST_FACES: Final = 300_000


@dataclass(frozen=True, eq=False)
class AssetMesh:
    """``count`` vertices; ``faces`` (F, 3) of them and ``faces_uv`` (F, 3) of ``uv`` (T, 2)."""

    count: int
    faces: NDArray[np.int32]
    faces_uv: NDArray[np.int32]
    uv: NDArray[np.float32]


def read_obj(path: Path) -> AssetMesh:
    """Read a mesh; polygons become triangles. Raises UserError, with file and line."""
    uv: list[list[float]] = []
    faces: list[tuple[int, int, int]] = []
    faces_uv: list[tuple[int, int, int]] = []
    count = 0
    for line in lines_of(path):
        if line.key == "v":
            line.floats(3)
            count += 1
        elif line.key == "vt":
            uv.append(line.floats(2))
        elif line.key == "f":
            corners = [_corner(line, word, count, len(uv)) for word in line.words]
            if len(corners) < 3:
                line.fail(f"a face of {len(corners)} corners")
            for k in range(1, len(corners) - 1):
                fan = (corners[0], corners[k], corners[k + 1])
                faces.append((fan[0][0], fan[1][0], fan[2][0]))
                faces_uv.append((fan[0][1], fan[1][1], fan[2][1]))
            if len(faces) > MOST_FACES:
                line.fail(f"more than {MOST_FACES} triangles; simplify the mesh")
    if not faces:
        raise UserError(f"{path}: has no faces")
    return AssetMesh(
        count=count,
        faces=np.array(faces, np.int32),
        faces_uv=np.array(faces_uv, np.int32),
        uv=np.array(uv or [[0.0, 0.0]], np.float32),
    )


def _corner(line: Line, word: str, count: int, count_uv: int) -> tuple[int, int]:
    """Vertex and uv of a corner ``v/vt/vn``, from 0 on; uv 0 where it has none."""
    parts = word.split("/")
    vertex = _index(line, parts[0], count, "vertex")
    if len(parts) < 2 or not parts[1]:
        return vertex, 0
    return vertex, _index(line, parts[1], count_uv, "uv")


def _index(line: Line, word: str, count: int, what: str) -> int:
    """OBJ counts from 1, or back from the last one with a minus."""
    try:
        value = int(word)
    except ValueError:
        line.fail(f"{word!r} is no whole number")
    index = value - 1 if value > 0 else count + value
    if value == 0 or not 0 <= index < count:
        line.fail(f"a face names {what} {value}, there are {count} before it")
    return index
