"""Which GPU each process gets: told by variables and files alone, for no test has a GPU."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest
from fakes import ball_source
from worker_doors import open_balls

from spinetrack_synth.dataset import DatasetConfig, gpus, workers
from spinetrack_synth.dataset.gpus import VISIBLE, gpu_of_process, visible_gpus
from spinetrack_synth.dataset.making import Opening
from spinetrack_synth.dataset.workers import LocalWorkers
from spinetrack_synth.errors import UserError


@pytest.fixture
def devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of /dev, and nothing asked for."""
    monkeypatch.setattr(gpus, "DEVICES", tmp_path)
    monkeypatch.delenv(VISIBLE, raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        ("0", ("0",)),
        ("3,1", ("3", "1")),
        (" 2 , 0", ("2", "0")),
        ("GPU-8a,MIG-4f", ("GPU-8a", "MIG-4f")),
        ("1,-1,0", ("1",)),
        ("", ()),
        ("-1", ()),
    ],
)
def test_what_cuda_shows_is_what_is_used(devices: Path, monkeypatch, asked: str, seen) -> None:
    (devices / "nvidia0").touch()
    monkeypatch.setenv(VISIBLE, asked)
    assert visible_gpus() == seen


def test_the_drivers_files_are_counted(devices: Path) -> None:
    assert visible_gpus() == ()
    for name in ("nvidia3", "nvidia10", "nvidiactl", "nvidia-uvm", "nvidia-caps", "null"):
        (devices / name).touch()
    assert visible_gpus() == ("0", "1")  # in a container CUDA counts those that are there


def test_processes_get_the_gpus_in_turn(devices: Path, monkeypatch) -> None:
    monkeypatch.setenv(VISIBLE, "4,6,7")
    given = [gpu_of_process(number)[VISIBLE] for number in range(5)]
    assert given == ["4", "6", "7", "4", "6"]
    monkeypatch.setenv(VISIBLE, "4")
    assert gpu_of_process(1) == {}  # all share what they see anyway


def test_a_worker_sees_its_gpu_alone(devices: Path, monkeypatch) -> None:
    """Processes of their own are asked, which do nothing but answer."""
    monkeypatch.setenv(VISIBLE, "4,6")
    monkeypatch.setattr(
        workers,
        "_START",
        "import os, sys\n"
        "from multiprocessing.connection import Connection\n"
        "parent = Connection(int(sys.argv[1]))\n"
        "parent.recv()\n"
        f"parent.send({{'gpu': os.environ['{VISIBLE}'], 'of': os.environ['HOME']}})\n",
    )
    home = os.environ["HOME"]  # all else is as it is here
    opening = Opening(DatasetConfig("balls", 1), {}, ball_source, open_balls)
    with closing(LocalWorkers(opening, 2)) as pool:
        assert pool.drawn_by == {"gpu": "4", "of": home}
        _, second = pool._workers
        with pytest.raises(UserError, match=f"draws with gpu 6, of {home}, the others with gpu 4"):
            second.open()
