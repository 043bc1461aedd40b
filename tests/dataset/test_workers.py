"""Worker processes: the same dataset as one process makes, whoever dies."""

from __future__ import annotations

import contextlib
import json
import math
import os
import pickle
import sys
from functools import partial
from pathlib import Path

import pytest
from commands import contents
from fakes import ball_source
from worker_doors import (
    Proud,
    open_balls,
    open_counting,
    open_deadly,
    open_hanging,
    refuse,
)

from spinetrack_synth.dataset import DatasetConfig, run_dataset, workers
from spinetrack_synth.dataset.making import Failure, Made, Opening
from spinetrack_synth.dataset.state import describe
from spinetrack_synth.dataset.workers import Worker, local_workers, some_cores
from spinetrack_synth.errors import UserError

pytestmark = pytest.mark.slow

CONFIG = DatasetConfig(scene="balls", count=12, seed=5, size=(64, 48), format="png")


def make(out: Path, count: int = 2, open_renderer=open_balls, **doors) -> int:
    return run_dataset(
        CONFIG, out, open_source=doors.pop("open_source", ball_source),
        open_renderer=open_renderer, open_pool=local_workers(count), **doors,
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What one process makes."""
    out = tmp_path_factory.mktemp("whole")
    run_dataset(CONFIG, out, open_source=ball_source, open_renderer=open_balls)
    return contents(out)


def test_workers_that_die_cost_nothing_but_their_shots(
    tmp_path: Path, whole: dict[str, bytes]
) -> None:
    told = []
    (tmp_path / "graves").mkdir()
    open_renderer = partial(open_deadly, tmp_path / "graves")
    make(tmp_path / "out", open_renderer=open_renderer, on_failure=told.append)
    assert sorted(failure.index for failure in told) == [2, 7]
    for failure in told:
        assert failure.cause == "its process was ended by SIGKILL: Critical compiler failure"
        assert "worker" in failure.where
    assert contents(tmp_path / "out") == whole


def test_workers_refuse_what_one_process_refuses(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^no such scene$"):
        make(tmp_path / "out", open_source=refuse)
    assert not (tmp_path / "out").exists()


@pytest.mark.exhaustive
def test_workers_that_draw_with_other_things_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"draws with engine .*, the others with engine"):
        make(tmp_path, open_renderer=Proud)


def test_workers_that_have_grown_are_replaced(
    tmp_path: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "FEWEST", 6)
    monkeypatch.setattr(workers, "machine_memory_bytes", lambda: 1.0)
    begun = []
    real = workers._Process
    monkeypatch.setattr(workers, "_Process", lambda *ways: begun.append(1) or real(*ways))
    make(tmp_path, count=1)
    assert len(begun) == 2
    assert contents(tmp_path) == whole


def test_stopped_workers_go_on_in_one_process(tmp_path: Path, whole: dict[str, bytes]) -> None:
    def stop(done: int, wanted: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, progress=stop)
    state = json.loads((tmp_path / ".parts/train/state.json").read_bytes())
    assert state["count"] == 12
    assert run_dataset(CONFIG, tmp_path, open_source=ball_source, open_renderer=open_balls) == 7
    assert contents(tmp_path) == whole


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="Linux alone tells cores")
def test_a_worker_starts_its_threads_for_its_cores_and_runs_on_all(tmp_path: Path) -> None:
    source = Opening(CONFIG, describe(CONFIG), ball_source, partial(open_counting, tmp_path))
    worker = Worker(pickle.dumps(source), math.inf, some_cores(0, 1))
    with contextlib.closing(worker):
        assert all(isinstance(outcome, Made) for outcome in worker.make([0, 1]))
    told = {path.name: int(path.read_text()) for path in tmp_path.iterdir()}
    assert told == {"open": 1, "0": 1, "1": len(some_cores(0, sys.maxsize))}


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="Linux alone tells cores")
def test_workers_share_cores_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3, 5, 6, 9})
    assert [some_cores(number, 2) for number in range(3)] == [[3, 5], [6, 9], [3, 5]]
    assert [some_cores(number, 1) for number in range(5)] == [[3], [5], [6], [9], [3]]
    assert sorted(some_cores(1, 9)) == [3, 5, 6, 9]


def test_a_worker_that_hangs_is_replaced_and_its_shot_has_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opening = Opening(CONFIG, describe(CONFIG), ball_source, open_hanging)
    with contextlib.closing(Worker(pickle.dumps(opening), math.inf)) as worker:
        (made,) = worker.make([1])
        monkeypatch.setattr(workers, "SILENT_S", 0.1)
        (failure,) = worker.make([2])
        monkeypatch.undo()
        (after,) = worker.make([3])
    assert isinstance(made, Made) and isinstance(after, Made)
    assert isinstance(failure, Failure)
    assert failure.cause == "its process was silent for 0 minutes and was ended"
