"""Which GPU of this machine a process of ours draws on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
"""Environment variable by which CUDA shows a process some of the GPUs, the first of which is
drawn on."""

DEVICES: Final = Path("/dev")
"""Where the NVIDIA driver of Linux has a file ``nvidia0`` for each GPU, a container those that it
was given."""


def visible_gpus() -> tuple[str, ...]:
    """The GPUs that this process may use, as ``CUDA_VISIBLE_DEVICES`` names them; none where that
    cannot be known without starting CUDA."""
    named = os.environ.get(VISIBLE)
    if named is None:
        return tuple(map(str, range(len(list(DEVICES.glob("nvidia[0-9]*"))))))
    gpus: list[str] = []
    for gpu in map(str.strip, named.split(",")):
        if gpu in ("", "-1"):  # CUDA stops at the first that is none
            break
        gpus.append(gpu)
    return tuple(gpus)


def gpu_of_process(number: int) -> dict[str, str]:
    """The environment variables that give processes, numbered from 0, the visible GPUs in turn."""
    gpus = visible_gpus()
    return {VISIBLE: gpus[number % len(gpus)]} if len(gpus) > 1 else {}
