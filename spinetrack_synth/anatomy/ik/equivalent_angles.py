"""Other angles of the same place: full turns, and the twins of joints of three axes."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.ik.problem import Problem, has_task
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.compiled import by_reference, inner

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

AT_RIGHT_ANGLES: Final = 1e-6


@by_reference
class EquivalentAngles(NamedTuple):
    """Columns whose angles are not the only ones that put the bodies where they are.

    ``round_columns`` (k,) are angles that are the same a full circle on, ``gliding_columns`` (k,)
    such that move something else besides, so that a circle on they are almost the same.
    ``twin_columns`` (T, 3) are the angles about three axes, the second at right angles to the
    others, which reach every place in two ways: half a turn more for the first and the third, and
    ``twin_sum`` (T,) less the second. None of them has a coordinate task but the gliding ones.
    """

    round_columns: Bools
    gliding_columns: Bools
    twin_columns: Ints
    twin_sum: Array


def find_equivalent_angles(tree: Tree, problem: Problem) -> EquivalentAngles:
    """The columns of a problem whose angles have others that say the same."""
    pure = np.abs(_lines(problem)[0]) == 1.0
    unbounded = np.isinf(problem.lower) & np.isinf(problem.upper)
    turns = tree.rotational[tree.free_index[problem.free]]
    twin_columns, twin_sum = _twins(problem)
    return EquivalentAngles(
        round_columns=pure & ~has_task(problem),
        gliding_columns=turns & unbounded & ~pure,
        twin_columns=twin_columns,
        twin_sum=twin_sum,
    )


def _lines(problem: Problem) -> tuple[Array, Array]:
    """Slope and intercept (k,), (k,) by which a column turns the one axis that is all it moves;
    slope 0 where it does anything else."""
    chain = problem.chain
    slope, intercept = np.zeros((2, len(problem.lower)))
    parts = np.zeros(len(problem.lower), dtype=np.int64)
    for motion, column in enumerate(problem.motions.column):
        for part in range(
            problem.motions.part_start[motion], problem.motions.part_start[motion + 1]
        ):
            axis, entry = problem.motions.part_axis[part], problem.motions.part_entry[part]
            parts[column] += 1
            first, last = chain.piece_start[axis], chain.piece_start[axis + 1]
            row = chain.piece_coefficient[first]
            if chain.axis_is_rotation[axis] and last - first == 1 and not np.any(row[2:]):
                at_zero = (
                    problem.coupling.offset[chain.axis_coordinate[axis]] - chain.piece_knot[first]
                )
                slope[column] = row[1] * problem.coupling.slope[entry]
                intercept[column] = row[0] + row[1] * at_zero
    return np.where(parts == 1, slope, 0.0), intercept


def _twins(problem: Problem) -> tuple[Ints, Array]:
    """Columns (T, 3) of the joints that turn about three axes, the second at right angles to the
    others, in their order, and the sum (T,) of the second angle and its twin.

    Half a turn more about the first and the third axis, R1(pi) R2(b) R3(pi), is R2(2 t - b) where t
    is the angle from the third axis to the first, about the second.
    """
    chain = problem.chain
    slope, intercept = _lines(problem)
    free = (np.abs(slope) == 1.0) & ~has_task(problem)
    column_of_axis = dict(
        zip(
            problem.motions.part_axis[problem.motions.part_start[:-1]].tolist(),
            problem.motions.column.tolist(),
        )
    )
    found, sums = [], []
    for body in range(len(chain.parent)):
        axes = [
            axis
            for axis in range(chain.axis_start[body], chain.axis_start[body + 1])
            if chain.axis_is_rotation[axis]
        ]
        columns = [column_of_axis.get(axis, -1) for axis in axes]
        if len(axes) != 3 or min(columns) < 0 or not free[columns].all():
            continue
        one, two, three = chain.axis_direction[axes]
        if max(abs(one @ two), abs(two @ three)) < AT_RIGHT_ANGLES:
            between = np.arctan2(two @ np.cross(three, one), three @ one)
            k = columns[1]
            found.append(columns)
            sums.append(2 * slope[k] * (between - intercept[k]))
    return np.array(found, dtype=np.int64).reshape(-1, 3), np.array(sums, dtype=float)


@inner(error_model="numpy")
def twin_angle(angles: EquivalentAngles, twin: int, i: int, z: Array) -> float:
    """The i-th of the other three angles (rad) of a joint whose angles stand in z (k,)."""
    k = angles.twin_columns[twin, i]
    return angles.twin_sum[twin] - z[k] if i == 1 else z[k] + np.pi  # type: ignore[no-any-return]  # compiled


@inner(apart=True, error_model="numpy")
def nearest_angles(problem: Problem, angles: EquivalentAngles, wanted: Array, z: Array) -> None:
    """Write z (k,) with the angles nearest to ``wanted`` that put the model in the same place."""
    turn = 2 * np.pi
    other = np.empty(3)
    for k in range(len(z)):
        if angles.round_columns[k]:
            angle = z[k] - turn * np.round((z[k] - wanted[k]) / turn)
            if problem.lower[k] <= angle <= problem.upper[k]:
                z[k] = angle
    for twin in range(len(angles.twin_columns)):
        allowed, here, there = True, 0.0, 0.0
        for i in range(3):
            k = angles.twin_columns[twin, i]
            other[i] = twin_angle(angles, twin, i, z)
            other[i] -= turn * np.round((other[i] - wanted[k]) / turn)
            allowed &= problem.lower[k] <= other[i] <= problem.upper[k]
            here += (z[k] - wanted[k]) ** 2
            there += (other[i] - wanted[k]) ** 2
        if allowed and there < here:
            for i in range(3):
                z[angles.twin_columns[twin, i]] = other[i]


@inner(apart=True, error_model="numpy")
def turn_to_twin(problem: Problem, angles: EquivalentAngles, twin: int, z: Array) -> None:
    """Write the other three angles of a joint into z (k,), as far as its bounds let it go."""
    for i in range(3):
        k = angles.twin_columns[twin, i]
        angle = twin_angle(angles, twin, i, z)
        centre = 0.5 * (problem.lower[k] + problem.upper[k])
        if np.isfinite(centre):
            angle -= 2 * np.pi * np.round((angle - centre) / (2 * np.pi))
        z[k] = min(max(angle, problem.lower[k]), problem.upper[k])
