"""RTMPose's head (Jiang et al. 2023) on CSPNeXt: the published SpinePose networks s, m, l, x.

Modules have the names of mmpose's, so that weights of the field load by their keys.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from spinetrack_synth.training.networks.cspnext import CSPNeXt

STRIDE: Final = 32
"""Pixels of the crop for a cell of the backbone's features."""

BETA: Final = 10.0
"""mmpose's temperature: its loss takes the softmax of ``BETA`` times what the network answers
(``KLDiscretLoss(beta=10.)`` of every RTMPose configuration)."""

HIDDEN: Final = 256
ATTENTION: Final = 128
EXPANSION: Final = 2
"""Sizes of the gated attention unit (``gau_cfg`` of every RTMPose configuration)."""


@dataclass(frozen=True)
class Size:
    """Factors of the backbone's depth and width."""

    depth: float
    width: float


SIZES: Final = {
    "s": Size(0.33, 0.5),
    "m": Size(0.67, 0.75),
    "l": Size(1.0, 1.0),
    "x": Size(1.33, 1.25),
}
"""``deepen_factor`` and ``widen_factor`` of mmpose's RTMPose configurations."""


class SpinePose(nn.Module):
    """CSPNeXt with RTMPose's head.

    ``forward`` takes crops (B, 3, H, W), normalised by ImageNet's mean and deviation, and answers
    logits over bins of half a pixel, (B, K, 2W) and (B, K, 2H). mmpose's networks answer a tenth
    of them: it trains ``softmax(BETA * answer)``, which is ``softmax(logits)`` here, so that its
    weights mean the same in both. ``scores`` leads from logits to that answer, which is what
    exported files hold, and whose maximum is about 1 where a network is sure.
    """

    precise = ("head",)
    """Parts that 8-bit files leave in 32 bits."""

    def __init__(self, size: str, keypoints: int, input_hw: tuple[int, int]) -> None:
        super().__init__()
        factors = SIZES[size]
        self.backbone = CSPNeXt(factors.depth, factors.width)
        self.head = RTMCCHead(self.backbone.channels, keypoints, input_hw)
        for module in self.backbone.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_uniform_(module.weight, a=math.sqrt(5))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        x, y = self.head(self.backbone(images))
        return BETA * x, BETA * y

    def scores(self, logits: Tensor) -> Tensor:
        """What an exported file answers for logits (B, K, bins) of one axis."""
        return logits / BETA


class RTMCCHead(nn.Module):
    """Features (B, C, h, w) to what mmpose's network answers: (B, K, 2W), (B, K, 2H)."""

    def __init__(self, channels: int, keypoints: int, input_hw: tuple[int, int]) -> None:
        super().__init__()
        height, width = input_hw
        cells = (height // STRIDE) * (width // STRIDE)
        self.final_layer = nn.Conv2d(channels, keypoints, 7, padding=3)
        mlp = nn.Linear(cells, HIDDEN, bias=False)
        self.mlp = nn.Sequential(ScaleNorm(cells), mlp)
        self.gau = GatedAttention()
        self.cls_x = nn.Linear(HIDDEN, 2 * width, bias=False)
        self.cls_y = nn.Linear(HIDDEN, 2 * height, bias=False)
        nn.init.normal_(self.final_layer.weight, std=0.001)
        nn.init.zeros_(self.final_layer.bias)  # type: ignore[arg-type]
        for linear in (mlp, self.gau.uv, self.gau.o, self.cls_x, self.cls_y):
            nn.init.normal_(linear.weight, std=0.01)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        tokens = self.gau(self.mlp(self.final_layer(features).flatten(2)))
        return self.cls_x(tokens), self.cls_y(tokens)


class ScaleNorm(nn.Module):
    """Vectors brought to one length, which is learnt (Nguyen & Salazar 2019)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.g = nn.Parameter(torch.ones(1))
        self.scale = size**-0.5

    def forward(self, vectors: Tensor) -> Tensor:
        length: Tensor = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True) * self.scale
        return vectors / length.clamp(min=1e-5) * self.g


class Scale(nn.Module):
    """A learnt factor for every element."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(size))

    def forward(self, vectors: Tensor) -> Tensor:
        return vectors * self.scale


class GatedAttention(nn.Module):
    """Gated attention unit (Hua et al. 2022) between keypoints (B, K, 256), with its way past."""

    def __init__(self) -> None:
        super().__init__()
        inner = EXPANSION * HIDDEN
        self.parts = [inner, inner, ATTENTION]
        self.o = nn.Linear(inner, HIDDEN, bias=False)
        self.uv = nn.Linear(HIDDEN, sum(self.parts), bias=False)
        self.gamma = nn.Parameter(torch.rand(2, ATTENTION))
        self.beta = nn.Parameter(torch.rand(2, ATTENTION))
        self.ln = ScaleNorm(HIDDEN)
        self.res_scale = Scale(HIDDEN)

    def forward(self, tokens: Tensor) -> Tensor:
        gates = nn.functional.silu(self.uv(self.ln(tokens)))
        u, v, base = torch.split(gates, self.parts, dim=2)
        query, key = (base * self.gamma[row] + self.beta[row] for row in (0, 1))
        agreement = query @ key.transpose(1, 2) / math.sqrt(ATTENTION)
        mixed = u * (nn.functional.relu(agreement).square() @ v)
        out: Tensor = self.res_scale(tokens) + self.o(mixed)
        return out
