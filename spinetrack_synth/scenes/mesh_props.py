"""Things from mesh files: read, brought to metres and upright, and set down in a place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from spinetrack_synth.errors import UserError
from spinetrack_synth.meshes.reading import read_mesh
from spinetrack_synth.scenes.description import UNITS_M, PropFile
from spinetrack_synth.scenes.mats import THICKNESS_M
from spinetrack_synth.scenes.place import Place
from spinetrack_synth.scenes.placing import Footprint
from spinetrack_synth.scenes.shapes import Array
from spinetrack_synth.scenes.things import lying
from spinetrack_synth.shot import Surface, Thing

SMALLEST_M: Final = 0.01
LARGEST_M: Final = 20.0
"""What else a thing measures is a mistake of its unit."""

LIKELY_M: Final = (0.1, 4.0)
"""What things beside people measure: which unit a file is in is guessed by it, for the message."""

_UPRIGHT: Final[dict[str, tuple[tuple[int, int, int], ...]]] = {
    "y": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "-y": ((1, 0, 0), (0, -1, 0), (0, 0, -1)),
    "z": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    "-z": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    "x": ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
    "-x": ((0, 1, 0), (-1, 0, 0), (0, 0, 1)),
}
"""Turns that bring an axis of a file up: rows are our x, y and z in the file's axes."""


@dataclass(frozen=True, eq=False)
class MeshProp:
    """A thing as it stands: ``unit`` its surfaces around the origin, as exported; where it is.

    ``sha256`` is of the files that it was read from.
    """

    thing: Thing
    unit: tuple[Surface, ...]
    sha256: str

    @cached_property
    def surfaces(self) -> tuple[Surface, ...]:
        """As it stands in the world."""
        return tuple(lying(part, self.thing) for part in self.unit)

    @cached_property
    def box(self) -> Array:
        """Lowest and highest corner (2, 3) in the world, m."""
        return _box(self.surfaces)

    @cached_property
    def footprint(self) -> Footprint:
        """The floor that it takes."""
        points = np.concatenate([part.vertices_world[:, [0, 2]] for part in self.surfaces])
        return Footprint.of(points)


def load_props(props: Sequence[PropFile]) -> tuple[MeshProp, ...]:
    """The things of a scene, read from their files.

    Raises UserError, with the thing's name, for whatever is wrong with a file or its size.
    """
    return tuple(map(_load, props))


def furnished(place: Place, props: Sequence[MeshProp]) -> Place:
    """A place with things in it, which people and cameras keep clear of."""
    if not props:
        return place
    return replace(
        place,
        surfaces=(*place.surfaces, *(part for prop in props for part in prop.surfaces)),
        obstacles=np.concatenate([place.obstacles, [prop.box for prop in props]]),
    )


def out_of_place(place: Place, props: Sequence[MeshProp]) -> MeshProp | None:
    """A thing that would stand in a wall or in something of the place; None where all fit."""
    room, taken = place.camera_room[:, [0, 2]], place.obstacles
    for prop in props:
        low, high = prop.box
        inside = (room[0] <= low[[0, 2]]).all() and (high[[0, 2]] <= room[1]).all()
        if not inside or ((low < taken[:, 1]) & (high > taken[:, 0])).all(axis=1).any():
            return prop
    return None


def _load(prop: PropFile) -> MeshProp:
    try:
        file = read_mesh(Path(prop.file), prop.color)
    except UserError as error:
        raise UserError(f"thing {prop.name!r}: {error}") from None
    turn = np.array(_UPRIGHT[prop.up], dtype=float)
    raw = _box(file.surfaces)
    longest = float(np.ptp(raw, axis=0).max())
    if not longest > 0:
        raise UserError(f"thing {prop.name!r}: {prop.file}: has no extent")
    scale = prop.size_m / longest if prop.size_m else UNITS_M[prop.unit]
    _check_size(prop, np.ptp(raw @ turn.T, axis=0))
    low, high = np.sort(raw @ turn.T * scale, axis=0)
    foot = np.array([(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2])

    def brought(part: Surface) -> Surface:
        assert part.normals_world is not None
        return replace(
            part,
            key=f"prop/{prop.name}/{part.key}",
            vertices_world=(part.vertices_world @ turn.T * scale - foot).astype(np.float32),
            normals_world=(part.normals_world @ turn.T).astype(np.float32),
        )

    x, y, z = prop.position_m
    thing = Thing(f"prop/{prop.name}", (x, y - THICKNESS_M, z), float(np.radians(prop.yaw_deg)))
    return MeshProp(thing, tuple(map(brought, file.surfaces)), file.sha256)


def _check_size(prop: PropFile, extent: Array) -> None:
    """Raises UserError for a size that things do not have; ``extent`` (3,) in the file's unit."""
    longest = float(extent.max())
    size_m = prop.size_m or longest * UNITS_M[prop.unit]
    if SMALLEST_M <= size_m <= LARGEST_M:
        return
    shown = " x ".join(f"{side * size_m / longest:.4g}" for side in extent)
    said = "by size_m" if prop.size_m else f"with unit = {prop.unit}"
    likely = {unit: longest * metres for unit, metres in UNITS_M.items()}
    fitting = [unit for unit, side_m in likely.items() if LIKELY_M[0] <= side_m <= LIKELY_M[1]]
    hint = f'unit = "{fitting[0]}" makes it {likely[fitting[0]]:.3g} m; ' if fitting else ""
    raise UserError(
        f"thing {prop.name!r}: {prop.file}: is {shown} m {said}; {hint}"
        f"set unit ({', '.join(UNITS_M)}) or size_m, its longest side"
    )


def _box(surfaces: Sequence[Surface]) -> Array:
    """Lowest and highest corner (2, 3) of surfaces."""
    points = np.concatenate([part.vertices_world for part in surfaces]).astype(float)
    return np.stack([points.min(axis=0), points.max(axis=0)])
