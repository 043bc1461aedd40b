"""EfficientNet-Lite0's trunk: a network that has seen ImageNet's pictures, and never a pose.

EfficientNet (Tan & Le 2019) without squeeze and excitation and with ReLU6, as Google published it
for small devices in 2020; all of it but the classifier. ``efficientnet_lite_package`` reads its
weights. Blocks are not left out at random in training (stochastic depth), as they were there.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from spinetrack_synth.spinepose.crops import IMAGENET

STEM: Final = 32

STAGES: Final = (
    # channels, blocks, kernel, stride of the first, how many times wider inside
    (16, 1, 3, 1, 1),
    (24, 2, 3, 2, 6),
    (40, 2, 5, 2, 6),
    (80, 3, 3, 2, 6),
    (112, 3, 5, 1, 6),
    (192, 4, 5, 2, 6),
    (320, 1, 3, 1, 6),
)
"""EfficientNet-B0 (Tan & Le 2019, table 1), a row a stage."""

LAST: Final = 1280

LEVELS: Final = (4, 2, 1)
"""Stages whose features a pyramid takes in, at strides 16, 8 and 4, below the last (stride 32)."""

MIDDLE: Final = 127.0
SPREAD: Final = 128.0
"""It takes colours c as (c - 127) / 128 (``MEAN_RGB`` and ``STDDEV_RGB`` of the original)."""

EPSILON: Final = 1e-3
MOMENTUM: Final = 0.01
"""Of the original's batch norms, as torch means momentum."""


class EfficientNetLite0(nn.Module):
    """Crops (B, 3, H, W), normalised by ImageNet's mean and deviation, to features; sides are
    multiples of 32."""

    taps: Final = (LAST, *(STAGES[stage][0] for stage in LEVELS))
    """Channels of what ``encode`` gives."""

    factor: Tensor
    shift: Tensor

    def __init__(self) -> None:
        super().__init__()
        mean = torch.tensor(IMAGENET.mean_rgb).view(3, 1, 1)
        std = torch.tensor(IMAGENET.std_rgb).view(3, 1, 1)
        self.register_buffer("factor", std / SPREAD, persistent=False)
        self.register_buffer("shift", (mean - MIDDLE) / SPREAD, persistent=False)
        self.stem = ConvNorm(3, STEM, 3, stride=2)
        self.stages = nn.ModuleList()
        before = STEM
        for channels, count, kernel, stride, wider in STAGES:
            blocks = [MBConv(before, channels, kernel, stride, wider)]
            blocks += [MBConv(channels, channels, kernel, 1, wider) for _ in range(count - 1)]
            self.stages.append(nn.Sequential(*blocks))
            before = channels
        self.last = ConvNorm(before, LAST, 1)

    def forward(self, images: Tensor) -> Tensor:
        return self.encode(images)[0]

    def encode(self, images: Tensor) -> list[Tensor]:
        """The features that a pyramid takes in, (B, ``taps``, h, w), the coarsest (stride 32)
        first."""
        features = self.stem(images * self.factor + self.shift)
        outputs = []
        for stage in self.stages:
            features = stage(features)
            outputs.append(features)
        return [self.last(features), *(outputs[stage] for stage in LEVELS)]


class ConvNorm(nn.Module):
    """Convolution, padded as TensorFlow's SAME pads even sides (at stride 2 one more on the right
    and below), batch norm, and ReLU6 unless it is ``linear``."""

    def __init__(
        self,
        before: int,
        after: int,
        kernel: int,
        *,
        stride: int = 1,
        groups: int = 1,
        linear: bool = False,
    ) -> None:
        super().__init__()
        low, high = (kernel - stride) // 2, (kernel - stride + 1) // 2
        self.beyond = (low, high, low, high) if low != high else None
        padding = 0 if self.beyond else low
        self.conv = nn.Conv2d(before, after, kernel, stride, padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(after, EPSILON, MOMENTUM)
        self.linear = linear
        nn.init.kaiming_normal_(self.conv.weight, mode="fan_out")

    def forward(self, features: Tensor) -> Tensor:
        if self.beyond is not None:
            features = nn.functional.pad(features, self.beyond)
        out: Tensor = self.norm(self.conv(features))
        return out if self.linear else nn.functional.relu6(out)


class MBConv(nn.Module):
    """Mobile inverted bottleneck: widen, filter every channel, narrow, add what came in."""

    def __init__(self, before: int, after: int, kernel: int, stride: int, wider: int) -> None:
        super().__init__()
        inside = before * wider
        self.expand = ConvNorm(before, inside, 1) if wider > 1 else None
        self.depthwise = ConvNorm(inside, inside, kernel, stride=stride, groups=inside)
        self.project = ConvNorm(inside, after, 1, linear=True)
        self.adds = stride == 1 and before == after

    def forward(self, features: Tensor) -> Tensor:
        wide = features if self.expand is None else self.expand(features)
        out: Tensor = self.project(self.depthwise(wide))
        return features + out if self.adds else out
