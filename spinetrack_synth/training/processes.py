"""The processes of a run under ``torchrun``, which is one process without it, and their devices."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm

from spinetrack_synth.errors import UserError

PATIENCE = timedelta(hours=6)
"""How long processes wait for one that judges, or builds the cache of crops."""


@dataclass(frozen=True)
class Processes:
    """Process number ``rank`` of ``count`` on its ``device``; the first writes all files."""

    rank: int
    count: int
    device: torch.device

    @property
    def first(self) -> bool:
        return self.rank == 0

    def mean(self, values: torch.Tensor) -> torch.Tensor:
        """The mean of a tensor over all processes; NaN where one has NaN."""
        if self.count > 1:
            distributed.all_reduce(values)
            values /= self.count
        return values

    def wait(self) -> None:
        """Until all have come here."""
        if self.count > 1:
            distributed.barrier()

    def told(self, value: float | None) -> float | None:
        """A number that the first knows, or that there is none, as all know it then."""
        if self.count > 1:
            known = (0.0, 0.0) if value is None else (1.0, value)
            held = torch.tensor(known, dtype=torch.float64, device=self.device)
            distributed.broadcast(held, 0)
            value = float(held[1]) if held[0] else None
        return value

    def with_shared_norms(self, network: nn.Module) -> nn.Module:
        """The network with batch norms over the people of all processes, as one process has them.

        Raises UserError on CPUs, for which torch has none.
        """
        if self.count == 1 or not any(isinstance(m, BatchNorm) for m in network.modules()):
            return network
        if self.device.type == "cpu":
            raise UserError(
                f'batch norms over {self.count} processes need GPUs; write batch_norm = "frozen" '
                "under [optimisation], or start one process"
            )
        shared: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
        return shared


@contextlib.contextmanager
def processes() -> Iterator[Processes]:
    """This process among those that torchrun started, joined until the block ends."""
    rank, count = (int(os.environ.get(name, usual)) for name, usual in
                   (("RANK", "0"), ("WORLD_SIZE", "1")))  # fmt: skip
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    else:
        device = torch.device("cpu")
    if count == 1:
        yield Processes(0, 1, device)
        return
    backend = "nccl" if device.type == "cuda" else "gloo"
    distributed.init_process_group(backend, timeout=PATIENCE)
    try:
        yield Processes(rank, count, device)
    finally:
        distributed.destroy_process_group()
