"""Distillation: a student learns what a teacher answers to the same crops."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from spinetrack_synth.training.distributions import Logits, divergence


@dataclass(frozen=True)
class TeacherAnswer:
    """What a teacher answers to crops: logits in the student's bins and order of keypoints, and how
    much each point counts (B, K), 0 where the teacher does not know it or is not sure."""

    logits: Logits
    weight: Tensor


def distillation(logits: Logits, teacher: TeacherAnswer, temperature: float = 1.0) -> Tensor:
    """Mean divergence of the teacher's distributions from the student's, in nats."""
    return (divergence(logits, teacher.logits, temperature) * teacher.weight.float()).mean()
