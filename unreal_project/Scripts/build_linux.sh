#!/bin/sh
# Compiles, cooks and packages the project for Linux into Packaged/.
#   UE_ROOT=/path/to/UnrealEngine Scripts/build_linux.sh
set -eu

project=$(cd "$(dirname "$0")/.." && pwd)
"$project/Scripts/check.sh"
[ -e "$project/Content/SpineTrack/Stage.umap" ] || {
	echo "no assets yet: run Scripts/import_assets.sh first" >&2
	exit 2
}

exec "$UE_ROOT/Engine/Build/BatchFiles/RunUAT.sh" BuildCookRun \
	-project="$project/SpineTrackSynth.uproject" -platform=Linux -clientconfig=Development \
	-build -cook -allmaps -stage -pak -archive -archivedirectory="$project/Packaged" -noP4 -utf8output
