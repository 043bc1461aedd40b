#!/bin/sh
# Compiles the editor module and imports what lies in Exported/, without opening a window.
#   UE_ROOT=/path/to/UnrealEngine Scripts/import_assets.sh [--only avatars|places|things]
set -eu

project=$(cd "$(dirname "$0")/.." && pwd)
"$project/Scripts/check.sh"
[ -d "$project/Exported/avatars" ] || {
	echo "nothing exported: spinetrack-synth avatars export --scenes yoga --seed 7 --out $project/Exported" >&2
	exit 2
}

"$UE_ROOT/Engine/Build/BatchFiles/Linux/Build.sh" SpineTrackSynthEditor Linux Development \
	-project="$project/SpineTrackSynth.uproject" -waitmutex
exec "$UE_ROOT/Engine/Binaries/Linux/UnrealEditor-Cmd" "$project/SpineTrackSynth.uproject" \
	-ExecutePythonScript="$project/Content/Python/spinetrack_import.py $*" \
	-ScriptErrorsAreFatal -RenderOffscreen -unattended -nosplash -nosound -stdout -FullStdOutLogOutput
