"""Training in one sitting: batches in, weights out, and a state from which a kill takes nothing."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from spinetrack_synth.errors import UserError
from spinetrack_synth.training.batches import Batch, Batches
from spinetrack_synth.training.checkpoints import Description, begin_with
from spinetrack_synth.training.config import Config
from spinetrack_synth.training.distillation import Teacher, normalised
from spinetrack_synth.training.log import STEPS, StepLog
from spinetrack_synth.training.losses import total_loss
from spinetrack_synth.training.networks.build import parameter_groups
from spinetrack_synth.training.networks.efficientnet_lite_package import (
    ensure_efficientnet_lite0,
)
from spinetrack_synth.training.networks.movenet_package import ensure_movenet
from spinetrack_synth.training.processes import Processes
from spinetrack_synth.training.reading_ahead import read_ahead
from spinetrack_synth.training.state import Standing, read_state, write_state

DTYPES: Final = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
STATE: Final = "state.pt"

Row = dict[str, float]
"""What a step tells: ``loss``, its terms by name, ``gradient_norm``, ``learning_rate``."""
Judge = Callable[[Standing, nn.Module], float | None]
"""Judges the averaged network where the run stands, and tells; the watched figure, if one is."""


class DivergedError(Exception):
    """A loss or a gradient is no number any more; told in one line."""


def train(
    learner: Learner,
    batches: Batches,
    out: Path,
    judge: Judge,
    progress: Callable[[int, int], None],
) -> Standing:
    """Train to the end, or on from where a run in the folder was stopped.

    Raises UserError where data cannot be read any more and DivergedError where the loss is no
    number. Whatever ends it, the same call goes on from the last state to the same weights.
    """
    config, process, data = learner.config, learner.process, fingerprint(batches)
    plan, judging = config.optimisation, config.judging
    standing, tensors = read_state(out / STATE, data) or (Standing(), None)
    if tensors is not None:
        learner.restore(tensors)
    with contextlib.ExitStack() as stack:
        log = None
        if process.first:
            log = stack.enter_context(StepLog(out / STEPS, _columns(config), standing.step))
        ahead = stack.enter_context(
            contextlib.closing(  # type: ignore[type-var]  # it is a generator
                read_ahead(batches, standing.step, plan.steps, config.workers)
            )
        )

        def keep() -> None:
            if log is not None:
                log.flush()  # first the rows, then the state that says they are there
                write_state(out / STATE, standing, learner.tensors(), data)

        while True:
            step = standing.step
            ended = step == plan.steps
            if standing.judged < step and (ended or step % judging.every == 0):
                keep()  # judging reads pictures, which may be gone
                watched = judge(standing, learner.average) if process.first else None
                standing = standing.after_judgement(process.told(watched))
                keep()
            elif step % plan.save_every == 0 and step > 0:
                keep()
            if ended or (judging.patience and standing.waited >= judging.patience):
                return standing
            start = time.perf_counter()
            try:
                row = learner.learn(next(ahead), step, out)
            except (UserError, DivergedError):
                keep()  # of the steps that are whole
                raise
            standing = replace(standing, step=step + 1)
            if log is not None:
                rate = plan.batch_size / (time.perf_counter() - start)
                log.add({"step": step + 1, **row, "pictures_s": round(rate, 2)})
            progress(step + 1, plan.steps)


@dataclass(frozen=True, eq=False)
class Learner:
    """What learns: a network, its average over the steps, and what moves it."""

    config: Config
    process: Processes
    network: nn.Module
    average: nn.Module
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    forward: nn.Module
    teacher: Teacher | None = None

    @classmethod
    def begin(
        cls, config: Config, process: Processes, teacher: Teacher | None, *, resumed: bool = False
    ) -> Learner:
        """A network before its first step; the weights of one that is ``resumed`` are to come yet.

        Raises UserError where there is no such network, or it cannot start with its file.
        """
        plan = config.optimisation
        if plan.batch_size % (parts := plan.accumulate * process.count):
            raise UserError(
                f"batch_size {plan.batch_size} cannot be divided into {parts} parts (processes "
                "times accumulate)"
            )
        torch.manual_seed(config.seed)
        network = description(config, 0).build()
        if not resumed and (start := start_of(config)) is not None:
            begin_with(network, description(config, 0), start)
        network = network.to(process.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if plan.batch_norm == "batch":
            network = process.with_shared_norms(network)
        groups = parameter_groups(network, plan.learning_rate, backbone_rate=plan.backbone_rate)
        for group in groups:
            group["highest_rate"] = group["lr"]
        return cls(
            config=config,
            process=process,
            network=network,
            average=copy.deepcopy(network).requires_grad_(False).eval(),
            optimizer=torch.optim.AdamW(groups),
            scaler=torch.amp.GradScaler(process.device.type, enabled=plan.precision == "fp16"),
            forward=DistributedDataParallel(network) if process.count > 1 else network,
            teacher=teacher,
        )

    def learn(self, batch: Batch, step: int, out: Path) -> Row:
        """One step. Raises DivergedError before weights are hurt; ``out`` then has the batch."""
        plan = self.config.optimisation
        torch.manual_seed((self.config.seed << 40) + (step << 12) + self.process.rank)
        self.network.train()
        if plan.backbone_rate == 0:
            self.network.get_submodule("backbone").eval()  # its norms' statistics stay too
        if plan.batch_norm == "frozen":
            for module in self.network.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        for group in self.optimizer.param_groups:
            group["lr"] = group["highest_rate"] * plan.rate_at(step)
        row = self.gradient(batch, step)
        self.scaler.unscale_(self.optimizer)
        norm = float(nn.utils.clip_grad_norm_(self.network.parameters(), plan.clip))
        # A scaler finds its scale by passing over gradients that are too large for 16 bits.
        sound = math.isfinite(row["loss"]) and (math.isfinite(norm) or self.scaler.is_enabled())
        if not sound:
            raise DivergedError(_kept(batch, row, step, out, self.process))
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad()
        blend(self.average, self.network, min(plan.ema_decay, (1 + step) / (10 + step)))
        return row | {
            "gradient_norm": norm,
            "learning_rate": plan.learning_rate * plan.rate_at(step),
        }

    def gradient(self, batch: Batch, step: int) -> Row:
        """Leave the gradient of a batch in the parameters; the loss and its terms, over all
        processes."""
        plan, losses = self.config.optimisation, self.config.losses
        device = self.process.device
        length = len(batch.images) // plan.accumulate
        sums: dict[str, Tensor] = {}
        for number in range(plan.accumulate):
            part = _rows(batch, slice(number * length, (number + 1) * length))
            points, weight = (
                torch.from_numpy(each).to(device) for each in (part.points, part.weight)
            )
            with contextlib.ExitStack() as stack:
                if (
                    isinstance(self.forward, DistributedDataParallel)
                    and number + 1 < plan.accumulate
                ):
                    stack.enter_context(self.forward.no_sync())  # processes meet once a step
                with torch.autocast(
                    device.type, DTYPES[plan.precision], enabled=plan.precision != "fp32"
                ):
                    x, y, *heatmaps = self.forward(normalised(part.images, device))
                    answer = None
                    if self.teacher is not None and losses.distillation.at(step):
                        answer = self.teacher.answer(part).to(device)
                loss, terms = total_loss((x, y), points, weight, answer, step, losses, *heatmaps)
                torch.autograd.backward(self.scaler.scale(loss / plan.accumulate))
            for name, value in {"loss": loss.detach(), **terms}.items():
                sums[name] = sums.get(name, 0) + value / plan.accumulate
        means = self.process.mean(torch.stack(list(sums.values()))).tolist()
        return dict(zip(sums, means))

    def tensors(self) -> dict[str, Any]:
        """What has to be kept of it."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
        }

    def restore(self, tensors: dict[str, Any]) -> None:
        """Take it up again."""
        self.network.load_state_dict(tensors["network"])
        self.average.load_state_dict(tensors["average"])
        self.optimizer.load_state_dict(tensors["optimizer"])
        self.scaler.load_state_dict(tensors["scaler"])


def description(config: Config, step: int) -> Description:
    """What the network of a step is, for its checkpoint."""
    return Description(config.network.name, input_hw=config.network.input_hw, step=step)


def start_of(config: Config) -> Path | None:
    """The file that the weights begin with, fetched where a word stands for it."""
    fetched = config.network.fetched
    if fetched == "imagenet":
        return ensure_efficientnet_lite0()
    if fetched == "movenet":
        return ensure_movenet("thunder" if "thunder" in config.network.name else "lightning")
    return config.network.start


def _rows(batch: Batch, rows: slice) -> Batch:
    """Some of the people of a batch."""
    return Batch(*(getattr(batch, each.name)[rows] for each in fields(batch)))


@torch.no_grad()
def blend(average: nn.Module, network: nn.Module, keep: float) -> None:
    """Move an average of weights (and of the norms' statistics) towards those of this step."""
    for mean, value in zip(average.state_dict().values(), network.state_dict().values()):
        if mean.is_floating_point():
            mean.lerp_(value, 1 - keep)
        else:
            mean.copy_(value)


def _kept(batch: Batch, row: Row, step: int, out: Path, process: Processes) -> str:
    """Keep the batch of a step that went wrong; the line that tells of it."""
    which = f"-rank{process.rank}" if process.count > 1 else ""
    path = out / f"diverged-{step + 1:06d}{which}.npz"
    with path.open("wb") as stream:
        np.savez_compressed(
            stream, **{each.name: getattr(batch, each.name) for each in fields(batch)}
        )
    told = ", ".join(f"{name} {value:.4g}" for name, value in row.items())
    what = "gradient" if math.isfinite(row["loss"]) else "loss"
    return (
        f"the {what} of step {step + 1} is no number ({told}); its batch is kept in {path}, the "
        'weights of before in the state: try a lower learning_rate, or precision = "fp32"'
    )


def _columns(config: Config) -> tuple[str, ...]:
    """The columns of the log: a step may leave out terms whose weight is 0 at the time."""
    return "step", "loss", *config.terms, "gradient_norm", "learning_rate", "pictures_s"


def fingerprint(batches: Batches) -> str:
    """What the crops and labels of batches are, as hexadecimal digits."""
    digest = hashlib.sha256()
    for cache in batches.caches:
        digest.update(cache.store.folder.name.encode())
        for each in (cache.source.points, cache.source.labelled, cache.source.exchanges):
            digest.update(each.tobytes())
    if batches.backgrounds is not None:
        digest.update(batches.backgrounds.store.folder.name.encode())
    return digest.hexdigest()
