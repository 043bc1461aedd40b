"""SimCC answers as distributions: what labels ask for, how far an answer is off, and its mean.

A network answers logits ``(x (B, K, 2W), y (B, K, 2H))``; their softmax over the bins is the
distribution. Bin b is the coordinate b / 2 in pixels of the crop, integers being pixel centres, as
in ``spinepose.simcc``. All is computed in 32-bit floats, whatever the network's precision.
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor

from spinetrack_synth.spinepose.simcc import SPLIT

Logits = tuple[Tensor, Tensor]
"""Over columns (B, K, 2W) and over rows (B, K, 2H)."""

SHARPNESS: Final = 10.0
"""Labels are softmax(10 g) of a Gaussian g of height 1 (``beta`` of mmpose's ``KLDiscretLoss``)."""

NEIGHBOURHOOD: Final = 3.0
"""Widths to each side of the highest bin over which a mean is taken."""


def gaussian_width(side_px: int) -> float:
    """Deviation in bins of a label's Gaussian along a side of the crop: 4.9 for 192 pixels, 5.66
    for 256, 6 for 288, 6.93 for 384 (``sigma`` of mmpose's RTMPose configurations)."""
    return math.sqrt(side_px / 8)


def crop_size(logits: Logits) -> tuple[int, int]:
    """Width and height in pixels of the crops that logits are about."""
    return round(logits[0].shape[-1] / SPLIT), round(logits[1].shape[-1] / SPLIT)


def label_logits(points: Tensor, width_px: int, height_px: int) -> Logits:
    """Logits of the distributions that labels (B, K, 2) in pixels of the crop ask for."""
    return (
        _axis_logits(points[..., 0].float(), width_px),
        _axis_logits(points[..., 1].float(), height_px),
    )


def label_heatmaps(
    points: Tensor, width_px: int, height_px: int, cells_hw: tuple[int, int]
) -> Tensor:
    """The same over the cells of a heatmap, (B, K, h, w): the label of the column that a cell's
    middle lies in, and that of its row."""
    rows, columns = cells_hw
    across = _axis_logits(points[..., 0].float(), width_px, columns)
    along = _axis_logits(points[..., 1].float(), height_px, rows)
    return along[..., :, None] + across[..., None, :]


def inside(points: Tensor, width_px: int, height_px: int) -> Tensor:
    """Which points (B, K, 2) lie on a pixel of the crop (B, K); nan lies on none."""
    last = points.new_tensor([width_px, height_px]) - 0.5
    return ((points >= -0.5) & (points <= last)).all(-1)


def divergence(answer: Logits, target: Logits, temperature: float = 1.0) -> Tensor:
    """Kullback-Leibler divergence (B, K) in nats of the target from the answer, both axes together.

    Both are softened by ``temperature``; the result is scaled by its square, which keeps gradients
    as large as they were (Hinton et al. 2015).
    """
    total = answer[0].new_zeros(answer[0].shape[:2], dtype=torch.float32)
    for given, wanted in zip(answer, target):
        log_answer = (given.float() / temperature).log_softmax(-1)
        log_target = (wanted.float() / temperature).log_softmax(-1)
        total = total + (log_target.exp() * (log_target - log_answer)).sum(-1)
    return total * temperature**2


def expected_points(logits: Logits) -> Tensor:
    """Mean (B, K, 2) of each distribution around its highest bin, in pixels of the crop.

    The mean over all bins would be drawn to the middle of the crop by what little lies everywhere,
    and fall between two places where an answer hesitates. Differentiable but for the choice of the
    highest bin.
    """
    return torch.stack([_expected(axis.float()) for axis in logits], dim=-1)


def sureness(logits: Logits) -> Tensor:
    """How sure an answer is (B, K): what lies within a label's width of its highest bin, of the
    less sure axis. Labels themselves reach .97 and more."""
    near = []
    for axis in logits:
        width = gaussian_width(round(axis.shape[-1] / SPLIT))
        bins = torch.arange(axis.shape[-1], device=axis.device)
        around = (bins - axis.argmax(-1, keepdim=True)).abs() <= width
        near.append((axis.float().softmax(-1) * around).sum(-1))
    return torch.minimum(*near)


def _axis_logits(places_px: Tensor, side_px: int, cells: int | None = None) -> Tensor:
    """At the bins of a side, or at the middles of so many ``cells`` that divide it."""
    bins = torch.arange(
        cells or round(SPLIT * side_px), device=places_px.device, dtype=torch.float32
    )
    if cells:
        bins = SPLIT * ((bins + 0.5) * side_px / cells - 0.5)
    away = (bins - SPLIT * places_px.nan_to_num()[..., None]) / gaussian_width(side_px)
    return SHARPNESS * torch.exp(-0.5 * away.square())


def _expected(axis: Tensor) -> Tensor:
    bins = torch.arange(axis.shape[-1], device=axis.device, dtype=torch.float32)
    reach = NEIGHBOURHOOD * gaussian_width(round(axis.shape[-1] / SPLIT))
    far = (bins - axis.argmax(-1, keepdim=True)).abs() > reach
    near = axis.masked_fill(far, -torch.inf).softmax(-1)
    return (near * bins).sum(-1) / SPLIT
