"""MakeHuman community assets of the user's: clothes, hair and skins, read as they are written."""

from spinetrack_synth.community.folder import AssetFolder, read_folder, typed_folder
from spinetrack_synth.community.mhclo import HM08, Fit

__all__ = ["HM08", "AssetFolder", "Fit", "read_folder", "typed_folder"]
