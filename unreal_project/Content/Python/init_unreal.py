"""The editor runs this when it opens the project: it says what is missing, and what to do."""

from __future__ import annotations

import spinetrack_check
import unreal

spinetrack_check.main()
if not unreal.EditorAssetLibrary.does_asset_exist("/Game/SpineTrack/Stage"):
    unreal.log_warning(
        "SpineTrackSynth: no assets yet. Run `spinetrack-synth avatars export --scenes yoga "
        "--seed 7 --out Exported` in the project's folder, then `py spinetrack_import.py` here."
    )
