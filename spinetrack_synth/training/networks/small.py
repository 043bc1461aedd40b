"""The small networks: a trunk, a pyramid, a heatmap a keypoint at stride 4, answered as SimCC."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal

import torch
from torch import Tensor, nn

from spinetrack_synth import skeleton
from spinetrack_synth.spinepose.crops import PADDING
from spinetrack_synth.spinepose.simcc import SPLIT
from spinetrack_synth.training.distributions import gaussian_width
from spinetrack_synth.training.networks.efficientnet_lite import EfficientNetLite0
from spinetrack_synth.training.networks.movenet import (
    FEATURES,
    STRIDE,
    WIDTHS,
    Conv,
    MoveNet,
    SeparableConv,
    Variant,
    twice,
)
from spinetrack_synth.training.networks.spine_chain import SpineChain

Trunk = Variant | Literal["lite0"]
"""MoveNet's, which knows poses, or EfficientNet-Lite0's, which knows ImageNet."""

SHARPNESS: Final = 2.0
"""What logits of MoveNet's heatmaps, which were trained cell by cell with a sigmoid, are multiplied
by to make one distribution over all cells: at 1 the many cells without the keypoint weigh too much
(mean OKS of 300 people: .685 at 1, .701 at 2, .705 at 3; its own heads together: .695)."""

CENTRE_XY: Final = (2.0, 1.0)
OUTSIDE: Final = 3.0
"""How much less likely, in logits, a keypoint is at the edge of a crop than in its middle, and by
how much again outside the person's box. MoveNet finds the keypoints of everybody in a picture and
leaves it to other heads whose they are; this keeps a neighbour's out (body of 182 people of photos
on which the figures were chosen, mean OKS: .554 without, .591 with OUTSIDE, .628 with the centre
(2, 2), .631 with these)."""

POSITION: Final = 32
"""Units between a cell's place in the crop and what the second pyramid makes of it."""

DETAIL: Final = (128, 96, 64, 64)
"""Channels of the second pyramid, the coarsest level first. MoveNet's own is a quarter as wide, as
much as its 17 keypoints need: of frozen features of its, 1x1 filters find the spine worse."""


class Small(nn.Module):
    """MoveNet's trunk with a 1x1 convolution for ``keypoints`` heatmaps, to which a second, wider
    pyramid over the same features adds what MoveNet has not learnt (at first nothing). Over
    EfficientNet-Lite0, which has no pyramid and no keypoints, the second is the only one.

    ``forward`` takes crops (B, 3, H, W), normalised by ImageNet's mean and deviation, and answers
    logits over bins of half a pixel, (B, K, 2W) and (B, K, 2H). A heatmap is a distribution over
    cells (softmax); its marginals are those over columns and rows. Their logarithms at the cells'
    middles are joined by a cubic that keeps parabolas: a Gaussian's logarithm is one, so that its
    top is found wherever it lies within a cell.
    """

    precise = ("top", "lateral", "merge", "points", "detail", "head")
    """Parts that 8-bit files leave in 32 bits: mean OKS of 300 people .702, all in 8 bits .691,
    none .701."""

    place: Tensor
    columns: Tensor
    rows: Tensor

    def __init__(self, trunk: Trunk, keypoints: int, input_hw: tuple[int, int]) -> None:
        super().__init__()
        self.trunk: Trunk = trunk
        height, width = input_hw
        self.backbone = EfficientNetLite0() if trunk == "lite0" else MoveNet(WIDTHS[trunk])
        self.detail = Detail(self.backbone.taps, keypoints)
        if trunk != "lite0":
            self.head = nn.Conv2d(FEATURES, keypoints, 1)
            nn.init.normal_(self.head.weight, std=0.01)
            nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]
        cells_hw = (height // STRIDE, width // STRIDE)
        self.register_buffer("place", likely_places(cells_hw), persistent=False)
        whole = keypoints == len(skeleton.NAMES)
        self.chain = SpineChain(cells_hw) if whole else nn.Identity()
        self.register_buffer("columns", between_cells(width // STRIDE), persistent=False)
        self.register_buffer("rows", between_cells(height // STRIDE), persistent=False)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        levels = self.backbone.encode(images)
        heatmaps = self.detail(levels) + self.place
        if isinstance(self.backbone, MoveNet):
            heatmaps = heatmaps + self.head(self.backbone.decode(levels))
        with torch.autocast(images.device.type, enabled=False):
            return self.simcc(self.chain(SHARPNESS * heatmaps.float()))

    def simcc(self, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        """Logits over cells (B, K, H / 4, W / 4) as logits over bins of columns and rows."""
        return heatmaps.logsumexp(dim=2) @ self.columns, heatmaps.logsumexp(dim=3) @ self.rows

    def scores(self, logits: Tensor) -> Tensor:
        """What an exported file answers for logits (B, K, bins) of one axis: how near the keypoint
        is to each bin by the network's own distribution, from 0 to 1.

        It is the expectation of the Gaussian of height 1 that labels of the field are, and that
        mmpose's networks answer where they are sure. So the highest bin is the best bet, also of
        the mean over a crop and its mirror image, and its height tells how sure the network is.
        """
        near = label_shape(int(logits.shape[-1]), logits.device)
        share = torch.softmax(logits, dim=-1).flatten(0, 1).unsqueeze(1)
        expected = nn.functional.conv1d(share, near, padding=near.shape[-1] // 2)
        return expected.view(logits.shape)


class Detail(nn.Module):
    """A pyramid over the features (``taps`` channels) that a trunk's ``encode`` gives, to heatmaps.

    Its coarsest level is told where in the crop a cell is: the crop is made from the person's box,
    so that of two people who hide each other it is the place that tells who is meant. Like MoveNet
    it has no norms, so that a step's loss does not depend on how a batch is divided.
    """

    def __init__(self, taps: Sequence[int], keypoints: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(Conv(tap, wide, 1) for tap, wide in zip(taps, DETAIL))
        self.narrow = nn.ModuleList(
            Conv(before, after, 1) for before, after in zip(DETAIL, DETAIL[1:])
        )
        self.merge = nn.ModuleList(
            nn.Sequential(nn.ReLU(), SeparableConv(wide, wide), SeparableConv(wide, wide))
            for wide in DETAIL[1:]
        )
        self.position = nn.Sequential(
            nn.Conv2d(2, POSITION, 1), nn.ReLU(), nn.Conv2d(POSITION, DETAIL[0], 1)
        )
        self.heatmaps = nn.Conv2d(DETAIL[-1], keypoints, 1)
        nn.init.zeros_(self.heatmaps.weight)
        nn.init.zeros_(self.heatmaps.bias)  # type: ignore[arg-type]

    def forward(self, levels: list[Tensor]) -> Tensor:
        features = self.lateral[0](levels[0]) + self.position(from_middle(levels[0]))
        for lateral, narrow, merge, level in zip(
            self.lateral[1:], self.narrow, self.merge, levels[1:]
        ):
            features = merge(twice(narrow(features)) + lateral(level))
        heatmaps: Tensor = self.heatmaps(features)
        return heatmaps


def from_middle(features: Tensor) -> Tensor:
    """Rows and columns (1, 2, h, w) of the cells of features (B, C, h, w), -1 to 1."""
    y, x = (
        (2 * torch.arange(cells, device=features.device, dtype=features.dtype) + 1) / cells - 1
        for cells in features.shape[-2:]
    )
    return torch.stack(torch.meshgrid(y, x, indexing="ij")).unsqueeze(0)


def likely_places(cells_hw: tuple[int, int]) -> Tensor:
    """Logits (H / 4, W / 4) of where keypoints of the person are, whose box, widened by
    ``crops.PADDING``, is the crop."""
    rows, columns = from_middle(torch.empty(1, 1, *cells_hw)).squeeze(0)
    outside = torch.maximum(rows.abs(), columns.abs()) > 1 / PADDING
    across, along = CENTRE_XY
    place: Tensor = -(across * columns.square() + along * rows.square() + OUTSIDE * outside)
    return place


def between_cells(cells: int) -> Tensor:
    """Values at the middles of cells to values at bins, as a matrix (cells, bins).

    Cell i covers the pixels ``STRIDE i`` to ``STRIDE i + STRIDE - 1``. Cubic convolution (Keys
    1981, a = -1/2), which reproduces parabolas; at the borders the outermost parabola goes on.
    """
    bins = torch.arange(round(cells * STRIDE * SPLIT), dtype=torch.float64)
    place = (bins / SPLIT - (STRIDE - 1) / 2) / STRIDE
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


def label_shape(bins: int, device: torch.device) -> Tensor:
    """A label's Gaussian about its bin, height 1, as a filter (1, 1, odd)."""
    deviation = gaussian_width(round(bins / SPLIT))
    reach = math.ceil(3 * deviation)
    away = torch.arange(-reach, reach + 1, device=device) / deviation
    return torch.exp(-away.square() / 2).view(1, 1, -1)
