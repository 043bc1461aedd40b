"""Whatever happens to a run, the same command ends in the same files: real kills included."""

from __future__ import annotations

import errno
import os
import random
import resource
import shutil
import signal
from multiprocessing.process import BaseProcess
from pathlib import Path

import forks
import pytest
from fakes import BallRenderer, ball_source

from spinetrack_synth.dataset import DatasetConfig, files, run_dataset
from spinetrack_synth.errors import UserError

pytestmark = pytest.mark.slow

CONFIG = DatasetConfig(scene="balls", count=6, seed=5, size=(64, 48), format="png")

RUN = Path(__file__).with_name("killed_run.py")


def start(out: Path, *, replacements: int = 0) -> BaseProcess:
    """A process that makes the dataset; killed at a replacement of a file if told so."""
    process, pipe = forks.start(RUN, out, CONFIG, out, replacements)
    assert pipe.recv() == "ready"
    return process


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != files.LOCK
    }


def make(out: Path) -> int:
    return run_dataset(
        CONFIG, out, open_source=ball_source, open_renderer=lambda backend: BallRenderer()
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("whole")
    make(out)
    return contents(out)


@pytest.mark.slow
def test_killed_at_every_kind_of_write(tmp_path: Path, whole: dict[str, bytes]) -> None:
    # A process writes its state, then image and record of each shot, then annotations, ground
    # truth, contact sheet and manifest.
    in_shots, in_the_end = (2, 3, 4, 7, 6, 3, 4), (2, 3, 4, 5)
    for replacements in in_shots + in_the_end:
        process = start(tmp_path, replacements=replacements)
        process.join()
        assert process.exitcode == -signal.SIGKILL
        assert not (tmp_path / "manifest.json").exists()
    for name in ("annotations/person_keypoints_train.json", "ground_truth/train.parquet"):
        assert (tmp_path / name).read_bytes() == whole[name]
    make(tmp_path)
    assert contents(tmp_path) == whole


def test_killed_while_it_tidies_up(tmp_path: Path, whole: dict[str, bytes]) -> None:
    out = tmp_path / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *args, **kwargs: None)
        make(out)
    for path in (".parts/train/state.json", ".parts/train/000002.json"):
        (out / path).unlink()
    assert make(out) == 0
    assert contents(out) == whole


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path: Path, whole: dict[str, bytes]) -> None:
    moments = random.Random(11)
    killed = 0
    for _ in range(5):
        process = start(tmp_path)
        process.join(moments.uniform(0.0, 0.2))
        if process.is_alive():
            process.kill()
            process.join()
            killed += process.exitcode == -signal.SIGKILL
    assert killed > 0
    make(tmp_path)
    assert contents(tmp_path) == whole


@pytest.mark.parametrize("write", [1, 2, 3, 8, 14, 15, 16, 17])
def test_a_full_disk_at_any_write(
    tmp_path: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, write: int
) -> None:
    real, done = os.replace, 0

    def replace(source, target):
        nonlocal done
        done += 1
        if done == write:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(UserError, match=r"cannot be written: No space left on device; .*free some"):
        make(tmp_path)
    assert not list(tmp_path.rglob("*.tmp"))
    monkeypatch.undo()
    make(tmp_path)
    assert contents(tmp_path) == whole


def test_a_file_size_limit_is_told_too(tmp_path: Path, whole: dict[str, bytes]) -> None:
    # The kernel refuses the write itself, in the middle of a file.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(UserError, match=r"contact_sheet\.jpg|parquet|json: cannot be written"):
            make(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (tmp_path / "manifest.json").exists()
    make(tmp_path)
    assert contents(tmp_path) == whole


def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written: Not a directory"):
        make(tmp_path / "file" / "out")
