#!/bin/sh
# Installs the system libraries that pip cannot bring, where it may: on Debian and Ubuntu as root.
# Elsewhere it says in one line how to get them and goes on: without LLVM pictures are drawn by
# Mitsuba's scalar variant, only slower.
set -u

missing=""
need() { # need PACKAGE LIBRARY: is the shared library known to the loader?
    ldconfig -p 2>/dev/null | grep -q "$2" || missing="$missing $1"
}
# Mitsuba's llvm variant needs LLVM 19 or newer (15 and 16 abort the process).
ldconfig -p 2>/dev/null | grep -Eq 'libLLVM(-19|\.so\.19|-2[0-9]|\.so\.2[0-9])' || missing="$missing libllvm19"
need libgl1 libGL.so.1             # opencv-python opens windows
need libglib2.0-0 libgthread-2.0   # opencv-python
"${PYTHON:-python3}" -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"

[ -z "$missing" ] && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    echo "Installing system libraries:$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq && for package in $missing; do
        apt-get install -y -qq --no-install-recommends "$package" >/dev/null ||
            echo "Could not install $package; going on without it."
    done
else
    echo "Missing system libraries:$missing (Debian, Ubuntu: sudo apt-get install$missing); going on without them."
fi
exit 0
