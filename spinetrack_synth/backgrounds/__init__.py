"""The user's own backgrounds: photographs and environment maps, and their light."""

from spinetrack_synth.backgrounds.ground import open_ground
from spinetrack_synth.backgrounds.mix import Backgrounds, as_seen_before, read_backgrounds

__all__ = ["Backgrounds", "as_seen_before", "open_ground", "read_backgrounds"]
