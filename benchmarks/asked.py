"""What options of benchmarks ask for."""

from __future__ import annotations

import argparse

from spinetrack_synth.avatars.cast import Cast


def asked_cast(about: str, people: int, seed: int) -> Cast:
    """The cast of ``--people`` and ``--seed``; ``people`` and ``seed`` where they are not given."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--people", type=int, default=people)
    parser.add_argument("--seed", type=int, default=seed)
    arguments = parser.parse_args()
    return Cast(arguments.seed, arguments.people)


def picture_size(text: str) -> tuple[int, int]:
    """Width and height of what is typed as 640x480."""
    width, height = text.split("x")
    return int(width), int(height)
