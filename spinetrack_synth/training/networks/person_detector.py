"""MoveNet's finder of people: the middle, size and offset of boxes from the features of its trunk.

MoveNet multipose (Google Research 2021, published under Apache-2.0) is a CenterNet: a cell is as
likely a person's middle as its score says, and tells the box around it. This is the same
computation in torch without the heads of keypoints, and without its limit of six people.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from spinetrack_synth.training.networks.movenet import (
    PYRAMID,
    STRIDE,
    WHITE,
    WIDTHS,
    Conv,
    MoveNet,
    SeparableConv,
)

MOST: Final = 100
"""People that are answered at most."""

INSIDE: Final = 96
"""Channels of a head."""


class PersonDetector(MoveNet):
    """Pictures (B, 3, H, W), red, green and blue from 0 to 1, to rows (B, ``MOST``, 6): left, top,
    right and bottom in pixels, score from 0 to 1, and 0 for the class, the best first. Sides are
    multiples of 32 and make ``MOST`` cells or more."""

    def __init__(self, width: float = WIDTHS["multipose"]) -> None:
        super().__init__(width)
        del self.points  # of keypoints
        self.factor.fill_(255 / WHITE)
        self.shift.fill_(-1)
        self.middles, self.sizes, self.offsets = (_head(answers) for answers in (1, 2, 2))

    def forward(self, images: Tensor) -> Tensor:
        features = self.pyramid(self.encode(images))
        scores, cells = _peaks(torch.sigmoid(self.middles(features)))
        sizes_hw = _at(self.sizes(features), cells).clamp(min=0)
        across = features.shape[3]
        corner = torch.stack([torch.div(cells, across, rounding_mode="floor"), cells % across], 2)
        middles_yx = corner + _at(self.offsets(features), cells)
        low, high = middles_yx - sizes_hw / 2, middles_yx + sizes_hw / 2
        boxes = STRIDE * torch.cat([low.flip(2), high.flip(2)], dim=2)
        return torch.cat([boxes, scores[..., None], torch.zeros_like(scores)[..., None]], dim=2)


def _head(answers: int) -> nn.Sequential:
    return nn.Sequential(SeparableConv(PYRAMID[-1][2], INSIDE), Conv(INSIDE, answers, 1))


def _peaks(heat: Tensor) -> tuple[Tensor, Tensor]:
    """Scores and cells (B, ``MOST``) of the highest cells of (B, 1, h, w) that have none higher
    beside them."""
    highest = nn.functional.max_pool2d(heat, 3, stride=1, padding=1)
    peaks = heat * (heat == highest).to(heat.dtype)
    scores, cells = peaks.flatten(1).topk(MOST)
    return scores, cells


def _at(answers: Tensor, cells: Tensor) -> Tensor:
    """What maps (B, C, h, w) answer at cells (B, P): (B, P, C)."""
    flat = answers.flatten(2).transpose(1, 2)
    return flat.gather(1, cells[..., None].expand(-1, -1, flat.shape[2]))
