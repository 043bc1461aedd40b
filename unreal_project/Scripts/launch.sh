#!/bin/sh
# Starts the packaged project without a window; UnrealCV listens on the port.
#   Scripts/launch.sh [PORT]    (9000 where none is given; one port for each instance)
set -eu

project=$(cd "$(dirname "$0")/.." && pwd)
binary="$project/Packaged/Linux/SpineTrackSynth/Binaries/Linux/SpineTrackSynth"
[ -x "$binary" ] || {
	echo "$binary is missing: run Scripts/build_linux.sh" >&2
	exit 2
}
[ "$(id -u)" -ne 0 ] || {
	echo "Unreal Engine does not run as root: start it as another user" >&2
	exit 2
}

# UnrealCV reads its flags without an equals sign.
exec "$binary" SpineTrackSynth -RenderOffscreen -vulkan -cvport "${1:-9000}" \
	-unattended -nosound -nosplash -windowed -ResX=640 -ResY=480 -stdout
