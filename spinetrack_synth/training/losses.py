"""The loss that a network is trained with: the weighted sum of its terms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

from spinetrack_synth.training.distillation import TeacherAnswer, distillation
from spinetrack_synth.training.distributions import (
    Logits,
    crop_size,
    divergence,
    expected_points,
    inside,
    label_heatmaps,
    label_logits,
)
from spinetrack_synth.training.loss_config import LossConfig
from spinetrack_synth.training.spine_shapes import spine_shape_loss
from spinetrack_synth.training.structure import bone_directions, spine_roughness

DEFAULT: Final = LossConfig()

ANATOMICAL: Final[dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]]] = {
    "structure": bone_directions,
    "smoothness": lambda answered, labels, weight: spine_roughness(answered),
    "spine_shape": spine_shape_loss,
}
"""Terms of mean coordinates as answered, labels and their weights, by their names in the
configuration."""


def total_loss(
    logits: Logits,
    points: Tensor,
    weight: Tensor,
    teacher: TeacherAnswer | None,
    step: int,
    config: LossConfig = DEFAULT,
    heatmaps: Tensor | None = None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """The weighted sum of all terms, and each term by its name, without weight and gradient.

    ``logits`` are the network's, ``points`` (B, K, 2) the labels in pixels of the crop and
    ``weight`` (B, K) how much each counts, 0 where there is none (its point may be nan);
    ``heatmaps`` (B, K, h, w) are logits over cells, of networks that have some. Terms
    whose weight is 0 at this ``step`` are neither computed nor told. Each term is a mean over all
    people and all their points or links, those that take no part included: so the mean over equal
    parts of a batch is the batch's loss, on several machines or in several passes.
    """
    with torch.autocast(logits[0].device.type, enabled=False):
        terms: dict[str, tuple[float, Tensor]] = {}
        if share := config.labels.at(step):
            terms["labels"] = share, label_loss(logits, points, weight)
        if heatmaps is not None and (share := config.heatmaps.at(step)):
            size = crop_size(logits)
            terms["heatmaps"] = share, heatmap_loss(heatmaps, points, weight, size)
        if teacher is not None and (share := config.distillation.at(step)):
            terms["distillation"] = share, distillation(logits, teacher, config.temperature)
        shares = {name: getattr(config, name).at(step) for name in ANATOMICAL}
        if any(shares.values()):
            expected = expected_points(logits)
            for name, term in ANATOMICAL.items():
                if share := shares[name]:
                    terms[name] = share, term(expected, points, weight)
        total = torch.stack([share * value for share, value in terms.values()] or [_none(logits)])
        return total.sum(), {name: value.detach() for name, (_, value) in terms.items()}


def label_loss(logits: Logits, points: Tensor, weight: Tensor) -> Tensor:
    """Mean divergence of the labels' distributions from the answers, in nats.

    Labels beyond the crop take no part: no bin stands for them.
    """
    size = crop_size(logits)
    counted = torch.where(inside(points, *size), weight.float(), 0.0)
    return (divergence(logits, label_logits(points, *size)) * counted).mean()


def heatmap_loss(
    heatmaps: Tensor, points: Tensor, weight: Tensor, size_px: tuple[int, int]
) -> Tensor:
    """Mean divergence of the labels' heatmaps (B, K, h, w) from the answered ones, in nats, of
    crops of ``size_px`` (width, height).

    Columns and rows alone do not tell where both meet: a heatmap with half of a keypoint in its
    column, in another row, and half in its row, in another column, has no gradient towards the
    cell of the keypoint, to which it gives nothing.
    """
    height, width = heatmaps.shape[-2:]
    wanted = label_heatmaps(points, *size_px, (height, width))
    log_answer, log_target = (
        each.float().flatten(-2).log_softmax(-1) for each in (heatmaps, wanted)
    )
    counted = torch.where(inside(points, *size_px), weight.float(), 0.0)
    return ((log_target.exp() * (log_target - log_answer)).sum(-1) * counted).mean()


def _none(logits: Logits) -> Tensor:
    """Nothing, with a gradient that is zero."""
    return 0.0 * (logits[0].float().sum() + logits[1].float().sum())
