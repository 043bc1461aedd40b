"""Coordinate tasks with the values that they ask for at every frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.ik import CoordinateGoal
from spinetrack_synth.anatomy.ik.setup_files import Tasks
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.storage import read_coordinates


def coordinate_goals(
    tree: Tree, tasks: Tasks, file: Path | None, times_s: NDArray[np.float64]
) -> tuple[CoordinateGoal, ...]:
    """The coordinate tasks with their values; those of coordinates that cannot move are dropped.

    Raises UserError where a task takes its value from a file that is not given or lacks it.
    """
    goals = []
    motion = None
    for task in tasks.coordinates:
        if task.weight == 0:
            continue
        if task.name in tree.coordinate_index:
            i = tree.coordinate_index[task.name]
            if not tree.depends[i].any():
                continue  # held
        value: float | NDArray[np.float64] = task.value
        if task.kind == "default_value" and task.name in tree.coordinate_index:
            value = float(tree.default_coordinates[tree.coordinate_index[task.name]])
        elif task.kind == "from_file":
            if file is None:
                raise UserError(f"task {task.name}: takes its value from a file, but none is given")
            motion = motion or read_coordinates(file, tree)
            if task.name not in motion.names:
                raise UserError(f"{file}: has no column {task.name}, which a task asks for")
            value = np.interp(
                times_s, motion.times_s, motion.values[:, motion.names.index(task.name)]
            )
        goals.append(CoordinateGoal(task.name, task.weight, value))
    return tuple(goals)
