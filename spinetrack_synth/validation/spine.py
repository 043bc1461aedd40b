"""Rules of the spine's and the bones' shape that need no body model (SPT52x).

All limits are metres or ratios in the plane of the picture, at the person's own scale
(``proportions``), and were measured on 4,000 projections of the pose library from all sides
(``benchmarks/validate.py --calibrate``): the largest value of a clean person, with room to spare. A
spine that the ground truth declares not to be normal may lie as much farther off as it says.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Final

import numpy as np

from spinetrack_synth import skeleton
from spinetrack_synth.coco.document import Floats, rows_where
from spinetrack_synth.coco.proportions import BONES_M, bone_scales, pixels_per_metre
from spinetrack_synth.lengths import SPINE_GAPS_M
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.findings import Fault, Severity
from spinetrack_synth.validation.ground_truth import declared_offsets_m
from spinetrack_synth.validation.rules import rule
from spinetrack_synth.validation.sides import BEFORE

SPINE_NAMES: Final = tuple(skeleton.NAMES[index] for index in skeleton.SPINE)

REVERSED_M: Final = 0.03
"""So much nearer to the wrong end of the trunk: clean up to -0.02."""
SWAP_GAIN_M: Final = 0.04
"""Shorter way through the spine if two points were exchanged: clean up to 0.033."""
NEXT_SWAP_GAIN_M: Final = 0.025
"""The same of neighbours: clean up to 0.014."""
ON_A_LINE_PX: Final = 0.01
"""So near to a line seven spine points never lie: clean people 0.04 px and more."""
LEAST_WAY_PX: Final = 40.0
FEWEST_ON_A_LINE: Final = 7
OFF_CURVE_M: Final = np.array([0.040, 0.040, 0.040, 0.060, 0.040, 0.035, 0.040])
"""Distance of spine_01 .. neck_02 from the line of their neighbours: clean up to 0.020, at
spine_04, whose neighbours are far, 0.040."""
FEWEST_GAPS: Final = 4
"""Of fewer gaps the middle one may itself be wrong."""
GAP_RATIO: Final = 1.7
"""Longest gap against the model's: clean up to 1.43."""
BEND_DEG: Final = 85.0
"""Sharpest turn at a spine point between gaps that are seen long: clean up to 74."""
BONE_RATIO: Final = 1.9
"""All bones at a joint against the longest of the others: clean up to 1.39."""
LEAST_PX: Final = 3.0
"""Smaller distances are the labels' own noise."""


def spine_points(dataset: Dataset) -> Floats:
    """The nine spine points (N, 9, 2) px, caudal to cranial; nan where not labelled."""
    return dataset.once(
        "spine points",
        lambda: np.stack([dataset.point(name)[:, :2] for name in SPINE_NAMES], axis=1),
    )


def spine_scale(dataset: Dataset) -> Floats:
    """Pixels a metre (N,) as in ``pixels_per_metre``, more where the spine as a whole is seen
    longer than that allows: who is cut off may show bones alone that point to the camera."""
    scale = pixels_per_metre(dataset)
    gaps = np.linalg.norm(np.diff(spine_points(dataset), axis=1), axis=2) / SPINE_GAPS_M
    told = np.isfinite(gaps).sum(1) >= FEWEST_GAPS
    whole = np.full(len(gaps), -np.inf)
    whole[told] = np.nanmedian(gaps[told], axis=1)
    larger: Floats = np.where(np.isfinite(scale), np.fmax(scale, whole), np.nan)
    return larger


def _way(points: Floats) -> Floats:
    """Length of the way through points (..., P, 2)."""
    length: Floats = np.linalg.norm(np.diff(points, axis=-2), axis=-1).sum(-1)
    return length


PAIRS: Final = tuple(combinations(range(len(SPINE_NAMES)), 2))


def swap_gain_m(dataset: Dataset) -> Floats:
    """How much shorter (N, pairs) the way through the spine were, were two points exchanged."""
    points = spine_points(dataset)
    way = _way(points)
    gains = []
    for a, b in PAIRS:
        order = list(range(len(SPINE_NAMES)))
        order[a], order[b] = b, a
        gains.append(way - _way(points[:, order]))
    return np.stack(gains, axis=1) / spine_scale(dataset)[:, None]


def upside_down_m(dataset: Dataset) -> Floats:
    """By how much (N,) the hip's spine point is nearer to the shoulders, and the neck to the hips,
    than the other way round."""
    ends = np.stack([dataset.point(name)[:, :2] for name in ("hip", "neck")])
    middles = [
        (dataset.point(f"left_{part}") + dataset.point(f"right_{part}"))[:, :2] / 2
        for part in ("hip", "shoulder")
    ]
    to_hips, to_shoulders = (np.linalg.norm(ends - middle, axis=2) for middle in middles)
    nearer = np.minimum(to_hips[0] - to_shoulders[0], to_shoulders[1] - to_hips[1])
    nearer_m: Floats = nearer / spine_scale(dataset)
    return nearer_m


def off_curve_m(dataset: Dataset) -> Floats:
    """Distance (N, 7) of spine_01 .. neck_02 from their share of the line of their neighbours."""
    points = spine_points(dataset)
    share = (SPINE_GAPS_M[:-1] / (SPINE_GAPS_M[:-1] + SPINE_GAPS_M[1:]))[:, None]
    expected = points[:, :-2] * (1 - share) + points[:, 2:] * share
    distance = np.linalg.norm(points[:, 1:-1] - expected, axis=2)
    distance_m: Floats = distance / spine_scale(dataset)[:, None]
    return distance_m


def gaps_m(dataset: Dataset) -> Floats:
    """Distances (N, 8) from each spine point to the next."""
    gaps = np.linalg.norm(np.diff(spine_points(dataset), axis=1), axis=2)
    gaps_in_m: Floats = gaps / spine_scale(dataset)[:, None]
    return gaps_in_m


def bend_deg(dataset: Dataset) -> Floats:
    """Turn (N, 7) at spine_01 .. neck_02; nan between gaps that are seen short."""
    steps = np.diff(spine_points(dataset), axis=1)
    length = np.linalg.norm(steps, axis=2)
    least = np.fmax(0.5 * SPINE_GAPS_M * spine_scale(dataset)[:, None], 2 * LEAST_PX)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = (steps[:, 1:] * steps[:, :-1]).sum(2) / (length[:, 1:] * length[:, :-1])
    bend: Floats = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    bend[~(length > least)[:, 1:] | ~(length > least)[:, :-1]] = np.nan
    return bend


JOINTS: Final = tuple(sorted({joint for bone in BONES_M for joint in bone}))


def bone_ratio(dataset: Dataset) -> Floats:
    """The shortest bone at each joint (N, joints) against the longest of the bones elsewhere,
    each against its length in the model; nan where fewer than four of those are labelled."""
    scales = bone_scales(dataset)
    ratios = np.full((len(scales), len(JOINTS)), np.nan)
    for number, joint in enumerate(JOINTS):
        touching = np.array([joint in bone for bone in BONES_M])
        own, others = scales[:, touching], scales[:, ~touching]
        shortest = np.where(np.isfinite(own), own, np.inf).min(1, initial=np.inf)
        longest = np.where(np.isfinite(others), others, 0.0).max(1, initial=0.0)
        usable = np.isfinite(shortest) & (np.isfinite(others).sum(1) >= 4) & (longest > 0)
        ratios[usable, number] = shortest[usable] / longest[usable]
    return ratios


@rule(
    "SPT521",
    "spine-order",
    family="spine",
    severity=Severity.WARNING,
    reason="""The points follow each other from the sacrum to the skull. If the way through them
    becomes shorter when two of them change places, they had changed places.""",
    example="`spine_02` and `spine_03` exchanged",
    needs=("spine",),
    unless=BEFORE,
)
def spine_order(dataset: Dataset) -> Iterator[Fault]:
    """Two spine points are in each other's place."""
    gain = swap_gain_m(dataset)
    limit = np.array([NEXT_SWAP_GAIN_M if b - a == 1 else SWAP_GAIN_M for a, b in PAIRS])
    limit = limit + declared_offsets_m(dataset)[:, None]
    least = np.fmax(limit, (2 * LEAST_PX / spine_scale(dataset))[:, None])
    for row in rows_where(upside_down_m(dataset) > REVERSED_M):
        message = "the sacrum's point lies at the shoulders and the neck's at the hips: reversed"
        yield dataset.annotation_fault(row, message, field=".keypoints", part="hip")
    for row in rows_where((gain > least).any(1)):
        a, b = (SPINE_NAMES[end] for end in PAIRS[int(np.nanargmax(gain[row]))])
        message = f"{a} and {b} are in each other's place along the spine"
        yield dataset.annotation_fault(row, message, field=".keypoints", part=a)


@rule(
    "SPT522",
    "spine-point-off-curve",
    family="spine",
    severity=Severity.WARNING,
    reason="""Vertebrae move a few degrees against each other, so a spine point lies near the line
    of its neighbours, at its own share of the way.""",
    example="`spine_04` 8 cm beside the back",
    needs=("spine",),
    unless=(*BEFORE, "SPT521", "SPT526"),
)
def spine_point_off_curve(dataset: Dataset) -> Iterator[Fault]:
    """A spine point lies off the curve of its neighbours."""
    distance = off_curve_m(dataset)
    limit = OFF_CURVE_M + declared_offsets_m(dataset)[:, None]
    excess = distance / np.fmax(limit, (LEAST_PX / spine_scale(dataset))[:, None])
    for row in rows_where((excess > 1).any(1)):
        # A displaced point draws its neighbours' expectation along: the farthest one is meant.
        worst = int(np.nanargmax(excess[row]))
        off_m = distance[row, worst]
        name = SPINE_NAMES[worst + 1]
        message = f"{name} lies about {100 * off_m:.0f} cm off the line of its neighbours"
        yield dataset.annotation_fault(
            row, message, field=".keypoints", part=name, value=round(float(off_m), 4)
        )


@rule(
    "SPT523",
    "spine-spacing",
    family="spine",
    severity=Severity.WARNING,
    reason="""A picture shortens distances, it never stretches them. A gap much longer than the
    model's at this person's size means that a point belongs elsewhere.""",
    example="`hip` 20 cm below `spine_01`",
    needs=("spine",),
    unless=(*BEFORE, "SPT521", "SPT522", "SPT526"),
)
def spine_spacing(dataset: Dataset) -> Iterator[Fault]:
    """Two neighbours of the spine lie too far apart."""
    gaps = gaps_m(dataset)
    told = gaps - declared_offsets_m(dataset)[:, None]
    ratio = (told - (LEAST_PX / spine_scale(dataset))[:, None]) / SPINE_GAPS_M
    for row in rows_where((ratio > GAP_RATIO).any(1)):
        worst = int(np.nanargmax(ratio[row]))
        a, b = SPINE_NAMES[worst : worst + 2]
        message = f"{a} and {b} are about {100 * gaps[row, worst]:.0f} cm apart, expected at most "
        message += f"{100 * SPINE_GAPS_M[worst]:.0f} cm at this size"
        yield dataset.annotation_fault(
            row, message, field=".keypoints", part=a, value=round(float(ratio[row, worst]), 3)
        )


@rule(
    "SPT524",
    "spine-bend",
    family="spine",
    severity=Severity.WARNING,
    reason="""Between two neighbouring points lie two to five discs, which bend by some 50 degrees
    together. A sharper turn is a fracture or a wrong label.""",
    example="the spine folds back at `neck`",
    needs=("spine",),
    unless=(*BEFORE, "SPT521", "SPT522", "SPT523", "SPT526"),
)
def spine_bend(dataset: Dataset) -> Iterator[Fault]:
    """The spine turns too sharply at a point."""
    bend = bend_deg(dataset)
    # So much more may a shape turn it that lies so far off within one gap.
    shaped = np.degrees(np.arctan2(declared_offsets_m(dataset), SPINE_GAPS_M.mean()))
    for row in rows_where((bend > BEND_DEG + shaped[:, None]).any(1)):
        worst = int(np.nanargmax(bend[row]))
        name = SPINE_NAMES[worst + 1]
        message = f"the spine turns by {bend[row, worst]:.0f} degrees at {name}"
        yield dataset.annotation_fault(
            row, message, field=".keypoints", part=name, value=round(float(bend[row, worst]), 1)
        )


@rule(
    "SPT525",
    "bone-too-long",
    family="spine",
    severity=Severity.WARNING,
    reason="""Seen from anywhere, bones keep their proportions or look shorter. When every bone at
    a joint is nearly twice as long as all others allow, the joint lies elsewhere.""",
    example="`left_wrist` on the neighbour's hand",
    needs=("names",),
    unless=(*BEFORE, "SPT50"),
)
def bone_too_long(dataset: Dataset) -> Iterator[Fault]:
    """All bones at a joint are too long for the rest of the person."""
    ratios = bone_ratio(dataset)
    extent = np.nan_to_num(pixels_per_metre(dataset)) * BONES_M["left_hip", "left_knee"]
    for row in rows_where((ratios > BONE_RATIO).any(1) & (extent > 5 * LEAST_PX)):
        worst = int(np.nanargmax(ratios[row]))
        message = f"the bones at {JOINTS[worst]} are {ratios[row, worst]:.1f} times as long as "
        message += "any other bone allows"
        yield dataset.annotation_fault(
            row, message, field=".keypoints", part=JOINTS[worst],
            value=round(float(ratios[row, worst]), 3),
        )  # fmt: skip


@rule(
    "SPT526",
    "spine-interpolated",
    family="spine",
    severity=Severity.WARNING,
    reason="""A spine is curved, and nobody labels seven vertebrae on a line to a hundredth of a
    pixel: the points between the ends were computed, not seen.""",
    example="`spine_01` to `spine_05` at equal steps from `hip` to `neck`",
    needs=("spine",),
    unless=(*BEFORE, "SPT521"),
)
def spine_interpolated(dataset: Dataset) -> Iterator[Fault]:
    """Seven or more spine points lie exactly on a straight line."""
    points = spine_points(dataset)
    finite = np.isfinite(points.sum(axis=2))
    # Whole pixels lie on a line by chance.
    told = np.asarray((np.nan_to_num(points) % 1 == 0).all((1, 2)))
    for start in range(points.shape[1] - FEWEST_ON_A_LINE + 1):
        some = points[:, start : start + FEWEST_ON_A_LINE]
        along = some[:, -1] - some[:, 0]
        length = np.linalg.norm(along, axis=1)
        across = np.stack([-along[:, 1], along[:, 0]], axis=1) / np.fmax(length, 1e-9)[:, None]
        off = np.abs(((some - some[:, :1]) * across[:, None]).sum(2)).max(1)
        exact = finite[:, start : start + FEWEST_ON_A_LINE].all(1)
        exact = exact & (off < ON_A_LINE_PX)
        for row in rows_where(exact & (length > LEAST_WAY_PX) & ~told):
            told[row] = True
            first, last = SPINE_NAMES[start], SPINE_NAMES[start + FEWEST_ON_A_LINE - 1]
            message = f"{first} to {last} lie exactly on a straight line: they were interpolated"
            yield dataset.annotation_fault(row, message, field=".keypoints", part=first)
