"""What makers of pictures side by side bring, and what the one that tells them what to do costs.

    python benchmarks/scale.py [--pairs 6] [--block 16] [--workers 2] [--scene yoga] [--seed 7]
                               [--quality normal] [--size 640x480]
    python benchmarks/scale.py --null 100000 [--workers 2]

First the pictures of one process are timed step by step, by the clock on the wall and by the
processor: posing, upload, light, ids and depth, denoising, labels, encoding; what a step's wall
time leaves over its CPU time on all cores is waiting (or other work on the machine). Then one
process and the worker processes of ``render --workers`` take turns of a block each, all of them
warm, so that other work on the machine troubles both alike: the ratio is that of their sums.

``--null`` sends that many shots that cost next to nothing through the same scheduler into a
dataset: time a shot, the driver's own CPU time, its memory, and merging apart.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from asked import picture_size
from clock import Clock

from spinetrack_synth.dataset import DatasetConfig, making, merge, run, run_dataset
from spinetrack_synth.dataset.making import Made, Opening
from spinetrack_synth.dataset.pool import Pool, ThisProcess
from spinetrack_synth.dataset.source import scene_source
from spinetrack_synth.dataset.state import describe
from spinetrack_synth.dataset.workers import LocalWorkers, local_workers
from spinetrack_synth.rendering import film, open_renderer

CORES = len(os.sched_getaffinity(0))
TARGET = 1.3


def timed(clock: Clock, step: str, work: Any) -> Any:
    """The same function, its time noted."""
    return lambda *args, **named: clock.time(step, lambda: work(*args, **named))


def measure_steps(opening: Opening, count: int) -> None:
    """Print where the time of a picture goes in this process, warm."""
    clock = Clock()
    maker = making.ShotMaker(opening)
    for index in range(count // 2):
        assert isinstance(maker.make(index), Made)
    stage = maker.renderer._stage
    maker._shot_at = timed(clock, "posing", maker._shot_at)
    stage.load = timed(clock, "upload", stage.load)
    stage.light = timed(clock, "light", stage.light)
    stage.scan = timed(clock, "ids, depth", stage.scan)
    kept = film.denoise, making.annotate, making.record_shot, making.encode_image
    film.denoise = timed(clock, "denoising", film.denoise)
    making.annotate = timed(clock, "labels", making.annotate)
    making.record_shot = timed(clock, "records", making.record_shot)
    making.encode_image = timed(clock, "JPEG", making.encode_image)
    make = timed(clock, "picture", maker.make)
    with tempfile.TemporaryDirectory() as folder:
        for index in range(count // 2, count // 2 + count):
            made = make(index)
            path = Path(folder) / f"{index}"
            clock.time(
                "files", lambda m=made, p=path: (p.write_bytes(m.image), p.write_bytes(m.record))
            )
    film.denoise, making.annotate, making.record_shot, making.encode_image = kept
    maker.renderer.close()
    whole = clock.mean("picture") + clock.mean("files")
    print(f"{count} pictures in one process on {CORES} cores; a picture, s wall and s CPU:")
    steps = [step for step in clock.spent if step != "picture"]
    rest = whole.copy()
    for step in steps:
        spent = np.sum(clock.spent[step], axis=0) / count
        rest -= spent
        print(
            f"  {step:12s} {spent[0]:6.3f} {spent[1]:6.3f}   {spent[0] / whole[0]:4.0%} of the wall"
        )
    print(f"  {'the rest':12s} {rest[0]:6.3f} {rest[1]:6.3f}")
    print(f"  {'all':12s} {whole[0]:6.3f} {whole[1]:6.3f}")
    print(f"  of {CORES} cores {1 - whole[1] / whole[0] / CORES:.0%} waited, or worked for others")


def cpu_seconds() -> float:
    """CPU time of this process and of those that it has started, those still running included."""
    own = time.process_time()
    ticks = os.sysconf("SC_CLK_TCK")
    for child in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split():
        fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
        own += (int(fields[11]) + int(fields[12])) / ticks
    return own


def make_block(pool: Pool, indices: range) -> np.ndarray:
    """Wall and CPU seconds of making some pictures; a shard goes to each maker in turn."""
    size = max(1, len(indices) // 4)
    shards = [indices[k : k + size] for k in range(0, len(indices), size)]
    before = np.array([time.perf_counter(), cpu_seconds()])
    for outcome in pool.make(shards):
        assert isinstance(outcome, Made), outcome
    return np.array([time.perf_counter(), cpu_seconds()]) - before


def compare(opening: Opening, workers: int, pairs: int, block: int) -> None:
    """Print the throughput of so many workers against that of this process, in turns."""
    with closing(ThisProcess(opening)) as one, closing(LocalWorkers(opening, workers)) as many:
        for pool in (one, many):
            make_block(pool, range(block))  # compiles, builds places
        seconds = np.zeros((pairs, 2, 2))
        for pair in range(pairs):
            indices = range((pair + 1) * block, (pair + 2) * block)
            for which in (0, 1) if pair % 2 else (1, 0):
                seconds[pair, which] = make_block((one, many)[which], indices)
            wall, cpu = seconds[pair].T
            each = [f"{w / block:.2f} s ({c / block:.2f} CPU)" for w, c in zip(wall, cpu)]
            print(f"  pair {pair}: a picture of one process {each[0]}, of the workers {each[1]}: "
                  f"{wall[0] / wall[1]:.2f} times", flush=True)  # fmt: skip
    wall, cpu = seconds.sum(axis=0).T
    median = np.median(seconds[:, 0, 0] / seconds[:, 1, 0])
    print(f"{workers} workers make {wall[0] / wall[1]:.2f} times the pictures (median of pairs "
          f"{median:.2f}; target {TARGET}), {cpu[1] / cpu[0]:.2f} times the CPU each")  # fmt: skip


def send_null(count: int, workers: int) -> None:
    """Print what shots cost that cost nothing."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from worker_doors import NullRenderer, same_person

    config = DatasetConfig("null", count, size=(32, 32), quality="draft")
    begun: list[np.ndarray] = []

    def now() -> np.ndarray:
        return np.array([time.perf_counter(), time.process_time()])

    def finish(*args: Any) -> None:
        begun.append(now())
        print(f"  before merging the driver holds {peak_mb():.0f} MB at most", flush=True)
        merge.finish(*args)

    run.finish = finish
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        begun.append(now())
        run_dataset(
            config, Path(folder) / "out", open_source=same_person, open_renderer=NullRenderer,
            open_pool=local_workers(workers),
        )  # fmt: skip
        end = now()
        size = sum(p.stat().st_size for p in Path(folder).rglob("*.json"))
    made, merged = (begun[1] - begun[0]) / count * 1e3, (end - begun[1]) / count * 1e3
    print(f"{count} shots that cost nothing, {workers} workers, s wall and CPU of the driver:")
    print(f"  {made[0]:.2f} ms a shot, {made[1]:.2f} CPU; target 2")
    print(f"  merging {merged[0]:.2f} ms, {merged[1]:.2f} CPU; annotations {size / 1e6:.0f} MB")
    print(f"  the driver held {peak_mb():.0f} MB at most; target 500")


def peak_mb() -> float:
    """The most memory that this process has held, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=6)
    parser.add_argument("--block", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--scene", default="yoga")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--quality", default="normal")
    parser.add_argument("--size", type=picture_size, default=(640, 480), metavar="WxH")
    parser.add_argument("--null", type=int)
    arguments = parser.parse_args()
    if arguments.null:
        send_null(arguments.null, arguments.workers)
        return
    config = DatasetConfig(
        arguments.scene, 10**6, seed=arguments.seed, size=arguments.size, quality=arguments.quality
    )
    opening = Opening(config, describe(config), scene_source, open_renderer)
    measure_steps(opening, 2 * arguments.block)
    compare(opening, arguments.workers, arguments.pairs, arguments.block)


if __name__ == "__main__":
    main()
