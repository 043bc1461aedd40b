"""What a network takes: the layout, type and size of the one picture that goes in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.errors import UserError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

TYPES: Final = {
    "tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8, "tensor(int32)": np.int32, "tensor(int64)": np.int64,
}  # fmt: skip
"""Types of pictures. Whole numbers are colours from 0 to 255, whatever the network."""


@dataclass(frozen=True)
class NetworkInput:
    """One input (N, 3, H, W), or (N, H, W, 3) where the channels are last.

    ``batch`` is the number of pictures at a time, None where it takes any number. ``size_hw`` holds
    None where a side is free.
    """

    name: str
    size_hw: tuple[int | None, int | None]
    batch: int | None
    channels_last: bool
    dtype: Any

    @property
    def whole_numbers(self) -> bool:
        """Whether it wants colours as they are in a file."""
        return bool(np.issubdtype(self.dtype, np.integer))

    def feed(self, planes: NDArray[np.float32]) -> NDArray[np.generic]:
        """Pictures (N, 3, H, W) as the network wants them."""
        if self.whole_numbers:
            planes = np.rint(planes)
        if self.channels_last:
            planes = np.ascontiguousarray(planes.transpose(0, 2, 3, 1))
        return planes.astype(self.dtype, copy=False)


def read_input(path: Path, session: InferenceSession, expected: str) -> NetworkInput:
    """The input of a network; raises UserError where it takes no picture. ``expected`` ends the
    sentence."""
    nodes = session.get_inputs()
    shape = list(nodes[0].shape) if nodes else []
    described = f"{path}: the input is {_described(nodes)}, expected {expected}"
    if len(nodes) != 1 or len(shape) != 4:
        raise UserError(described)
    sides = [side if isinstance(side, int) and side > 0 else None for side in shape]
    if sides[1] == 3 or (sides[1] is None and sides[3] != 3):
        channels_last, height, width = False, sides[2], sides[3]
    elif sides[3] == 3:
        channels_last, height, width = True, sides[1], sides[2]
    else:
        raise UserError(described)
    if nodes[0].type not in TYPES:
        kinds = ", ".join(TYPES)
        raise UserError(f"{described} of one of the types {kinds}")
    return NetworkInput(
        nodes[0].name, (height, width), sides[0], channels_last, TYPES[nodes[0].type]
    )


def named_shapes(answers: Mapping[str, NDArray[np.generic]]) -> str:
    """What a network answers, for messages."""
    return ", ".join(f"{name} {np.shape(answer)}" for name, answer in answers.items())


def _described(nodes: Sequence[Any]) -> str:
    return ", ".join(f"{node.name} {node.shape} {node.type}" for node in nodes) or "missing"
