"""UnrealCV's commands that are not offered here, and why."""

from __future__ import annotations

from typing import Final

_EXPOSURE = "the exposure is metered from the picture; vset /lights has a factor on it"
_ENGINE = "it sets what only the engine's renderer has"
_FLAT = "all cameras here are perspective"
_BLUEPRINTS = "there are no blueprints here"
_ASSETS = "names and materials are those of the assets"
_OLD = "it is of UnrealCV before 1.0"

UNSUPPORTED: Final[dict[str, str]] = {
    "vbp": _BLUEPRINTS,
    "vexec": _BLUEPRINTS,
    "vget /persistent_level/id": _BLUEPRINTS,
    "vget /persistent_level/level_script_actor/id": _BLUEPRINTS,
    "vset /camera/[uint]/moveto": "nothing blocks a camera here; vset /camera/ID/location moves it",
    "vset /camera/[uint]/projection_type": _FLAT,
    "vset /camera/[uint]/ortho_width": _FLAT,
    "vget /camera/[uint]/optical_flow": "nothing moves by itself here",
    "vset /camera/[uint]/exposure_method": _EXPOSURE,
    "vset /camera/[uint]/exposure_bias": _EXPOSURE,
    "vset /camera/[uint]/auto_speed": _EXPOSURE,
    "vset /camera/[uint]/auto_brightness": _EXPOSURE,
    "vset /camera/[uint]/physical_exposure": _EXPOSURE,
    "vset /camera/[uint]/motion_blur": _ENGINE,
    "vset /camera/[uint]/focal": _ENGINE,
    "vset /camera/[uint]/lit_source": _ENGINE,
    "vset /camera/[uint]/illumination": _ENGINE,
    "vset /camera/[uint]/reflection": _ENGINE,
    "vget /object/[str]/label": _ASSETS,
    "vset /object/[str]/label": _ASSETS,
    "vget /object/[str]/material": _ASSETS,
    "vset /object/[str]/material": _ASSETS,
    "vset /action/game/level": "vset /place changes the surroundings",
    "vset /action/keyboard": "there is no player here",
    "vset /action/eyes_distance": "there is no stereo here",
    "vget /actor/location": _OLD,
    "vget /actor/rotation": _OLD,
    "vget /object/[str]/name": _OLD,
    "vget /camera/[uint]/screenshot": _OLD,
    "vget /camera/[uint]/plane_depth": _OLD,
    "vget /camera/[uint]/vis_depth": _OLD,
    "vget /camera/[uint]/lit_depth_normal": _OLD,
    "vget /camera/[uint]/proj_matrix": _OLD,
    "vget /camera/[uint]/horizontal_fieldofview": _OLD,
    "vset /camera/[uint]/horizontal_fieldofview": _OLD,
}
"""Template without its arguments -> why it is not there.

With those that are offered these are all of UnrealCV's branches 5.2 (ec12043), 4.27-stable and
develop (01ff536).
"""
