"""Nine spine points as one chain: each is looked for near its neighbours."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor, nn

from spinetrack_synth import skeleton

REACH: Final = 1 / 16
"""Deviation of a spine point's place from its neighbour's, in parts of the crop's height: the
widest gap of the model's spine (127 mm) in a standing person of 1.75 m is 0.06 of it."""

STRAY: Final = 0.002
"""How often a neighbour's place says nothing, since it is itself mistaken. Spines in order and
along the labelled trunk, of 182 people on photos on which both were chosen: .89 and .84 with 1/10
and .02, .91 and .87 with 1/16 and .02, .92 and .87 with these, .93 and .86 with 1/22 and .002."""


class SpineChain(nn.Module):
    """Heatmaps of 37 keypoints as logits (B, 37, h, w), those of the spine in the light of all
    nine: the marginals of a chain whose neighbours lie ``REACH`` from each other, whatever the
    direction (sum-product, Pearl 1982). It has no weights.

    What looks like a spine in two places (another person, a leg) otherwise takes some points to
    one, some to the other.
    """

    down: Tensor
    across: Tensor

    def __init__(self, cells_hw: tuple[int, int]) -> None:
        super().__init__()
        deviation = REACH * cells_hw[0]
        for name, cells in zip(("down", "across"), cells_hw):
            self.register_buffer(name, near(cells, deviation), persistent=False)

    def forward(self, heatmaps: Tensor) -> Tensor:
        own = heatmaps[:, list(skeleton.SPINE)]
        both_ways = torch.stack([own, own.flip(1)])  # (2, B, 9, h, w): from either end
        messages = [torch.zeros_like(both_ways[:, :, 0])]
        for place in range(own.shape[1] - 1):
            messages.append(self.message(both_ways[:, :, place] + messages[-1]))
        upwards, downwards = torch.stack(messages, dim=2)
        chained = own + upwards + downwards.flip(1)
        rows = dict(zip(skeleton.SPINE, chained.unbind(1)))
        return torch.stack(
            [rows.get(place, heatmaps[:, place]) for place in range(heatmaps.shape[1])], dim=1
        )

    def message(self, logits: Tensor) -> Tensor:
        """Where a neighbour is likely, as logits (..., h, w), of where a point is."""
        height, width = logits.shape[-2:]
        share = torch.softmax(logits.flatten(-2), dim=-1).view(logits.shape)
        spread = self.down @ share @ self.across
        return torch.log((1 - STRAY) * spread + STRAY / (height * width))


def near(cells: int, deviation: float) -> Tensor:
    """The density of a normal deviate between cells, as a symmetric matrix (cells, cells)."""
    away = torch.arange(cells)[:, None] - torch.arange(cells)
    return torch.exp(-(away / deviation).square() / 2) / (deviation * math.sqrt(2 * math.pi))
