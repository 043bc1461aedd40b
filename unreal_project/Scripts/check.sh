#!/bin/sh
# Says what is missing or too old before anything is compiled: the engine, UnrealCV.
#   UE_ROOT=/path/to/UnrealEngine Scripts/check.sh
set -eu

project=$(cd "$(dirname "$0")/.." && pwd)
: "${UE_ROOT:?set UE_ROOT to the folder that holds Engine/}"
unrealcv="$project/Plugins/UnrealCV"
tell() {
	echo "$1" >&2
	exit 2
}

build="$UE_ROOT/Engine/Build/Build.version"
[ -r "$build" ] || tell "$UE_ROOT: no Engine/Build/Build.version; set UE_ROOT to an engine built or installed for Linux"
major=$(sed -n 's/.*"MajorVersion": *\([0-9]*\).*/\1/p' "$build")
minor=$(sed -n 's/.*"MinorVersion": *\([0-9]*\).*/\1/p' "$build")
[ $((${major:-0} * 100 + ${minor:-0})) -ge 504 ] ||
	tell "$UE_ROOT is Unreal Engine ${major:-?}.${minor:-?}: 5.4 or newer is needed"

[ -e "$unrealcv/UnrealCV.uplugin" ] ||
	tell "$unrealcv is missing: clone UnrealCV there (see README.md)"
# The project's module calls this; UnrealCV has it since March 2026.
grep -qs GetCommandDispatcher "$unrealcv/Source/UnrealCV/Public/Server/UnrealcvServer.h" ||
	tell "$unrealcv is too old to compile with: check out v1.1.2 (see README.md)"
version=$(sed -n 's/.*"VersionName": *"\([^"]*\)".*/\1/p' "$unrealcv/UnrealCV.uplugin")
case $version in
0.* | 1.0*) echo "note: UnrealCV $version does not list its commands and tells no bones; 1.1 does (see README.md)" ;;
esac
echo "Unreal Engine $major.$minor, UnrealCV $version"
