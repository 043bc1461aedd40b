"""Inverse kinematics: OpenSim's tool and our solver on the same markers, in one run.

    python benchmarks/ik.py [--frames 30] [--noise-mm 0 5] [--gait FOLDER]
    python benchmarks/ik.py --memory
    python benchmarks/ik.py --whole [--trials FOLDER]

Our solver runs with its default settings. The motion passes through poses of the library at 100
frames a second. Both solvers get the same marker file and unit weights; both are timed by CPU
seconds: OpenSim's tool with the reading of the model (well under a second), ours on a longer motion
that begins with the same frames, so that the clock has something to measure. Marker errors are of
the frames that both solve. ``--gait`` is a folder with OpenSim's published example
(subject01_Setup_InverseKinematics.xml). ``--memory`` runs the command ``ik`` on recordings of
three lengths, each in a process of its own, and prints its CPU seconds and its peak of memory.
``--whole`` times whole processes, ours compiled already: the command ``ik`` against Python that
imports opensim and runs its tool on the same set-up file, all those in a folder and below it (such
as OpenSim's tutorials), else one of our model.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from start import least, seconds

from spinetrack_synth.anatomy.kinematics import marker_positions
from spinetrack_synth.anatomy.model import Tree, fullbody_path, load_model
from spinetrack_synth.anatomy.tasks import read_setup
from spinetrack_synth.motion.data import MarkerMotion
from spinetrack_synth.motion.fitting import Request, Trial, fit, prepare, solution_at, tool_input
from spinetrack_synth.motion.opensim_tool import run_tool
from spinetrack_synth.motion.trc import write_trc
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
    poses = library()
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
from spinetrack_synth.motion.fitting import Request, fit, prepare, write_results
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
tool.run()
"""

SETUP = """<OpenSimDocument Version="40000"><InverseKinematicsTool>
<model_file>{model}</model_file><marker_file>{markers}</marker_file><time_range>0 {end}</time_range>
<accuracy>1e-5</accuracy></InverseKinematicsTool></OpenSimDocument>"""


def whole(setups: list[Path], work: Path) -> None:
    """Print what both take as processes, from set-up file to motion, reading and starting included;
    of three runs the least."""
    print("CPU and wall seconds of whole processes: OpenSim, ours, ratio of CPU")
    motion = (work / "whole.mot").resolve()
    for setup in setups:
        # OpenSim looks for the model where it runs.
        theirs = [sys.executable, "-c", TOOL, setup.name, motion, motion.parent]
        ours = [sys.executable, "-m", "spinetrack_synth", "ik", "--setup", setup, "--out", motion]
        try:
            seconds(ours)  # compiles
            them, us = least(theirs, 3, cwd=setup.parent), least(ours, 3)
        except RuntimeError as error:
            print(f"{setup.name}: {str(error).splitlines()[-1]}")
            continue
        print(
            f"{setup.parent.name + '/' + setup.name:56} {them.cpu:6.2f} {them.wall:6.2f}"
            f" {us.cpu:6.2f} {us.wall:6.2f} {them.cpu / us.cpu:6.2f}x"
        )


def own_setup(work: Path) -> Path:
    """A set-up file of our model, thirty frames."""
    tree = load_model(fullbody_path())
    markers = recorded(tree, 30, 5.0, work / "whole").resolve()
    setup = work / "whole" / "setup.xml"
    setup.write_text(SETUP.format(model=fullbody_path(), markers=markers, end=0.29))
    return setup.resolve()


def compare(label: str, trial: Trial, long: Trial) -> float:
    """Time both engines; prints a line and returns the ratio of frames per CPU second."""
    begin = time.process_time()
    motion = run_tool(tool_input(trial, trial.request.model))
    theirs_s = time.process_time() - begin
    theirs = solution_at(trial, motion)
    ours = fit(trial)  # also compiles
    best_s = np.inf
    for _ in range(3):
        begin = time.process_time()
        fit(long)
        best_s = min(best_s, time.process_time() - begin)
    theirs_rate = len(trial.markers.times_s) / theirs_s
    ours_rate = len(long.markers.times_s) / best_s
    print(
        f"{label:22} {len(trial.tree.free):4} free  OpenSim {theirs_rate:8.1f}/s  "
        f"ours {ours_rate:8.0f}/s  ratio {ours_rate / theirs_rate:6.0f}x  "
        f"marker RMS {1000 * theirs.rms_m:7.4f} / {1000 * ours.rms_m:7.4f} mm"
    )
    return ours_rate / theirs_rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=30, help="frames that OpenSim solves")
    parser.add_argument("--long", type=int, default=1900, help="frames that ours solves")
    parser.add_argument("--noise-mm", type=float, nargs="+", default=[0.0, 5.0], help="an axis")
    parser.add_argument("--gait", type=Path, help="folder of OpenSim's published example")
    parser.add_argument("--work", type=Path, default=Path("build/benchmark_ik"))
    parser.add_argument("--memory", action="store_true", help="peak of memory by length instead")
    parser.add_argument("--whole", action="store_true", help="whole processes instead")
    parser.add_argument("--trials", type=Path, help="with --whole: a folder of set-up files")
    arguments = parser.parse_args()
    if arguments.whole:
        files = sorted(arguments.trials.resolve().rglob("*.xml")) if arguments.trials else []
        setups = [file for file in files if b"<InverseKinematicsTool" in file.read_bytes()]
        whole(setups or [own_setup(arguments.work)], arguments.work)
        return
    if arguments.memory:
        memory(arguments.work)
        return
    print("frames per CPU second; marker RMS of OpenSim / ours")
    for label, coupled in (("coupled", True), ("uncoupled", False)):
        path = fullbody_path(coupled)
        tree = load_model(path)
        for noise_mm in arguments.noise_mm:
            trials = []
            for count in (arguments.frames, arguments.long):
                folder = arguments.work / f"{noise_mm:g}_{count}"
                file = recorded(tree, count, noise_mm, folder)
                trials.append(prepare(Request(path, file)))
            compare(f"ours, {label}, {noise_mm:g} mm", *trials)
    if arguments.gait:
        setup = read_setup(arguments.gait / "subject01_Setup_InverseKinematics.xml")
        assert setup.model and setup.markers
        trial = prepare(Request(setup.model, setup.markers, setup.tasks))
        compare("published gait model", trial, trial)


if __name__ == "__main__":
    main()
