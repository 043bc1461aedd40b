#!/bin/sh
# Compiles, cooks and packages the project for Linux into Packaged/.
#   UE_ROOT=/path/to/UnrealEngine Scripts/build_linux.sh
set -eu

project=$(cd "$(dirname "$0")/.." && pwd)
: "${UE_ROOT:?set UE_ROOT to the folder that holds Engine/}"
[ -x "$UE_ROOT/Engine/Build/BatchFiles/RunUAT.sh" ] || {
	echo "$UE_ROOT: no Engine/Build/BatchFiles/RunUAT.sh; set UE_ROOT to an engine built or installed for Linux" >&2
	exit 2
}
[ -e "$project/Plugins/UnrealCV/UnrealCV.uplugin" ] || {
	echo "$project/Plugins/UnrealCV is missing: clone UnrealCV there (see README.md)" >&2
	exit 2
}
[ -e "$project/Content/SpineTrack/Stage.umap" ] || {
	echo "no assets yet: run Scripts/import_assets.sh first" >&2
	exit 2
}

exec "$UE_ROOT/Engine/Build/BatchFiles/RunUAT.sh" BuildCookRun \
	-project="$project/SpineTrackSynth.uproject" -platform=Linux -clientconfig=Development \
	-build -cook -allmaps -stage -pak -archive -archivedirectory="$project/Packaged" -noP4 -utf8output
