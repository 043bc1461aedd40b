"""Opening the teacher that a configuration names."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose.model import open_pose_model
from spinetrack_synth.training.checkpoints import open_checkpoint
from spinetrack_synth.training.distillation import OnnxTeacher, Teacher, TorchTeacher
from spinetrack_synth.training.loss_config import TeacherConfig
from spinetrack_synth.training.saved_predictions import People, read_saved_teacher


def open_teacher(
    config: TeacherConfig,
    sources: Sequence[People],
    *,
    device: torch.device | str = "cpu",
    provider: str | None = None,
    threads: int | None = None,
) -> Teacher:
    """The teacher of a configuration, for the people of ``sources`` in the order of batches.

    A network of ours runs on ``device``; ``provider`` and ``threads`` are those of
    ``open_pose_model`` for others. Raises UserError where its file cannot be used, it knows none of
    the skeleton's points, or its predictions are of nobody.
    """
    if config.network is not None and config.network.suffix != ".onnx":
        if config.keypoints:
            raise UserError(f"{config.network}: tells its keypoints itself; leave keypoints out")
        net, description = open_checkpoint(config.network)
        return TorchTeacher(
            net.to(device),
            description.keypoints,
            config.least_score,
            ignore=config.ignore,
            device=device,
            title=str(config.network),
        )
    if config.network is not None:
        model = open_pose_model(
            config.network, provider=provider, threads=threads, names=config.keypoints or None
        )
        return OnnxTeacher(model, config.least_score, config.ignore)
    assert config.predictions is not None
    return read_saved_teacher(
        config.predictions,
        sources,
        least_score=config.least_score,
        ignore=config.ignore,
        names=config.keypoints,
    )
