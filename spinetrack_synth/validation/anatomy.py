"""Rules of what a body can do (SPT4xx): the scaled full-body model is fitted to every person.

Limits are calibrated on people who are not the fit's own: sampled bodies in poses that the fit
does not begin from (``benchmarks/validate_anatomy.py``, docs/validation-anatomy.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np

from spinetrack_synth import skeleton
from spinetrack_synth.anatomy.fit2d.body import SEGMENTS
from spinetrack_synth.coco.document import Floats
from spinetrack_synth.validation import sides
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.findings import Fault, Severity, Work
from spinetrack_synth.validation.ground_truth import declared_offsets_m
from spinetrack_synth.validation.rules import rule

if TYPE_CHECKING:
    from spinetrack_synth.validation.body_fits import Bodies

SPINE_OFF: Final = 0.05
SPINE_SURPRISE: Final = 4.0
"""A spine point so far from where the others predict it, of the torso and in standard deviations
of that prediction."""

TORSO_M: Final = 0.45
"""Of a small adult: shares of the torso are told as lengths, and the other way round."""

SPINAL: Final = ("lumbar_", "thoracic_", "cervical_", "upper_cervical_")

BEYOND_REACH: Final = 0.03
POINT_SURPRISE: Final = 5.0
"""By so much of the torso a body leaves any other point that it is fitted to, and as above."""

EXCHANGED_WITHIN: Final = 0.15
"""Of the torso: so near to each other's place two exchanged points lie."""

SWAP_GAIN: Final = 12.0
MIRROR_GAIN: Final = 12.0
"""How much better a body must fit with left and right exchanged, in squared standard deviations;
a whole person's mirror image fits nearly as well, seen from far away exactly as well."""
MIRROR_NOISE: Final = 0.02
"""Labels that scatter more tell nothing of a whole person: of 2,500 people of COCO mirrored, 4
gained more than the limit, of 26,883 as they are 17."""

LIKELIHOOD_RATIO: Final = (-5.66, 3.86)
"""Logarithm of how much more often exchanged limbs gain so much than right ones: a constant, and
times the logarithm of the gain. Fitted to 26,883 people of COCO as they are and with limbs
exchanged (docs/validation-anatomy.md)."""
EXCHANGED: Final = 0.01
"""Share of people with a limb exchanged that findings are judged for."""

MIRRORED_T: Final = 2.0
MOST_GAIN: Final = 6.0
FEWEST_PEOPLE: Final = 8
"""A file is mirrored as a whole where so many people, or more, gain by it on average: Student's t
of their gains, none counted for more than so much. Clean files of 8 reach 2 once in a hundred
times, of 20 once in a thousand."""

BEYOND_LIMIT_DEG: Final = 5.0
OUT_OF_PROPORTION: Final = 3.4
"""Standard deviations of a segment's length between people. Raised from 3.0, which blamed 7 of
2,002 labelled exactly (to 3.25): bodies are drawn wider than when the spreads were measured."""

COST: Final = 60.0
COST_A_POINT: Final = 1.6
"""What the best fit may cost, for the posture and for each point."""

EXPLAINED: Final = (*sides.BEFORE, "SPT113", "SPT312", "SPT50", "SPT52", "SPT55")
"""Rules that tell the same more exactly."""


def _bodies(dataset: Dataset, work: Work) -> Bodies:
    from spinetrack_synth.validation.body_fits import bodies_of  # compiled code: not to list rules

    return bodies_of(dataset, work)


def _swap_found(bodies: Bodies) -> dict[int, tuple[str, int]]:
    """Person -> name of the exchange with which the body fits better, and its place."""
    from spinetrack_synth.anatomy.fit2d.swaps import SWAPS, whole_people

    found = {}
    names = list(SWAPS)
    rows = bodies.doubtful
    whole = whole_people(bodies.sightings.some(rows), bodies.fits.some(rows), bodies.swapped.swap)
    for k, person in enumerate(rows):
        name = "everything" if whole[k] else names[bodies.swapped.swap[k]]
        gain = bodies.swapped.gain[k]
        if gain > (MIRROR_GAIN if name == "everything" else SWAP_GAIN):
            found[int(person)] = (name, k)
    return found


@rule(
    "SPT401",
    "spine-point-misplaced",
    family="body",
    severity=Severity.WARNING,
    reason="""The whole body tells where each vertebra can be. A spine point farther from there than
    labels and bodies vary is wrong.""",
    example="`spine_03` a tenth of the torso beside the spine",
    needs=("names",),
    unless=EXPLAINED,
    slow=True,
)
def spine_point_misplaced(dataset: Dataset, work: Work) -> Iterator[Fault]:
    """A spine point is not where the rest of the body has it."""
    bodies = _bodies(dataset, work)
    swapped = _swap_found(bodies)
    other = _in_each_others_place(bodies)
    declared = declared_offsets_m(dataset)[bodies.rows] / TORSO_M
    for person, marker, off in _misplaced(bodies):
        twin = other.get((person, marker), marker)
        if declared[person] > 0 and off < SPINE_OFF + declared[person]:
            continue  # a spine that is known not to be normal
        if marker in skeleton.SPINE and twin in skeleton.SPINE and person not in swapped:
            where = _where_along_the_spine(bodies, person, marker)
            message = f"lies {100 * off:.0f} % of the torso {where} the fitted body has it"
            yield _point_fault(dataset, bodies, person, marker, off, message)


@rule(
    "SPT402",
    "point-out-of-reach",
    family="body",
    severity=Severity.WARNING,
    reason="""No posture of a body of human proportions puts the point there while the others stay
    where they are.""",
    example="`left_wrist` on the neighbour's hand",
    needs=("names",),
    unless=EXPLAINED,
    slow=True,
)
def point_out_of_reach(dataset: Dataset, work: Work) -> Iterator[Fault]:
    """A point lies where the body cannot reach."""
    bodies = _bodies(dataset, work)
    swapped = _swap_found(bodies)
    other = _in_each_others_place(bodies)
    declared = declared_offsets_m(dataset)[bodies.rows] / TORSO_M
    for person, marker, off in _misplaced(bodies):
        if declared[person] > 0 and off < BEYOND_REACH + declared[person]:
            continue  # shoulders and head ride on a spine that is known not to be normal
        if marker not in skeleton.SPINE and person not in swapped:
            if (person, marker) in other:
                twin = other[person, marker]
                if twin > marker or twin in skeleton.SPINE:
                    message = f"and {skeleton.NAMES[twin]} are in each other's place"
                    yield _point_fault(dataset, bodies, person, marker, off, message)
                continue
            message = f"lies {100 * off:.0f} % of the torso beyond the reach of the fitted body"
            yield _point_fault(dataset, bodies, person, marker, off, message)


def _misplaced(bodies: Bodies) -> Iterator[tuple[int, int, float]]:
    """Persons, points and by what part of the torso each is off, in the order of the file.

    A spine point is off from where the others predict it, any other from the nearest that a body
    came to it, for arms and legs can be nearly anywhere.
    """
    fits = bodies.fits
    torso = fits.torso_px[:, None]
    spine = np.isin(np.arange(fits.dropped.shape[1]), skeleton.SPINE)
    off = np.where(spine, np.linalg.norm(fits.off_px, axis=2), fits.residual_px) / torso
    with np.errstate(invalid="ignore"):
        far = off > np.where(spine, SPINE_OFF, BEYOND_REACH)
        far &= fits.surprise > np.where(spine, SPINE_SURPRISE, POINT_SURPRISE)
    for person, marker in zip(*np.nonzero(far & fits.dropped)):
        yield int(person), int(marker), float(off[person, marker])


def _in_each_others_place(bodies: Bodies) -> dict[tuple[int, int], int]:
    """Persons and misplaced points that lie where the fitted body has another misplaced point that
    lies where it has them -> that point."""
    fits, points = bodies.fits, bodies.sightings.points_px
    found: dict[tuple[int, int], int] = {}
    by_person: dict[int, list[int]] = {}
    for person, marker, _ in _misplaced(bodies):
        by_person.setdefault(person, []).append(marker)
    for person, markers in by_person.items():
        near = EXCHANGED_WITHIN * fits.torso_px[person]
        for a, b in combinations(markers, 2):
            away = np.linalg.norm(
                points[person, [a, b]] - fits.projected_px[person, [b, a]], axis=1
            )
            if (away < near).all():
                found.setdefault((person, a), b)
                found.setdefault((person, b), a)
    return found


def _where_along_the_spine(bodies: Bodies, person: int, marker: int) -> str:
    """How a misplaced spine point lies to its place: above, below, or beside."""
    place = skeleton.SPINE.index(marker)
    fitted = bodies.fits.projected_px[person, list(skeleton.SPINE)]
    ahead, behind = min(place + 1, len(fitted) - 1), max(place - 1, 0)
    along = fitted[ahead] - fitted[behind]
    off = bodies.sightings.points_px[person, marker] - fitted[place]
    cosine = along @ off / max(float(np.linalg.norm(along) * np.linalg.norm(off)), 1e-9)
    if abs(cosine) < 0.7:
        return "beside where"
    towards = "head" if cosine > 0 else "pelvis"
    return f"towards the {towards} from where"


def _point_fault(
    dataset: Dataset, bodies: Bodies, person: int, marker: int, off: float, message: str
) -> Fault:
    name = skeleton.NAMES[marker]
    return dataset.annotation_fault(
        bodies.rows[person], f"{name} {message}", field=".keypoints", part=name,
        value=round(off, 3),
        fitted=bodies.in_picture(person, bodies.fits.projected_px[person]),
    )  # fmt: skip


@rule(
    "SPT403",
    "limb-exchanged",
    family="body",
    severity=Severity.WARNING,
    reason="""With left and right of this part exchanged a human body fits much better than
    without. How sure that is, is the share of such findings that are right on photos labelled by
    hand where one person in a hundred has a limb exchanged.""",
    example="`left_knee` and `left_ankle` on the right leg, and the other way round",
    needs=("names",),
    unless=EXPLAINED,
    slow=True,
)
def limb_exchanged(dataset: Dataset, work: Work) -> Iterator[Fault]:
    """A body fits much better with left and right of a part exchanged."""
    bodies = _bodies(dataset, work)
    for person, (name, k) in _swap_found(bodies).items():
        if name != "everything":
            gain = float(bodies.swapped.gain[k])
            sure = how_sure(gain)
            message = (
                f"left and right of the {name} are exchanged: the body fits much better so "
                f"({100 * sure:.0f} % sure)"
            )
            yield dataset.annotation_fault(
                bodies.rows[person], message, field=".keypoints", part=name,
                value=round(gain, 1), sure=round(sure, 2),
                fitted=bodies.in_picture(person, bodies.swapped.projected_px[k]),
            )  # fmt: skip


def how_sure(gain: float) -> float:
    """Of the findings with such a gain, on photos labelled by hand where one person in a hundred
    has a limb exchanged, the share that is right."""
    constant, slope = LIKELIHOOD_RATIO
    odds = np.exp(constant + slope * np.log(gain)) * EXCHANGED / (1 - EXCHANGED)
    return float(odds / (1 + odds))


@rule(
    "SPT404",
    "person-exchanged",
    family="body",
    severity=Severity.WARNING,
    reason="""With left and right of the whole person exchanged a body fits much better. A single
    picture tells this only of people seen from near; most exchanged people pass.""",
    example="a flipped image whose keypoints kept their names",
    needs=("names",),
    unless=EXPLAINED,
    slow=True,
)
def person_exchanged(dataset: Dataset, work: Work) -> Iterator[Fault]:
    """A body fits much better with left and right of the whole person exchanged."""
    bodies = _bodies(dataset, work)
    told = sides.mirrored_whole(dataset)  # by the faces: SPT504
    found = _swap_found(bodies)
    gain = bodies.mirrored_gain.copy()
    for person, (name, k) in found.items():
        if name != "everything":  # one limb in everybody is no mirrored file
            gain[person] -= bodies.swapped.gain[k]
    gain = gain[np.isfinite(gain)]
    if not told and mirrored_by_gains(gain):
        yield Fault(
            "annotations",
            "annotations",
            f"left and right are exchanged in the whole file: {np.mean(gain > 0):.0%} of "
            f"{len(gain)} people fit better the other way round",
            value=round(float(np.median(gain)), 1),
            covers=tuple(dataset.key("annotations", row) for row in bodies.rows.tolist()),
        )
        return
    if bodies.noise > MIRROR_NOISE:
        return
    from_the_front = sides.face_seen(dataset)[bodies.rows] & (
        sides.face_turn(dataset)[bodies.rows] > sides.FACING
    )
    for person, (name, k) in found.items():
        if name == "everything" and not from_the_front[person]:
            yield dataset.annotation_fault(
                bodies.rows[person],
                "left and right of the whole person are exchanged: the body fits much better so",
                field=".keypoints", value=round(float(bodies.swapped.gain[k]), 1),
                fitted=bodies.in_picture(person, bodies.swapped.projected_px[k]),
            )  # fmt: skip


def mirrored_by_gains(gain: Floats) -> bool:
    """Is a file mirrored as a whole whose people gain so much (S,) by exchanging everything?"""
    if len(gain) < FEWEST_PEOPLE:
        return False
    held = np.clip(gain, -MOST_GAIN, MOST_GAIN)
    error = max(held.std(ddof=1) / np.sqrt(len(held)), 1e-9)
    return bool(held.mean() > MIRRORED_T * error)


@rule(
    "SPT405",
    "joint-beyond-limit",
    family="body",
    severity=Severity.WARNING,
    reason="""The points fit a body only with a joint bent farther than joints bend. The limits are
    those of the model's joints (`opensim_models/tables`).""",
    example="a knee bent forwards by 30 degrees",
    needs=("names",),
    unless=(*EXPLAINED, "SPT401", "SPT402", "SPT403", "SPT404"),
    slow=True,
)
def joint_beyond_limit(dataset: Dataset, work: Work) -> Iterator[Fault]:
    """A joint is bent beyond its limits."""
    bodies = _bodies(dataset, work)
    body, x = bodies.model.body, bodies.fits.columns
    with np.errstate(invalid="ignore"):
        beyond = np.degrees(np.maximum(x - body.upper, body.lower - x))
        spinal = [k for k, name in enumerate(bodies.names) if name.startswith(SPINAL)]
        curved = np.flatnonzero(declared_offsets_m(dataset)[bodies.rows])
        beyond[curved[:, None], spinal] = 0.0  # known not to be normal
        people = np.flatnonzero((beyond > BEYOND_LIMIT_DEG).any(axis=1))
    for person in people:
        k = int(np.nanargmax(beyond[person]))
        low, high, value = np.degrees([body.lower[k], body.upper[k], x[person, k]])
        message = (
            f"{bodies.names[k]} would be {value:.0f} degrees, {beyond[person, k]:.0f} beyond its "
            f"range of {low:.0f} to {high:.0f}"
        )
        yield dataset.annotation_fault(
            bodies.rows[person], message, field=".keypoints", part=bodies.names[k],
            value=round(float(beyond[person, k]), 1),
            fitted=bodies.in_picture(person, bodies.fits.projected_px[person]),
        )  # fmt: skip


@rule(
    "SPT406",
    "bone-out-of-proportion",
    family="body",
    severity=Severity.WARNING,
    reason="""The points fit a body only with a segment much longer or shorter, against the rest of
    the same body, than adults have.""",
    example="forearms half as long as they should be",
    needs=("names",),
    unless=(*EXPLAINED, "SPT401", "SPT402", "SPT403", "SPT404", "SPT405"),
    slow=True,
)
def bone_out_of_proportion(dataset: Dataset, work: Work) -> Iterator[Fault]:
    """A segment of the body is out of proportion."""
    bodies = _bodies(dataset, work)
    columns = [bodies.names.index(name) for name in SEGMENTS]
    mean, sd = np.array(list(SEGMENTS.values())).T
    deviation = (bodies.fits.columns[:, columns] - mean) / sd
    with np.errstate(invalid="ignore"):
        spinal = [k for k, name in enumerate(SEGMENTS) if name.endswith("spine")]
        spinal += [k for k, name in enumerate(SEGMENTS) if name.startswith("chest")]
        curved = np.flatnonzero(declared_offsets_m(dataset)[bodies.rows])
        deviation[curved[:, None], spinal] = 0.0  # known not to be normal, and the chest with it
        people = np.flatnonzero((np.abs(deviation) > OUT_OF_PROPORTION).any(axis=1))
    for person in people:
        k = int(np.argmax(np.abs(deviation[person])))
        name = list(SEGMENTS)[k]
        share = bodies.fits.columns[person, columns[k]] / mean[k] - 1
        message = (
            f"the {name} is {100 * abs(share):.0f} % {'longer' if share > 0 else 'shorter'} "
            f"than in a usual body of this size"
        )
        yield dataset.annotation_fault(
            bodies.rows[person], message, field=".keypoints", part=name,
            value=round(float(share), 3),
            fitted=bodies.in_picture(person, bodies.fits.projected_px[person]),
        )  # fmt: skip


@rule(
    "SPT407",
    "unlike-a-body",
    family="body",
    severity=Severity.WARNING,
    reason="""The points as a whole lie worse about the best fitting body than labels scatter, and
    no single one of them explains it.""",
    example="the keypoints of two people in one annotation",
    needs=("names",),
    unless=(*EXPLAINED, *(f"SPT40{k}" for k in range(1, 7))),
    slow=True,
)
def unlike_a_body(dataset: Dataset, work: Work) -> Iterator[Fault]:
    """The points as a whole do not make a body."""
    bodies = _bodies(dataset, work)
    fits = bodies.fits
    worst = fits.cost / (COST + COST_A_POINT * fits.labelled)
    for person in np.flatnonzero(worst > 1):
        off = fits.projected_px[person] - bodies.sightings.points_px[person]
        away = np.linalg.norm(off[bodies.sightings.visible[person]], axis=1)
        share = np.median(away) / fits.torso_px[person]
        yield dataset.annotation_fault(
            bodies.rows[person],
            f"no body fits: half of the points lie more than {100 * share:.0f} % of the torso away",
            field=".keypoints", value=round(float(worst[person]), 2),
            fitted=bodies.in_picture(person, fits.projected_px[person]),
        )  # fmt: skip


@rule(
    "SPT408",
    "not-fitted",
    family="body",
    severity=Severity.WARNING,
    reason="""Enough points are labelled, but they all lie at one place or outside of anything a
    camera could show, so nothing can be said about the body.""",
    example="all keypoints at (0, 0)",
    needs=("names",),
    unless=EXPLAINED,
    slow=True,
)
def not_fitted(dataset: Dataset, work: Work) -> Iterator[Fault]:
    """Labelled points to which no body can be fitted at all."""
    from spinetrack_synth.anatomy.fit2d.people import FEWEST_POINTS, seen_from_center

    bodies = _bodies(dataset, work)
    labelled = bodies.sightings.visible.sum(axis=1)
    _, usable = seen_from_center(bodies.sightings)
    for person in np.flatnonzero(~usable & (labelled >= FEWEST_POINTS)):
        message = f"no body can be fitted to the {labelled[person]} labelled points"
        yield dataset.annotation_fault(bodies.rows[person], message, field=".keypoints")
