"""Inverse kinematics: OpenSim's tool and our solver on the same markers, in one run.

    python benchmarks/ik.py [--frames 30] [--noise-mm 0 5] [--trials FOLDER]
    python benchmarks/ik.py --memory

One table, a row a trial: our model on a motion through poses of the library at 100 frames a second,
and every set-up file of OpenSim's tool in ``--trials`` and below it, such as those of OpenSim's
tutorials. Ours runs with its default settings, both with the weights of the set-up file.

The solvers are timed in this process, in CPU seconds without the reading of files; ours is called
for a second at least, and of all calls the least counts. On our model it is given a longer motion
that begins with the frames that OpenSim solves. Whole processes go from set-up file to motion,
starting and reading included: Python that imports opensim and runs its tool, and the command
``ik``, compiled already; of three runs the least CPU and the least wall seconds. Marker errors are
of the frames that both solve.

``--memory`` runs the command ``ik`` on recordings of three lengths, each in a process of its own,
and prints its CPU seconds and its peak of memory.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from start import least, seconds

from spinetrack_synth.anatomy.ik.setup_files import Setup, read_setup
from spinetrack_synth.anatomy.kinematics import marker_positions
from spinetrack_synth.anatomy.model import Tree, fullbody_path, load_model
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import MarkerMotion
from spinetrack_synth.motion.fitting import fit
from spinetrack_synth.motion.models import model_file
from spinetrack_synth.motion.opensim_reference import solution_at, tool_input
from spinetrack_synth.motion.opensim_tool import run_tool
from spinetrack_synth.motion.trc import write_trc
from spinetrack_synth.motion.trial import Request, prepare, request_from_setups
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.sampling import blend, pose_coordinates

RATE_HZ = 100.0
SECONDS_A_TRANSITION = 2.0
FIRST_FRAME = 60
"""Where the arms are on their way: the first frames of a transition hardly move."""

TRANSITIONS = (
    "tadasana", "urdhva_hastasana", "uttanasana", "virabhadrasana_2", "navasana", "balasana",
    "ustrasana", "salabhasana", "tadasana", "virabhadrasana_2", "uttanasana",
)  # fmt: skip


def yoga(tree: Tree, frames: int) -> np.ndarray:
    """Coordinates (F, n) through poses of the library, smoothly."""
    poses = library("yoga")
    keys = [pose_coordinates(tree, poses[name]) for name in TRANSITIONS if name in poses]
    steps = int(SECONDS_A_TRANSITION * RATE_HZ)
    rows = []
    for a, b in zip(keys, keys[1:]):
        for s in np.linspace(0, 1, steps, endpoint=False):
            rows.append(blend(tree, a, b, s * s * (3 - 2 * s)))
    return np.array(rows[FIRST_FRAME : FIRST_FRAME + frames])


def recorded(tree: Tree, frames: int, noise_mm: float, folder: Path) -> Path:
    """A marker file of the motion, with noise."""
    coupled = load_model(fullbody_path())
    q = np.clip(yoga(coupled, frames), tree.lower, tree.upper)
    positions_m = np.array([marker_positions(tree, row) for row in q])
    positions_m += np.random.default_rng(0).normal(0, noise_mm / 1000, positions_m.shape)
    path = folder / f"{tree.name}.trc"
    times_s = np.arange(frames) / RATE_HZ
    write_trc(path, MarkerMotion(tree.marker_names, times_s, positions_m))
    return path


PEAK = """
import resource, sys, time
from spinetrack_synth.motion.fit_files import write_results
from spinetrack_synth.motion.fitting import fit
from spinetrack_synth.motion.trial import Request, prepare
from pathlib import Path
trial = prepare(Request(*map(Path, sys.argv[1:3])))
write_results(trial, fit(trial), Path(sys.argv[3]))
peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(f"{time.process_time():6.1f} s CPU, {peak_kb / 1024:6.0f} MB at the most")
"""


def memory(folder: Path) -> None:
    """Print what recordings of several lengths take, from file to file."""
    tree = load_model(fullbody_path())
    there = np.array([marker_positions(tree, row) for row in yoga(tree, 1900)])
    to_and_fro = np.concatenate([there, there[::-1]])
    rng = np.random.default_rng(0)
    for frames in (2_000, 10_000, 40_000):
        path = folder / f"{frames}.trc"
        at = np.arange(frames) % len(to_and_fro)
        positions_m = to_and_fro[at] + rng.normal(0, 0.002, (frames, *there.shape[1:]))
        write_trc(path, MarkerMotion(tree.marker_names, np.arange(frames) / RATE_HZ, positions_m))
        files = (fullbody_path(), path, folder / f"{frames}.mot")
        command = [sys.executable, "-c", PEAK, *map(str, files)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        print(f"{frames:6} frames: {said.strip()}")


TOOL = """
import sys
import opensim
opensim.Logger.setLevelString("Off")
tool = opensim.InverseKinematicsTool(sys.argv[1])
tool.setOutputMotionFileName(sys.argv[2])
tool.setResultsDir(sys.argv[3])
sys.exit(not tool.run())
"""

TOOL_TAG = re.compile(rb"<(InverseKinem\w+Tool|IKTool)\b")
"""With OpenSim's own spellings."""

SETUP = """<OpenSimDocument Version="40000"><InverseKinematicsTool>
<model_file>{model}</model_file><marker_file>{markers}</marker_file><time_range>0 {end}</time_range>
<accuracy>1e-5</accuracy></InverseKinematicsTool></OpenSimDocument>"""


class Case(NamedTuple):
    """A row of the table. ``longer`` are markers that begin with those of the set-up file."""

    name: str
    setup: Path
    longer: Path | None = None


def own_cases(work: Path, frames: int, long: int, noises_mm: Sequence[float]) -> Iterator[Case]:
    """Our model, without and with noise."""
    for label, coupled in (("coupled", True), ("uncoupled", False)):
        path = fullbody_path(coupled)
        tree = load_model(path)
        for noise_mm in noises_mm:
            folder = work.resolve() / f"{label}_{noise_mm:g}"
            markers = recorded(tree, frames, noise_mm, folder)
            longer = recorded(tree, long, noise_mm, folder / "longer")
            setup = folder / "setup.xml"
            end = (frames - 1) / RATE_HZ
            setup.write_text(SETUP.format(model=path, markers=markers, end=end))
            yield Case(f"ours, {label}, {noise_mm:g} mm", setup, longer)


def published_cases(folder: Path) -> Iterator[Case]:
    """The set-up files in a folder and below it."""
    for file in sorted(folder.resolve().rglob("*.xml")):
        if TOOL_TAG.search(file.read_bytes()):
            yield Case(str(file.relative_to(folder.resolve())), file)


def request_of(setup: Setup) -> Request:
    """What a set-up file asks for, as the command ``ik`` understands it."""
    if setup.model is None or setup.markers is None:
        raise UserError("names no model or no markers")
    return request_from_setups(setup)


def cpu_s(call: Callable[[], object], for_s: float) -> float:
    """The least CPU seconds of a call that is repeated for so long."""
    taken_s: list[float] = []
    while sum(taken_s) < for_s:
        begin = time.process_time()
        call()
        taken_s.append(time.process_time() - begin)
    return min(taken_s)


def solvers(case: Case) -> str:
    """Columns: free coordinates, frames, frames a CPU second of both, ratio, marker RMS of both."""
    import opensim

    opensim.Logger.setLevelString("Off")
    request = request_of(read_setup(case.setup))
    trial = prepare(request)
    with model_file(trial.model) as model:
        reading_s = cpu_s(lambda: opensim.Model(str(model)), 0.5)
        begin = time.process_time()
        motion = run_tool(tool_input(trial, model))
        theirs_s = time.process_time() - begin - 2 * reading_s  # it looks at the model beforehand
    theirs, ours = solution_at(trial, motion), fit(trial)  # also compiles
    timed = trial
    if case.longer:
        timed = prepare(replace(request, markers=case.longer, time_range_s=None))
    frames = len(trial.markers.times_s)
    theirs_rate = frames / theirs_s
    ours_rate = len(timed.markers.times_s) / cpu_s(lambda: fit(timed), 1.0)
    return (
        f"{len(trial.tree.free):4} | {frames:6} | {theirs_rate:7.1f} | {ours_rate:7.0f} |"
        f" {ours_rate / theirs_rate:6.1f} | {1000 * theirs.rms_m:10.4f} | {1000 * ours.rms_m:7.4f}"
    )


def processes(setup: Path, work: Path) -> str:
    """Columns: CPU and wall seconds of both as processes, ratio of CPU and of wall."""
    motion = (work / "whole.mot").resolve()
    # OpenSim looks for the model where it runs.
    theirs = [sys.executable, "-c", TOOL, setup.name, motion, motion.parent]
    ours = [sys.executable, "-m", "spinetrack_synth", "ik", "--setup", setup, "--out", motion]
    seconds(ours)  # compiles
    them, us = least(theirs, 3, cwd=setup.parent), least(ours, 3)
    return (
        f"{them.cpu:11.2f} | {them.wall:5.2f} | {us.cpu:8.2f} | {us.wall:5.2f} |"
        f" {them.cpu / us.cpu:9.1f} | {them.wall / us.wall:5.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=30, help="frames of our model, for OpenSim")
    parser.add_argument("--long", type=int, default=1900, help="frames of our model, for ours")
    parser.add_argument("--noise-mm", type=float, nargs="*", default=[0.0, 5.0], help="an axis")
    parser.add_argument("--trials", type=Path, help="folder with set-up files of OpenSim's tool")
    parser.add_argument("--work", type=Path, default=Path("build/benchmark_ik"))
    parser.add_argument("--memory", action="store_true", help="peak of memory by length instead")
    arguments = parser.parse_args()
    if arguments.memory:
        memory(arguments.work)
        return
    cases = list(own_cases(arguments.work, arguments.frames, arguments.long, arguments.noise_mm))
    if arguments.trials:
        cases += published_cases(arguments.trials)
    if not cases:
        parser.error(f"{arguments.trials}: no set-up files of OpenSim's tool")
    width = max(len(case.name) for case in cases)
    print("solvers: frames a CPU second, marker RMS in mm; whole processes: seconds")
    print(
        f"| {'trial':{width}} | free | frames | OpenSim |    ours |  ratio |"
        " OpenSim mm | ours mm | OpenSim CPU |  wall | ours CPU |  wall | ratio CPU |  wall |"
    )
    print("|---" * 14 + "|")
    for case in cases:
        try:
            figures = f"{solvers(case)} | {processes(case.setup, arguments.work)}"
        except (UserError, RuntimeError) as error:
            figures = f"failed: {str(error).strip().splitlines()[-1]}"
        print(f"| {case.name:{width}} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
