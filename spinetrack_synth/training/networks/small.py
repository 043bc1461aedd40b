"""The small network: MoveNet's trunk, a heatmap a keypoint at stride 4, answered as SimCC."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor, nn

from spinetrack_synth.training.networks.movenet import FEATURES, STRIDE, WIDTHS, MoveNet, Variant

BINS: Final = 2
"""Bins a pixel, as SimCC networks of the field have them."""

SHARPNESS: Final = 2.0
"""What logits of MoveNet's heatmaps, which were trained cell by cell with a sigmoid, are multiplied
by to make one distribution over all cells: at 1 the many cells without the keypoint weigh too much
(mean OKS of 300 people: .687 at 1, .701 at 2, .706 at 3; its own heads together: .695)."""

TOLERANCE_PX: Final = 5.0
"""How far off a keypoint counts .61 in the scores of exported files. Narrow enough for 16 bits to
tell neighbouring bins apart, wide enough that a sure network scores about .9."""


class Small(nn.Module):
    """MoveNet's trunk with a 1x1 convolution for ``keypoints`` heatmaps.

    ``forward`` takes crops (B, 3, H, W), normalised by ImageNet's mean and deviation, and answers
    logits over bins of half a pixel, (B, K, 2W) and (B, K, 2H). A heatmap is a distribution over
    cells (softmax); its marginals are those over columns and rows. Their logarithms at the cells'
    middles are joined by a cubic that keeps parabolas: a Gaussian's logarithm is one, so that its
    top is found wherever it lies within a cell.
    """

    columns: Tensor
    rows: Tensor
    tolerance: Tensor

    def __init__(self, variant: Variant, keypoints: int, input_hw: tuple[int, int]) -> None:
        super().__init__()
        self.variant: Variant = variant
        height, width = input_hw
        self.backbone = MoveNet(WIDTHS[variant])
        self.head = nn.Conv2d(FEATURES, keypoints, 1)
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]
        self.register_buffer("columns", between_cells(width // STRIDE), persistent=False)
        self.register_buffer("rows", between_cells(height // STRIDE), persistent=False)
        self.register_buffer("tolerance", _tolerance(), persistent=False)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return self.simcc(SHARPNESS * self.head(self.backbone(images)).float())

    def simcc(self, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        """Logits over cells (B, K, H / 4, W / 4) as logits over bins of columns and rows."""
        return heatmaps.logsumexp(dim=2) @ self.columns, heatmaps.logsumexp(dim=3) @ self.rows

    def scores(self, logits: Tensor) -> Tensor:
        """What an exported file answers for logits (B, K, bins) of one axis: how near the keypoint
        is to each bin by the network's own distribution, from 0 to 1.

        It is the expectation of ``exp(-d^2 / 2 TOLERANCE_PX^2)``, an OKS of one axis, so that the
        highest bin is the best bet, also for the mean over a crop and its mirror image, and its
        height tells how sure the network is.
        """
        share = torch.softmax(logits, dim=-1).flatten(0, 1).unsqueeze(1)
        near = nn.functional.conv1d(share, self.tolerance, padding=self.tolerance.shape[-1] // 2)
        return near.view(logits.shape)


def between_cells(cells: int) -> Tensor:
    """Values at the middles of cells to values at bins, as a matrix (cells, bins).

    Cell i covers the pixels ``STRIDE i`` to ``STRIDE i + STRIDE - 1``. Cubic convolution (Keys
    1981, a = -1/2), which reproduces parabolas; at the borders the outermost parabola goes on.
    """
    bins = torch.arange(cells * STRIDE * BINS, dtype=torch.float64)
    place = (bins / BINS - (STRIDE - 1) / 2) / STRIDE
    first = place.floor()
    taps = torch.zeros(cells + 4, len(bins), dtype=torch.float64)
    for step, weight in enumerate(_keys(place - first), start=1):
        taps[first.long() + step, torch.arange(len(bins))] = weight
    extended = torch.zeros(cells + 4, cells, dtype=torch.float64)  # two more at either end
    extended[2:-2] = torch.eye(cells)
    beyond = torch.tensor([[6.0, -8.0, 3.0], [3.0, -3.0, 1.0]])
    extended[:2, :3] = beyond
    extended[-2:, -3:] = beyond.flip(0, 1)
    return (extended.T @ taps).float()


def _keys(away: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Weights of the four cells around a place ``away`` from the second of them."""
    square, cube = away**2, away**3
    return (
        (-away + 2 * square - cube) / 2,
        (2 - 5 * square + 3 * cube) / 2,
        (away + 4 * square - 3 * cube) / 2,
        (-square + cube) / 2,
    )


def _tolerance() -> Tensor:
    """``exp(-d^2 / 2 TOLERANCE_PX^2)`` by bins, (1, 1, odd)."""
    reach = math.ceil(3 * TOLERANCE_PX * BINS)
    pixels = torch.arange(-reach, reach + 1) / BINS
    return torch.exp(-(pixels**2) / (2 * TOLERANCE_PX**2)).view(1, 1, -1)
