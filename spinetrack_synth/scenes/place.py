"""What a place is: surfaces, windows and lamps, where mats lie and where cameras may stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from spinetrack_synth.scenes.shapes import Array, Mesh, moved, turned
from spinetrack_synth.scenes.textures import Finish, surface
from spinetrack_synth.shot import AreaLight, Surface

Part = tuple[str, Mesh]
"""A mesh and the name of its finish."""
Prop = tuple[Part, ...]
"""A thing of several finishes, standing on y = 0 around the origin."""


@dataclass(frozen=True)
class Place:
    """Surroundings of one variant, the same objects in every shot that is made there.

    ``windows`` and ``lamps`` are the glowing rectangles, the brightest of radiance 1; ``outdoors``
    there are no windows, and the lamps shine after sunset.
    ``mat_area`` (2, 2): the low and high x, z m between which people may be. ``camera_room``
    (2, 3): the box m in which a camera may stand; nothing is between any two points of it but
    the ``obstacles`` (N, 2, 3), boxes m around the bulky things.
    """

    name: str
    variant: int
    surfaces: tuple[Surface, ...]
    mat_area: Array
    camera_room: Array
    obstacles: Array
    windows: tuple[AreaLight, ...] = ()
    lamps: tuple[AreaLight, ...] = ()
    outdoors: bool = False


def placed(prop: Prop, at: ArrayLike, *, yaw: float = 0.0) -> Prop:
    """The prop turned about Y and moved to a point (3,) m."""
    return tuple((name, moved(turned(mesh, yaw=yaw), at)) for name, mesh in prop)


def bounds(prop: Prop) -> Array:
    """Lowest and highest corner of a prop, (2, 3) m."""
    corners = np.stack([mesh.bounds for _, mesh in prop])
    return np.stack([corners[:, 0].min(0), corners[:, 1].max(0)])


def assembled(
    key: str, finishes: Mapping[str, Finish], parts: Iterable[Part]
) -> tuple[Surface, ...]:
    """One surface a finish: few large surfaces render faster than many small ones."""
    groups: dict[str, list[Mesh]] = defaultdict(list)
    for name, mesh in parts:
        groups[name].append(mesh)
    return tuple(
        surface(f"{key}/{name}", finishes[name], meshes) for name, meshes in groups.items()
    )
