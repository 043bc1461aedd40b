"""The user's own backgrounds: photographs, environment maps, and the light that comes of them."""

from spinetrack_synth.backgrounds.ground import open_ground
from spinetrack_synth.backgrounds.mix import Backgrounds, as_seen_before, read_backgrounds

__all__ = ["Backgrounds", "as_seen_before", "open_ground", "read_backgrounds"]
