"""The published anatomical terms: directions of bones as labelled, and a smooth spine.

Khan et al. 2025 name the terms and their weights; the forms are ours. Both look at mean coordinates
(B, K, 2) in pixels of the crop and answer one number, which is 0 where nothing is wrong.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from spinetrack_synth import skeleton
from spinetrack_synth.lengths import SPINE_GAPS_M

LEAST_PX: Final = 2.0
"""Bones as short as this in the crop have hardly a direction: lengths are taken a little longer, so
that a bone without any pulls with a bounded force, and a labelled one without any not at all."""

LEAST_SPINE_PX: Final = 10.0
"""A spine seen end on is smooth or not by its own noise: shorter ones count as this long."""


def bone_directions(points: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
    """Mean of 1 - cosine between a link as answered (``points``) and as labelled, over all links of
    all people; those whose ends (``weight``) are not both labelled count as right."""
    links = torch.tensor(skeleton.LINKS, device=points.device)
    answered = _direction(points[:, links[:, 1]] - points[:, links[:, 0]])
    labels = torch.where(weight[..., None] > 0, labels, 0.0)
    labelled = _direction(labels[:, links[:, 1]] - labels[:, links[:, 0]])
    both = torch.minimum(weight[:, links[:, 0]], weight[:, links[:, 1]])
    length = labelled.square().sum(-1)  # 1 but for links that are seen end on
    return (both * (length - (answered * labelled).sum(-1)).clamp(min=0)).mean()


def spine_roughness(points: Tensor) -> Tensor:
    """Mean over all people and their 37 points of log(1 + squared curvature), which the inner
    points of the spine have: so a point's curvature weighs as a point's label.

    Curvature is of the way as answered, in turns of its length: 0 for a straight spine, from any
    side; 1 where it keeps turning so that it turns by 1 rad altogether. Points follow each other at
    the model's distances, so a straight spine with its uneven levels is smooth. The logarithm keeps
    answers that are still all over the crop from outdoing their labels.
    """
    spine = points[:, torch.tensor(skeleton.SPINE, device=points.device)]
    gaps = points.new_tensor(SPINE_GAPS_M / SPINE_GAPS_M.sum())[:, None]
    slope = (spine[:, 1:] - spine[:, :-1]) / gaps
    bend = (slope[:, 1:] - slope[:, :-1]) / (0.5 * (gaps[1:] + gaps[:-1]))
    length = (spine[:, 1:] - spine[:, :-1]).norm(dim=-1).sum(-1).detach().clamp(min=LEAST_SPINE_PX)
    curvature = bend.square().sum(-1) / length[:, None].square()
    rough: Tensor = curvature.log1p().sum(-1).mean() / points.shape[1]
    return rough


def _direction(way: Tensor) -> Tensor:
    """A way (..., 2) px over its length, shorter than 1 where the way is short."""
    direction: Tensor = way / (way.square().sum(-1, keepdim=True) + LEAST_PX**2).sqrt()
    return direction
