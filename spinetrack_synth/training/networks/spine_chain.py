"""Nine spine points as one chain: each is looked for where its neighbours and their course say."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor, nn

from spinetrack_synth import skeleton

COURSES: Final = 8
"""Directions in which a spine goes on that are told apart."""

STEP: Final = 0.035
SPREAD: Final = 0.02
"""How far along its course the next spine point lies, and the deviation from there, in parts of the
crop's height: gaps of the model's spine are 30 to 127 mm long, which in a standing person of 1.75 m
is .014 to .06 of it."""

STRAIGHTNESS: Final = 5.0
"""Concentration of a gap's course about that of the gap before (von Mises): of eight courses 60 %
go on, 19 % turn to either side."""

STRAY: Final = 0.002
"""How often a neighbour says nothing, since it is itself mistaken."""

NOTHING: Final = 1e-12
"""Probabilities below count as this: arithmetic of subnormal numbers is ten times as slow."""

ROWS: Final = 24
"""Rows that are enough to say where a neighbour lies: of twice as many, two are taken as one."""


class SpineChain(nn.Module):
    """Heatmaps of 37 keypoints as logits (B, 37, h, w), those of the spine in the light of all
    nine: the marginals of a chain of points, each a step from the one before, whose courses follow
    each other (sum-product, Pearl 1982). It has no weights.

    What looks like a spine in two places (another person, a leg) otherwise takes some points to
    one, some to the other; and on a bare back neighbours change places.
    """

    down: Tensor
    across: Tensor
    turns: Tensor

    def __init__(self, cells_hw: tuple[int, int]) -> None:
        super().__init__()
        self.coarser = 2 if cells_hw[0] >= 2 * ROWS else 1
        height, width = (cells // self.coarser for cells in cells_hw)
        course = 2 * math.pi * torch.arange(COURSES) / COURSES
        step, deviation = STEP * height, SPREAD * height
        down = ahead(height, step * torch.sin(course), deviation)
        across = ahead(width, step * torch.cos(course), deviation).mT.contiguous()
        turns = torch.exp(STRAIGHTNESS * torch.cos(course[:, None] - course))
        self.register_buffer("down", down, persistent=False)
        self.register_buffer("across", across, persistent=False)
        self.register_buffer("turns", turns / turns.sum(dim=0), persistent=False)

    def forward(self, heatmaps: Tensor) -> Tensor:
        own = heatmaps[:, list(skeleton.SPINE)]
        share = torch.softmax(own.flatten(2), dim=-1).view(own.shape).clamp_min(NOTHING)
        if self.coarser > 1:
            share = nn.functional.avg_pool2d(share, self.coarser)
        people = share.shape[0]
        told = self.told(torch.cat([share, share.flip(1)]))  # from either end
        upwards, downwards = told[..., :people, :], told[..., people:, :]
        against = downwards.flip(0).roll(COURSES // 2, dims=1)  # from above: the opposite course
        likely = (self.turned(upwards) * against).sum(dim=1)
        neighbours = torch.log(likely).permute(2, 0, 1, 3)
        if self.coarser > 1:
            neighbours = nn.functional.interpolate(
                neighbours, scale_factor=float(self.coarser), mode="bilinear"
            )
        rows = dict(zip(skeleton.SPINE, (own + neighbours).unbind(1)))
        return torch.stack(
            [rows.get(place, heatmaps[:, place]) for place in range(heatmaps.shape[1])], dim=1
        )

    def told(self, share: Tensor) -> Tensor:
        """What each of nine points with probabilities (P, 9, h, w) hears from those before it:
        where it is, and by which course it was reached, as (9, courses, h, P, w)."""
        people, _, height, width = share.shape
        every = COURSES * height * width
        messages = [share.new_full((COURSES, height, people, width), 1 / every)]
        for place in share.permute(1, 2, 0, 3)[:-1]:
            going = self.turned(place * messages[-1])
            going = going / going.sum(dim=(0, 1, 3), keepdim=True)
            gone = (self.down @ going.flatten(2)).view(COURSES, height * people, width)
            gone = (gone @ self.across).view(going.shape)
            messages.append((1 - STRAY) * gone + STRAY / every)
        return torch.stack(messages)

    def turned(self, courses: Tensor) -> Tensor:
        """Probabilities (..., courses, h, P, w) of the course of the next gap."""
        return (self.turns @ courses.flatten(-3)).view(courses.shape)


def ahead(cells: int, steps: Tensor, deviation: float) -> Tensor:
    """Densities of normal deviates about cells that lie ``steps`` (S,) on, as matrices
    (S, to, from)."""
    away = torch.arange(cells)[:, None] - torch.arange(cells) - steps[:, None, None]
    density = torch.exp(-(away / deviation).square() / 2) / (deviation * math.sqrt(2 * math.pi))
    return torch.where(density < NOTHING, 0, density)
