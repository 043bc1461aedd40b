"""Networks by name, and how fast their parts learn."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from torch import Tensor, nn

from spinetrack_synth import skeleton
from spinetrack_synth.errors import UserError
from spinetrack_synth.training.networks.rtmcc import SIZES, SpinePose
from spinetrack_synth.training.networks.small import Small

INPUT_HW: Final = (256, 192)
"""Height and width of a crop in pixels, of all published networks but x (384x288)."""

MULTIPLE: Final = 32
"""Sides of a crop are multiples of this, the stride of the deepest features."""

NETWORKS: Final[dict[str, Callable[[int, tuple[int, int]], nn.Module]]] = {
    **{f"spinepose-{size}": partial(SpinePose, size) for size in SIZES},
    "small": partial(Small, "lightning"),
    "small-thunder": partial(Small, "thunder"),
    "small-lite0": partial(Small, "lite0"),
}

BACKBONE_RATE: Final = 0.2
"""The backbone's learning rate over the head's: what it knows is kept while the head finds its way
(the prototype's figure for MoveNet's trunk)."""


def build(
    name: str,
    *,
    keypoints: int = len(skeleton.NAMES),
    input_hw: tuple[int, int] = INPUT_HW,
) -> nn.Module:
    """A network of random weights: spinepose-s, -m, -l or -x, small (MoveNet lightning's trunk),
    small-thunder or small-lite0 (EfficientNet-Lite0's).

    It takes crops (B, 3, H, W), normalised by ``crops.IMAGENET``, and answers logits over bins of
    half a pixel, (B, K, 2W) and (B, K, 2H); its ``scores`` leads from them to what exported files
    answer. Raises UserError for another name and for sides that are no multiples of 32.
    """
    if name not in NETWORKS:
        raise UserError(f"network {name!r}: expected one of {', '.join(NETWORKS)}")
    if min(input_hw) < MULTIPLE or any(side % MULTIPLE for side in input_hw):
        height, width = input_hw
        raise UserError(
            f"input {height}x{width} (height x width): sides are multiples of {MULTIPLE} pixels"
        )
    return NETWORKS[name](keypoints, input_hw)


def parameter_groups(
    net: nn.Module, lr: float, *, backbone_rate: float = BACKBONE_RATE
) -> list[dict[str, Any]]:
    """The parameters for a torch optimizer: the head learns at ``lr``, the backbone at a share of
    it, with a ``backbone_rate`` of 0 nothing any more; norms, biases and learnt scales are not
    decayed. Groups that would be empty are left out."""
    groups: list[dict[str, Any]] = []
    if backbone_rate == 0:
        for name, parameter in net.named_parameters():
            parameter.requires_grad_(not name.startswith("backbone."))
    for backbone, rate in ((True, lr * backbone_rate), (False, lr)):
        for decays in (True, False):
            chosen = [
                parameter
                for name, parameter in net.named_parameters()
                if name.startswith("backbone.") is backbone
                and _decays(name, parameter) is decays
                and parameter.requires_grad
            ]
            if chosen:
                kept = {} if decays else {"weight_decay": 0.0}
                groups.append({"params": chosen, "lr": rate} | kept)
    return groups


def _decays(name: str, parameter: Tensor) -> bool:
    """Whether weight decay acts on it. ``gamma`` and ``beta`` are scales and shifts in pairs."""
    return parameter.ndim > 1 and not name.endswith((".gamma", ".beta"))
