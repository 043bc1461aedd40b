"""What the contact solver works on: the problem it is given, and the arrays it fills."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.compiled import by_reference

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@by_reference
class FreeCoordinates(NamedTuple):
    """How the k free coordinates drive all n: ``q[i] = factor[i] * z[column[i]] + offset[i]``, the
    range of each, and its ``stiffness`` (1 / how readily it gives way, rad or m). ``height`` is the
    free coordinate that lifts the whole posture."""

    column: Ints
    factor: Array
    offset: Array
    lower: Array
    upper: Array
    stiffness: Array
    height: int


@by_reference
class Masses(NamedTuple):
    """Mass of every body, (B,) kg, and its centre in the body, (B, 3) m."""

    kg: Array
    center_m: Array


@by_reference
class Contacts(NamedTuple):
    """Skin points (V,) on bodies; patches that touch the floor, ``points[start[i]:start[i + 1]]``;
    R pairs of points that meet, on the bodies ``meeting_body`` (R, 2) at ``meeting_m`` (R, 2, 3)
    in these, within ``meeting_sigma_m`` (R,); E points that penetrate other skin, with the place
    they are to come out at, on the bodies ``penetrating_body`` (E, 2) at ``penetrating_m``
    (E, 2, 3) in these, and where the skin faces there, ``outward`` (E, 3) in the second body; depth
    to which each body's skin may sink into what is under it, ``allowed_depth_m`` (B,), and how high
    that is, ``level_m`` (B,): 0 for the floor."""

    body: Ints
    offset_m: Array
    start: Ints
    points: Ints
    meeting_body: Ints
    meeting_m: Array
    meeting_sigma_m: Array
    penetrating_body: Ints
    penetrating_m: Array
    outward: Array
    allowed_depth_m: Array
    level_m: Array


@by_reference
class LimbCapsules(NamedTuple):
    """Capsules kept apart, as in `collision.Capsules`."""

    body: Ints
    start_m: Array
    end_m: Array
    radius_m: Array
    pairs: Ints
    slack_m: Array


@by_reference
class Kinematics(NamedTuple):
    """Where the bodies and the joint axes are, as `kinematics.forward` fills them."""

    body2world: Array
    axis_world: Array
    origin_world: Array
    slope: Array


@by_reference
class Residuals(NamedTuple):
    """What a step should do: ``jacobian @ step + value = 0`` (R, k), (R,) m within ``sigma`` (R,).

    ``one_sided`` is 1 where the value may stay positive, -1 negative, 0 neither; ``active`` tells
    which residuals take part at present.
    """

    jacobian: Array
    value: Array
    sigma: Array
    one_sided: Ints
    active: Ints


@by_reference
class Rows(NamedTuple):
    """Where the residuals of each kind begin: contacts at 0, then ``reaches``, the ``balance``,
    ``collisions`` of limbs, ``penetrations`` of skin by points that are on their way out, and a
    growing list of ``watched`` points that came to the floor and must not go below."""

    reaches: int
    balance: int
    collisions: int
    penetrations: int
    watched: int


@by_reference
class SolverState(NamedTuple):
    """Where the solver stands: the free coordinates ``z`` (k,), where they would rather be, the
    step and the one before; all coordinates ``q``; height of every skin point, the lowest point of
    every patch and of every body (-1 for a body without skin), and points watched, with the depth
    that each may sink to. What a step is found with: the normal matrix, its lower half, and the
    gradient, and which coordinates are held and where they ``stop``."""

    z: Array
    anchor: Array
    step: Array
    last: Array
    q: Array
    heights: Array
    touching: Ints
    body_lowest: Ints
    watched: Ints
    watched_sunk: Array
    normal: Array
    gradient: Array
    row: Array
    held: NDArray[np.bool_]
    stop: Array
