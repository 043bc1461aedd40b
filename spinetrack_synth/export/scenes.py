"""Places and things as files: surroundings, mats, what people sit on and hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from spinetrack_synth.export.glb import to_glb
from spinetrack_synth.export.shapes import asset_name
from spinetrack_synth.scenes.place import Place
from spinetrack_synth.scenes.things import unit_surfaces
from spinetrack_synth.shot import Surface


def place_glb(place: Place) -> bytes:
    """A place where it is in the world, as one mesh.

    The scene's ``extras`` hold under ``spinetrack_synth`` the windows and lamps it has, glowing
    rectangles in the world's axes, m.
    """
    about = {
        "place": place.name,
        "variant": place.variant,
        "windows": [asdict(window) for window in place.windows],
        "lamps": [asdict(lamp) for lamp in place.lamps],
    }
    name = asset_name(f"{place.name}/{place.variant}")
    return to_glb(name, place.surfaces, extras={"spinetrack_synth": about})


def thing_glb(asset: str, surfaces: Sequence[Surface] = ()) -> bytes:
    """A mat or a thing of ``scenes.things`` around the origin, as it is before it is set down; or a
    thing of a scene's own by its ``surfaces``."""
    about = {"thing": asset}
    parts = surfaces or unit_surfaces(asset)
    return to_glb(asset_name(asset), parts, extras={"spinetrack_synth": about})
