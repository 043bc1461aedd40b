"""What a pipeline file holds, typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

STATE: Final = ".pipeline"
"""The folder in a pipeline's output folder that holds what is known of its steps."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class StepConfig:
    """A step: the command to ``run``, as it is typed behind ``spinetrack-synth``.

    ``outputs`` are the files and folders that it writes. What else its arguments name it reads;
    ``inputs`` is what it reads besides, because a configuration file or a list in an argument names
    it. Names are taken from the output folder. ``after`` are steps that have to go well before.
    """

    run: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class PipelineConfig:
    """The steps by name, and ``files``: what lies elsewhere, by the name that it is to have in the
    output folder."""

    steps: Mapping[str, StepConfig]
    files: Mapping[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.steps:
            raise ValueError("steps: none; write [steps.NAME] with a command to run")
        for name in self.steps:
            if not _NAME.fullmatch(name):
                raise ValueError(f"steps: {name!r} is no name; letters, digits, . _ - make one")
