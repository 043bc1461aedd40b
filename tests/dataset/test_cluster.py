"""A Dask cluster of this machine: the same dataset as one process makes, whoever dies."""

from __future__ import annotations

import dataclasses
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from commands import contents
from fakes import ball_source
from worker_doors import NullRenderer, open_balls, same_person

from spinetrack_synth.dataset import DatasetConfig, run_dataset
from spinetrack_synth.dataset.cluster import on_cluster
from spinetrack_synth.errors import UserError

pytest.importorskip("distributed", reason="pip install 'spinetrack-synth[cluster]'")

pytestmark = pytest.mark.slow

CONFIG = DatasetConfig(scene="balls", count=8, seed=5, size=(64, 48), format="png")
MANY = dataclasses.replace(CONFIG, count=200, quality="draft")
TESTS = Path(__file__).parents[1]


def make(out: Path, address: str, config: DatasetConfig = CONFIG, **doors) -> int:
    return run_dataset(
        config, out, open_source=ball_source, open_renderer=open_balls,
        open_pool=on_cluster(address), **doors,
    )  # fmt: skip


def start(*command: str) -> subprocess.Popen:
    path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli." + command[0], *command[1:]],
        env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.DEVNULL,
    )  # fmt: skip


@contextmanager
def cluster(workers: int, *options: str) -> Iterator[tuple[str, list[subprocess.Popen]]]:
    """The address of a scheduler, and its workers, which do not come again by themselves."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    port = address.rpartition(":")[2]
    scheduler = start("dask_scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
    running = [start_worker(address, *options) for _ in range(workers)]
    try:
        yield address, running
    finally:
        for process in [*running, scheduler]:
            process.kill()
            process.wait()


def start_worker(address: str, *options: str) -> subprocess.Popen:
    return start("dask_worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard",
                 *(options or ("--resources", "renderer=1")))  # fmt: skip


def test_a_cluster_makes_what_one_process_makes_and_refuses_another_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_dataset(CONFIG, tmp_path / "whole", open_source=ball_source, open_renderer=open_balls)
    with cluster(1) as (address, _):
        assert make(tmp_path / "out", address) == 8
        monkeypatch.setattr("spinetrack_synth.dataset.cluster.__version__", "0.0")
        more = dataclasses.replace(CONFIG, count=9)
        with pytest.raises(UserError, match=r"worker on .* has spinetrack-synth .*this run"):
            make(tmp_path / "out", address, more)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_an_address_that_does_not_answer_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spinetrack_synth.dataset.cluster.ANSWER_S", 0.5)
    for address, why in (("tcp://127.0.0.1:9", "no Dask scheduler"), ("nonsense://x", "no Dask")):
        with pytest.raises(UserError, match=why) as error:
            make(tmp_path / "out", address)
        assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.exhaustive
def test_workers_without_the_resource_are_told_how_to_start(tmp_path: Path) -> None:
    with (
        cluster(1, "--name", "plain") as (address, _),
        pytest.raises(UserError, match=r"none of its 1 workers .* --resources renderer=1"),
    ):
        time.sleep(8)
        make(tmp_path, address)


@pytest.mark.exhaustive
@pytest.mark.timeout(1500)
def test_four_workers_killed_at_random_lose_nothing_and_make_nothing_twice(tmp_path: Path) -> None:
    run_dataset(MANY, tmp_path / "whole", open_source=ball_source, open_renderer=open_balls)
    moments, killed = random.Random(3), 0
    calls: list[int] = []
    with cluster(4) as (address, workers):

        def kill_now_and_then(done: int, wanted: int) -> None:
            nonlocal killed
            calls.append(done)
            if done and moments.random() < 0.06:
                time.sleep(moments.uniform(0, 0.3))
                victim = moments.randrange(4)
                workers[victim].kill()
                workers[victim].wait()
                workers[victim] = start_worker(address)
                killed += 1

        made = make(tmp_path / "out", address, MANY, progress=kill_now_and_then)
    print("killed", killed)  # noqa: T201
    assert made == 200 and killed >= 4
    assert calls == list(range(201))
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


DRIVER = """
import sys
from pathlib import Path
from worker_doors import NullRenderer, same_person
from spinetrack_synth.dataset import DatasetConfig, run_dataset
from spinetrack_synth.dataset.cluster import on_cluster
from spinetrack_synth.dataset.workers import local_workers

address = sys.argv[2]
print("ready", flush=True)
run_dataset({config!r}, Path(sys.argv[1]), open_source=same_person, open_renderer=NullRenderer,
            open_pool=on_cluster(address) if address else local_workers(2))
"""


def kill_drivers(out: Path, address: str, config: DatasetConfig) -> int:
    """Start a run again and again and kill it at random moments; then let it end."""
    moments, killed = random.Random(7), 0
    path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    for turn in range(21):
        driver = subprocess.Popen(
            [sys.executable, "-c", DRIVER.format(config=config), str(out), address],
            env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert driver.stdout.readline() == "ready\n"
        if turn < 20:
            # Once the first pictures are there, or earlier now and then.
            before, end = pictures(out), time.monotonic() + moments.choice([1, 60, 60])
            while pictures(out) == before and driver.poll() is None and time.monotonic() < end:
                time.sleep(0.01)
            time.sleep(moments.uniform(0, 0.5))
            killed += driver.poll() is None
            driver.kill()
        code = driver.wait()
        driver.stdout.close()
    assert code == 0
    return killed


def pictures(out: Path) -> int:
    return len(list(out.glob(".parts/train/0*.json")))


@pytest.mark.exhaustive
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("where", ["cluster", "local workers"])
def test_drivers_killed_at_random_moments_end_in_the_same_dataset(
    tmp_path: Path, where: str
) -> None:
    count = 12_000 if where == "cluster" else 3000  # enough for 20 kills before the end
    config = dataclasses.replace(CONFIG, count=count, size=(32, 32))
    doors = {"open_source": same_person, "open_renderer": NullRenderer}
    run_dataset(config, tmp_path / "whole", **doors)
    out = tmp_path / "out"
    if where == "cluster":
        with cluster(2) as (address, _):
            killed = kill_drivers(out, address, config)
    else:
        killed = kill_drivers(out, "", config)
    print("killed", killed)  # noqa: T201
    assert killed == 20
    assert contents(out) == contents(tmp_path / "whole")
