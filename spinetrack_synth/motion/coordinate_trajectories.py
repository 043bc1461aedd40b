"""Coordinate trajectories: what each coordinate does over time, as goals for a second fit.

A marker on the head of somebody who walks through the room goes a long way, so that little of its
noise can be taken off without taking motion with it. The neck below hardly turns, and most of its
noise can go. So a recording is fitted as it stands first. Each coordinate is then smoothed on its
own, as stiffly as its own trajectory allows, and that trajectory is a goal of the second fit, that
of the smoothed markers; both weigh as much as the errors that are left in them say.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.ik import CoordinateGoal, Solution
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.motion.smoothing import SHORTEST, Smoothed, pieces, smooth_trajectory

Array = NDArray[np.float64]

HEAVY_TAILS: Final = 1.5
"""Noise whose standard deviation is this many times what its median says is none to be smoothed: a
straight arm's rotation jumps from frame to frame."""

AT_END: Final = 0.02
"""Nor is that of a coordinate which stays at its end in a larger share of the frames: it has no
other side."""

FAR: Final = 5.0
"""A trajectory farther from the smoothed markers' fit than so many standard deviations of its noise
is of another fit: an arm and its twin."""


def trajectory_goals(
    tree: Tree, recorded: Solution, smoothed: Solution, markers: Smoothed, taken: Collection[str]
) -> tuple[CoordinateGoal, ...]:
    """A goal for each free coordinate whose noise can be smoothed, but for those ``taken`` already.

    ``recorded`` and ``smoothed`` are the fits of the ``markers`` as recorded and as smoothed. Left
    out are coordinates that can say the same in two ways (an angle that may turn half round or
    more), and trajectories that the smoothed markers contradict.
    """
    times_s, names = markers.markers.times_s, list(markers.markers.names)
    left_m = markers.left_m[[names.index(name) for name in recorded.markers]]
    shortest = min(piece.stop - piece.start for piece in pieces(times_s))
    if shortest < SHORTEST or not np.isfinite(left_m).any():
        return ()
    seen = float(np.isfinite(recorded.marker_error_m).sum(axis=1).mean())
    marker_variance = float(np.nanmean(left_m**2)) / seen
    goals = []
    for name, i in zip(tree.free, tree.free_index):
        values = recorded.coordinates[:, i]
        if name in taken or _is_ambiguous(tree, int(i)) or not _is_steady(tree, int(i), values):
            continue
        trajectory, left = smooth_trajectory(values, times_s)
        apart = np.abs(smoothed.coordinates[:, i] - trajectory)
        if apart.max() < FAR * np.std(values - trajectory):
            goals.append(CoordinateGoal(name, marker_variance / left**2, trajectory))
    return tuple(goals)


def _is_ambiguous(tree: Tree, i: int) -> bool:
    width = tree.upper[i] - tree.lower[i] if tree.clamped[i] else np.inf
    return bool(tree.rotational[i]) and width >= np.pi


def _is_steady(tree: Tree, i: int, values: Array) -> bool:
    """Whether the noise of a coordinate (F,) is such as a spline can take off."""
    if tree.clamped[i]:
        at_end = (values <= tree.lower[i] + 1e-9) | (values >= tree.upper[i] - 1e-9)
        if at_end.mean() > AT_END:
            return False
    fifth = np.diff(values, n=5)
    usual = np.median(np.abs(fifth)) / 0.6745
    return bool(usual > 1e-9 and fifth.std() <= HEAVY_TAILS * usual)
