"""All that a run needs to go on: written whole, read back to the same weights."""

from __future__ import annotations

import io
import math
import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.errors import UserError


@dataclass(frozen=True)
class Standing:
    """How far a run has come: ``step`` steps are done, ``judged`` is the step of the last
    judgement, ``best`` the highest value of the watched figure, which ``best_step`` reached,
    ``waited`` judgements ago.

    With the tensors nothing else is needed: batch, random numbers and learning rate of a step come
    from the seed and its number.
    """

    step: int = 0
    judged: int = 0
    best: float | None = None
    best_step: int = 0
    waited: int = 0

    def after_judgement(self, watched: float | None) -> Standing:
        """As it is once the network of this step was judged."""
        if watched is not None and math.isnan(watched):
            watched = -math.inf
        if watched is None or self.best is None or watched > self.best:
            return Standing(self.step, self.step, watched, self.step, 0)
        return Standing(self.step, self.step, self.best, self.best_step, self.waited + 1)


def write_state(path: Path, standing: Standing, tensors: Mapping[str, Any], data: str) -> None:
    """Write a state; at any moment the file is the old one or this one. ``data`` says of what the
    batches are made."""
    buffer = io.BytesIO()
    torch.save({"standing": asdict(standing), "tensors": dict(tensors), "data": data}, buffer)
    write_atomic(path, buffer.getvalue(), durable=True)


def read_state(path: Path, data: str) -> tuple[Standing, dict[str, Any]] | None:
    """The state of a run; None where there is none. Raises UserError where it is damaged, or its
    batches were made of something else."""
    if not path.exists():
        return None
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
        standing, tensors, was = Standing(**held["standing"]), held["tensors"], held["data"]
    except (OSError, RuntimeError, EOFError, TypeError, KeyError, pickle.UnpicklingError) as error:
        raise UserError(
            f"{path}: is damaged, or of another version; delete it to begin the run anew"
        ) from error
    if was != data:
        raise UserError(
            f"{path}: the pictures or labels of the sources have changed since the run was begun; "
            "give another --out"
        )
    return standing, tensors
