"""Bounds and prior of the free coordinates: where a fit may go, and where it is drawn to.

All arrays are (k,), in the order of `Tree.free`; rad and m.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.functions import Piecewise
from spinetrack_synth.anatomy.ik.topology import is_base
from spinetrack_synth.anatomy.model import Tree

Array = NDArray[np.float64]

FAINT_PRIOR_M: Final = 1e-5
"""Marker error that the prior of what the markers show assumes: it holds what no marker shows at
its default value and moves what the markers do show by less than 1e-6 rad."""

RANGE_PER_DEVIATION: Final = 4.0
"""The prior takes a coordinate's range for four standard deviations: 95% lie within it."""

UNKNOWN_DEVIATION: Final = 0.5
"""Standard deviation (rad, m) of the prior where a model gives no sensible range."""

BASE_PRIOR: Final = 1e-14
"""Prior weight of where a body as a whole stands in the world: nothing is known of it."""

BEYOND: Final = 0.5
"""How far an unclamped coordinate may leave the range in which its curves are known, as a share of
it: OpenSim's fits do so by a few degrees, whereas a circle on the curves are made up."""


def bounds(tree: Tree) -> tuple[Array, Array]:
    """Bounds of the free coordinates (k,), (k,): their own and those of what they alone drive."""
    free = tree.free_index
    known = _known_span(tree)[free]
    lower = np.where(tree.clamped[free], tree.lower[free], known[:, 0])
    upper = np.where(tree.clamped[free], tree.upper[free], known[:, 1])
    curve_of = {
        tree.quantity_index[step.target]: (step.function, tree.free.index(step.sources[0]))
        for step in tree.steps
        if step.function is not None and step.sources[0] in tree.free
    }
    for i in np.flatnonzero(tree.clamped).tolist():
        drivers = np.flatnonzero(tree.coupling[i])
        span = np.array([tree.lower[i], tree.upper[i]])
        if i in curve_of:
            function, k = curve_of[i]
            ends = _span_of_driver(function, span, tree.default_coordinates[free[k]])
        elif len(drivers) == 1 and free[drivers[0]] != i:
            k = int(drivers[0])
            ends = np.sort((span - tree.offset[i]) / tree.coupling[i, k])
        else:
            continue
        # A range that leaves its driver no room says nothing: OpenSim could not hold it either.
        if max(lower[k], ends[0]) <= min(upper[k], ends[1]):
            lower[k], upper[k] = max(lower[k], ends[0]), min(upper[k], ends[1])
    return lower, upper


def sensible_range(tree: Tree) -> Array:
    """Range (k,) of each free coordinate, NaN where it is a length or no range of a joint."""
    width = (tree.upper - tree.lower)[tree.free_index]
    sensible = tree.rotational[tree.free_index] & (width > 0) & (width <= 2 * np.pi + 1e-6)
    return np.where(sensible, width, np.nan)


def prior_weight(tree: Tree, prior_m: float) -> Array:
    """Weight (k,) of the prior for one marker, m^2 a rad^2 or m^2, where markers are taken to be
    wrong by ``prior_m``: coordinates are drawn to their defaults in proportion to their ranges."""
    deviation = sensible_range(tree) / RANGE_PER_DEVIATION
    deviation = np.where(np.isnan(deviation), UNKNOWN_DEVIATION, deviation)
    return np.where(is_base(tree), BASE_PRIOR, (prior_m / deviation) ** 2)


def _known_span(tree: Tree) -> Array:
    """Where the curves that a coordinate drives are known, and somewhat beyond (n, 2); infinite
    where it drives none.

    Known is a curve between its knots and over the coordinate's declared range. A turn further on
    it would be made up, and yet may fit the markers as well.
    """
    chain = tree.chain
    knots = [
        (tree.quantity_index[step.sources[0]], step.function.knots, step.function.coefficients)
        for step in tree.steps
        if step.function is not None
    ]
    for axis, i in enumerate(chain.axis_coordinate.tolist()):
        pieces = slice(chain.piece_start[axis], chain.piece_start[axis + 1])
        knots.append((i, chain.piece_knot[pieces], chain.piece_coefficient[pieces]))
    span = np.tile([np.inf, -np.inf], (len(tree.coordinates), 1))
    bent = np.zeros(len(span), dtype=np.bool_)
    for i, places, coefficients in knots:
        if not 0 <= i < len(span) or (len(places) == 1 and not np.any(coefficients[:, 2:])):
            continue
        bent[i] = True
        if len(places) > 1:
            span[i] = min(span[i, 0], places[0]), max(span[i, 1], places[-1])
    declared = np.stack([tree.lower, tree.upper], axis=1)
    width = tree.upper - tree.lower
    told = (width > 0) & (~tree.rotational | (width <= 2 * np.pi + 1e-6))
    span[told] = np.stack(
        [np.minimum(span, declared)[told, 0], np.maximum(span, declared)[told, 1]], axis=1
    )
    width = span[:, 1] - span[:, 0]
    room = BEYOND * width
    # No angle has two places a circle apart.
    room = np.where(tree.rotational, np.clip(np.pi - width / 2, 0.0, room), room)
    bent &= width > 0
    span += np.stack([-room, room], axis=1)
    return np.where(bent[:, None], span, [-np.inf, np.inf])


def _span_of_driver(function: Piecewise, span: Array, default: float) -> Array:
    """How far a driver may go (2,), both ways from its default, while what it drives by a curve
    stays within ``span`` (2,); all the way where the default itself does not."""
    ends = np.concatenate([function.reaches(end) for end in span])
    if not span[0] <= function(default) <= span[1]:
        return np.array([-np.inf, np.inf])
    below, above = ends[ends <= default], ends[ends >= default]
    return np.array([below.max(initial=-np.inf), above.min(initial=np.inf)])
