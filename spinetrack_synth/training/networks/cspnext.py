"""CSPNeXt (Lyu et al. 2022), the backbone of RTMPose and SpinePose.

Modules have the names of mmpose's, so that weights of the field load by their keys.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

CHANNELS: Final = (64, 128, 256, 512, 1024)
"""Channels after the stem and the four stages, at width 1 (``arch_settings['P5']``)."""

BLOCKS: Final = (3, 6, 6, 3)
"""Blocks of the four stages, at depth 1."""

POOLS: Final = (5, 9, 13)
"""Windows of the spatial pyramid pooling before the last stage, in cells."""


class CSPNeXt(nn.Module):
    """Pictures (B, 3, H, W) to features (B, ``channels``, H / 32, W / 32)."""

    def __init__(self, depth: float, width: float) -> None:
        super().__init__()
        stem, *stages = (int(channels * width) for channels in CHANNELS)
        half = int(CHANNELS[0] * width // 2)
        self.stem = nn.Sequential(
            ConvModule(3, half, 3, stride=2), ConvModule(half, half, 3), ConvModule(half, stem, 3)
        )
        before = stem
        for number, (channels, blocks) in enumerate(zip(stages, BLOCKS), start=1):
            last = number == len(stages)
            parts: list[nn.Module] = [ConvModule(before, channels, 3, stride=2)]
            if last:
                parts.append(SPPBottleneck(channels))
            count = max(round(blocks * depth), 1)
            parts.append(CSPLayer(channels, count, add_identity=not last))
            self.add_module(f"stage{number}", nn.Sequential(*parts))
            before = channels
        self.channels = before

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.stem(images)
        for number in range(1, len(BLOCKS) + 1):
            features = self.get_submodule(f"stage{number}")(features)
        return features


class ConvModule(nn.Module):
    """Convolution, batch norm, SiLU."""

    def __init__(
        self, before: int, after: int, kernel: int, *, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            before, after, kernel, stride, padding=kernel // 2, groups=groups, bias=False
        )
        self.bn = nn.BatchNorm2d(after)
        self.activate = nn.SiLU(inplace=True)

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.activate(self.bn(self.conv(features)))
        return out


class SeparableConv(nn.Module):
    """A convolution within every channel, then one across channels."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.depthwise_conv = ConvModule(channels, channels, kernel, groups=channels)
        self.pointwise_conv = ConvModule(channels, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.pointwise_conv(self.depthwise_conv(features))
        return out


class CSPNeXtBlock(nn.Module):
    """A 3x3 convolution and a separable 5x5 one."""

    def __init__(self, channels: int, *, add_identity: bool) -> None:
        super().__init__()
        self.conv1 = ConvModule(channels, channels, 3)
        self.conv2 = SeparableConv(channels, 5)
        self.add_identity = add_identity

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.conv2(self.conv1(features))
        return out + features if self.add_identity else out


class ChannelAttention(nn.Module):
    """Channels weighted by what the whole picture shows."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Conv2d(channels, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        mean = features.mean(dim=(2, 3), keepdim=True)
        weighted: Tensor = features * nn.functional.hardsigmoid(self.fc(mean))
        return weighted


class CSPLayer(nn.Module):
    """Cross-stage partial layer: half of the channels go through the blocks, half past them."""

    def __init__(self, channels: int, blocks: int, *, add_identity: bool) -> None:
        super().__init__()
        half = channels // 2
        self.main_conv = ConvModule(channels, half, 1)
        self.short_conv = ConvModule(channels, half, 1)
        self.final_conv = ConvModule(2 * half, channels, 1)
        self.blocks = nn.Sequential(
            *(CSPNeXtBlock(half, add_identity=add_identity) for _ in range(blocks))
        )
        self.attention = ChannelAttention(2 * half)

    def forward(self, features: Tensor) -> Tensor:
        main, short = self.blocks(self.main_conv(features)), self.short_conv(features)
        out: Tensor = self.final_conv(self.attention(torch.cat((main, short), dim=1)))
        return out


class SPPBottleneck(nn.Module):
    """Spatial pyramid pooling: maxima over windows of several sizes side by side."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.conv1 = ConvModule(channels, half, 1)
        self.poolings = nn.ModuleList(nn.MaxPool2d(size, 1, size // 2) for size in POOLS)
        self.conv2 = ConvModule(half * (len(POOLS) + 1), channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        narrow = self.conv1(features)
        pooled = [pooling(narrow) for pooling in self.poolings]
        out: Tensor = self.conv2(torch.cat([narrow, *pooled], dim=1))
        return out
