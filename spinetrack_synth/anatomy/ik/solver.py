"""The solver of one model and set of markers: all that stays the same over the frames."""

from __future__ import annotations

from typing import Final, NamedTuple

from spinetrack_synth.anatomy.ik.equivalent_angles import (
    EquivalentAngles,
    find_equivalent_angles,
)
from spinetrack_synth.anatomy.ik.objective import Scratch, make_scratch
from spinetrack_synth.anatomy.ik.observability import Observability, find_observability
from spinetrack_synth.anatomy.ik.problem import Problem, with_prior
from spinetrack_synth.anatomy.ik.ranges import prior_weight
from spinetrack_synth.anatomy.ik.restarts import Restarts, make_restarts
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.compiled import by_reference

BROAD_PRIOR_M: Final = 0.02
"""Marker error assumed while a frame is searched from afar: it keeps joints from their limits."""


@by_reference
class Solver(NamedTuple):
    """What is fitted and how it is searched; ``broad`` is the ``problem`` under a broader prior.

    ``scratch`` is written to, so that every thread needs a solver of its own (`for_thread`).
    """

    problem: Problem
    broad: Problem
    restarts: Restarts
    angles: EquivalentAngles
    observability: Observability
    scratch: Scratch


def make_solver(tree: Tree, problem: Problem, prior_m: float) -> Solver:
    """The solver of a problem whose prior assumes a marker error of ``prior_m``."""
    broad = prior_weight(tree, max(prior_m, BROAD_PRIOR_M))[problem.free]
    restarts = make_restarts(tree, problem)
    return Solver(
        problem,
        with_prior(problem, broad),
        restarts,
        find_equivalent_angles(tree, problem),
        find_observability(problem, restarts.starts[1]),
        make_scratch(problem),
    )


def for_thread(solver: Solver) -> Solver:
    """The same solver with memory of its own."""
    return solver._replace(scratch=make_scratch(solver.problem))
