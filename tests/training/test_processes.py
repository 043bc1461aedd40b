"""Processes that train together."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="pip install 'spinetrack-synth[train]'")

from spinetrack_synth.errors import UserError  # noqa: E402
from spinetrack_synth.training.processes import Processes  # noqa: E402

NORMED = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.BatchNorm2d(4))


def test_batch_norms_over_processes_without_gpus_are_refused() -> None:
    with pytest.raises(UserError, match=r'need GPUs; write batch_norm = "frozen"'):
        Processes(0, 2, torch.device("cpu")).with_shared_norms(NORMED)
    assert Processes(0, 1, torch.device("cpu")).with_shared_norms(NORMED) is NORMED
    plain = torch.nn.Conv2d(3, 4, 1)
    assert Processes(0, 2, torch.device("cpu")).with_shared_norms(plain) is plain


def test_batch_norms_over_gpus_are_shared() -> None:
    shared = Processes(0, 2, torch.device("cuda", 0)).with_shared_norms(NORMED)
    assert isinstance(shared[1], torch.nn.SyncBatchNorm)
