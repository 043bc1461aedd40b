"""MoveNet's trunk: MobileNetV2 with a feature pyramid, as far as the features of its keypoints.

MoveNet (Google Research 2021, published under Apache-2.0) comes as a frozen graph, its batch norms
folded into the convolutions; this is the same computation in torch, without the heads that pick
one person. ``movenet_package`` reads its weights; ``person_detector`` has the heads that find
people.
"""

from __future__ import annotations

from typing import Final, Literal

import torch
from torch import Tensor, nn

from spinetrack_synth.spinepose.crops import IMAGENET

Variant = Literal["lightning", "thunder", "multipose"]

STRIDE: Final = 4
"""Pixels of the crop for a cell of the features."""

FEATURES: Final = 96

BLOCKS: Final = (
    # channels, stride, how many times wider inside
    (16, 1, 1),
    (24, 2, 6), (24, 1, 6),
    (32, 2, 6), (32, 1, 6), (32, 1, 6),
    (64, 2, 6), (64, 1, 6), (64, 1, 6), (64, 1, 6),
    (96, 1, 6), (96, 1, 6), (96, 1, 6),
    (160, 2, 6), (160, 1, 6), (160, 1, 6),
    (320, 1, 6),
)  # fmt: skip
"""MobileNetV2 (Sandler et al. 2018, table 2), a row a block."""

STEM: Final = 32
LAST: Final = 1280

PYRAMID: Final = ((9, 64, 32), (5, 32, 24), (2, 24, 24))
"""Block that a level of the pyramid takes in, its channels, those it leads on; the coarsest first.
The finest has as many cells as the keypoints' heatmaps."""

WIDTHS: Final[dict[Variant, float]] = {"lightning": 1.0, "thunder": 1.75, "multipose": 1.5}

WHITE: Final = 127.5
"""MoveNet takes colours from -1 to 1."""


class MoveNet(nn.Module):
    """Crops (B, 3, H, W), normalised by ImageNet's mean and deviation, to features (B, 96, H / 4,
    W / 4), of which a 1x1 convolution makes heatmaps of keypoints. Sides are multiples of 32.

    ``taps`` are the channels of what ``encode`` gives.
    """

    factor: Tensor
    shift: Tensor

    def __init__(self, width: float) -> None:
        super().__init__()
        mean = torch.tensor(IMAGENET.mean_rgb).view(3, 1, 1)
        std = torch.tensor(IMAGENET.std_rgb).view(3, 1, 1)
        self.register_buffer("factor", std / WHITE, persistent=False)
        self.register_buffer("shift", mean / WHITE - 1, persistent=False)
        self.taps: tuple[int, ...] = (
            LAST,
            *(scaled(BLOCKS[block][0], width) for block, *_ in PYRAMID),
        )
        before = scaled(STEM, width)
        self.stem = Conv(3, before, 3, stride=2, top=6)
        self.blocks = nn.ModuleList()
        for channels, stride, wider in BLOCKS:
            after = scaled(channels, width)
            self.blocks.append(InvertedResidual(before, after, stride, before * wider))
            before = after
        self.last = Conv(before, LAST, 1, top=6)
        self.top = Conv(LAST, PYRAMID[0][1], 1)
        self.lateral = nn.ModuleList(
            Conv(scaled(BLOCKS[block][0], width), channels, 1) for block, channels, _ in PYRAMID
        )
        self.merge = nn.ModuleList(SeparableConv(channels, after) for _, channels, after in PYRAMID)
        self.points = SeparableConv(PYRAMID[-1][2], FEATURES)

    def forward(self, images: Tensor) -> Tensor:
        return self.decode(self.encode(images))

    def encode(self, images: Tensor) -> list[Tensor]:
        """The features that a pyramid takes in, the coarsest (stride 32) first."""
        features = self.stem(images * self.factor + self.shift)
        levels = []
        for number, block in enumerate(self.blocks):
            features = block(features)
            if any(number == level for level, *_ in PYRAMID):
                levels.append(features)
        return [self.last(features), *reversed(levels)]

    def decode(self, levels: list[Tensor]) -> Tensor:
        """Features of the keypoints, from those that ``encode`` gives."""
        out: Tensor = self.points(self.pyramid(levels))
        return out

    def pyramid(self, levels: list[Tensor]) -> Tensor:
        """Features (B, 24, H / 4, W / 4) of all levels that ``encode`` gives."""
        features: Tensor = self.top(levels[0])
        for lateral, merge, level in zip(self.lateral, self.merge, levels[1:]):
            features = merge(twice(features) + lateral(level))
        return features


class Conv(nn.Conv2d):
    """A convolution padded as TensorFlow's SAME pads even sides: at stride 2 on the right and below
    only; clipped to 0..``top`` where that is given. ``gain`` of the initial weights goes by it."""

    def __init__(
        self,
        before: int,
        after: int,
        kernel: int,
        *,
        stride: int = 1,
        groups: int = 1,
        bias: bool = True,
        top: float | None = None,
    ) -> None:
        even = 0 if stride == 2 else kernel // 2
        super().__init__(before, after, kernel, stride, even, groups=groups, bias=bias)
        self.beyond = (0, kernel - 2, 0, kernel - 2) if stride == 2 else None
        self.top = top
        nn.init.kaiming_normal_(self.weight, nonlinearity="linear" if top is None else "relu")
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, features: Tensor) -> Tensor:
        if self.beyond is not None:
            features = nn.functional.pad(features, self.beyond)
        out = super().forward(features)
        if self.top == 6:
            return nn.functional.relu6(out)
        return out if self.top is None else nn.functional.relu(out)


class InvertedResidual(nn.Module):
    """MobileNetV2's block: widen, filter every channel, narrow, add what came in."""

    def __init__(self, before: int, after: int, stride: int, inside: int) -> None:
        super().__init__()
        self.expand = Conv(before, inside, 1, top=6) if inside > before else None
        self.depthwise = Conv(inside, inside, 3, stride=stride, groups=inside, top=6)
        self.project = Conv(inside, after, 1)
        self.adds = stride == 1 and before == after

    def forward(self, features: Tensor) -> Tensor:
        wide = features if self.expand is None else self.expand(features)
        out: Tensor = self.project(self.depthwise(wide))
        return features + out if self.adds else out


class SeparableConv(nn.Module):
    """A 3x3 convolution within every channel, then one across channels, then ReLU."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.depthwise = Conv(before, before, 3, groups=before, bias=False)
        self.pointwise = Conv(before, after, 1, top=float("inf"))

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.pointwise(self.depthwise(features))
        return out


def twice(features: Tensor) -> Tensor:
    """Features on a grid that is twice as fine."""
    return nn.functional.interpolate(features, scale_factor=2, mode="bilinear", align_corners=False)


def scaled(channels: int, width: float) -> int:
    """Channels at a width, in eights, as MobileNetV2 rounds them."""
    rounded = max(8, int(channels * width + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels * width else rounded
