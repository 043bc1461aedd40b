"""Other processes make the same batches, tell what is wrong, and end with the one that started
them."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from labelled_pictures import write_set

from spinetrack_synth.errors import UserError
from spinetrack_synth.training.augmentation import AugmentationConfig
from spinetrack_synth.training.batches import Batches
from spinetrack_synth.training.crops import open_cache
from spinetrack_synth.training.reading_ahead import read_ahead
from spinetrack_synth.training.sources import SourceConfig, read_source

pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[spinepose]'")


def make_batches(folder: Path) -> Batches:
    source = read_source(SourceConfig(write_set(folder, [50] * 4)))
    return Batches(
        [open_cache(source, folder / "cache", (32, 24))], [1], 4, 0, AugmentationConfig()
    )


@pytest.mark.slow
def test_workers_make_the_same_batches_in_the_same_order(tmp_path: Path) -> None:
    batches = make_batches(tmp_path)
    count = 0
    for k, batch in enumerate(read_ahead(batches, 3, 8, 2), 3):
        for name, array in vars(batches.at(k)).items():
            np.testing.assert_array_equal(array, vars(batch)[name])
            assert vars(batch)[name].dtype == array.dtype
        count += 1
    assert count == 5


@pytest.mark.slow
def test_a_worker_that_was_killed_is_told(tmp_path: Path) -> None:
    batches = read_ahead(make_batches(tmp_path), 0, 10**6, 1)
    next(batches)
    (worker,) = multiprocessing.active_children()
    worker.kill()
    with pytest.raises(UserError, match="the process that made it has ended"):
        list(batches)
    assert not multiprocessing.active_children()


@pytest.mark.slow
def test_what_a_worker_stumbles_over_is_told(tmp_path: Path) -> None:
    batches = make_batches(tmp_path)
    shutil.rmtree(tmp_path / "cache")
    with pytest.raises(UserError, match=r"00000\.part: .*cannot be read"):
        next(read_ahead(batches, 0, 5, 1))


STARTING = """
import sys, time
from pathlib import Path
from test_reading_ahead import make_batches, read_ahead
if __name__ == "__main__":
    import multiprocessing
    batches = read_ahead(make_batches(Path(sys.argv[1])), 0, 10**6, 2)
    next(batches), next(batches)
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)
    time.sleep(60)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks into /proc")
def test_workers_end_when_the_one_that_started_them_is_killed(tmp_path: Path) -> None:
    here = Path(__file__).parent
    script = tmp_path / "starting.py"
    script.write_text(STARTING)
    paths = os.pathsep.join([str(here), str(here.parent), os.environ.get("PYTHONPATH", "")])
    started = subprocess.Popen(
        [sys.executable, script, str(tmp_path)],
        stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": paths},
    )  # fmt: skip
    assert started.stdout is not None
    workers = [int(number) for number in started.stdout.readline().split()]
    assert len(workers) == 2
    os.kill(started.pid, signal.SIGKILL)
    started.wait()
    until = time.monotonic() + 60
    while any(_runs(worker) for worker in workers) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(_runs(worker) for worker in workers)


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
