"""Average precision and recall by object keypoint similarity, equal to pycocotools.

All groups of keypoints and all ranges of area are matched in one pass over the pictures. A group
is what pycocotools makes of the file with only these keypoints left in it: people without any of
them are ignored, and a detection's own area is that of its points of the group.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth import skeleton
from spinetrack_synth.compiled import njit
from spinetrack_synth.gap.labels import Bools, Floats, Ints, Labels
from spinetrack_synth.gap.predictions import Predictions

GROUPS: Final[dict[str, tuple[int, ...]]] = {
    **skeleton.SUBSETS,
    "halpe26": tuple(range(26)),
}
"""The groups that are reported: the 17 points of COCO are ``body``, the 37 ``all``."""
THRESHOLDS: Final = np.linspace(0.5, 0.95, 10)
RECALLS: Final = np.linspace(0.0, 1.0, 101)
AREAS_PX2: Final = np.array([[0.0, 1e10], [32.0**2, 96.0**2], [96.0**2, 1e10]])
"""All, medium and large, as COCO has them for keypoints."""
MOST_DETECTIONS: Final = 20
UNMATCHED, MATCHED, IGNORED = 0, 1, 2

STATISTICS: Final = ("AP", "AP50", "AP75", "APM", "APL", "AR", "AR50", "AR75", "ARM", "ARL")


@dataclass(frozen=True, eq=False)
class Matches:
    """What became of every detection, and how many people there were to find.

    ``codes`` (G, A, T, D) of the detections by falling score: UNMATCHED, MATCHED or IGNORED;
    ``image`` (D,) their pictures; ``wanted`` (G, A, I) people who count in each picture;
    ``groups`` the names of the G groups.
    """

    groups: tuple[str, ...]
    codes: NDArray[np.int8]
    image: Ints
    wanted: Ints


LEAST_SHARE: Final = {"body": 2 / 3, "feet": 2 / 3, "spine": 2 / 3, "halpe26": 0.9, "all": 0.9}
"""A group is judged on the keypoints that there are, from this share of them on: CrowdPose's and
AI Challenger's 12 of COCO's 17 make a body; 26 of 37 are another group's."""


def groups_of(defined: Bools) -> dict[str, tuple[int, ...]]:
    """The groups of which enough keypoints (37,) are defined, and their keypoints that are."""
    there = {name: tuple(k for k in group if defined[k]) for name, group in GROUPS.items()}
    return {
        name: group
        for name, group in there.items()
        if len(group) >= LEAST_SHARE[name] * len(GROUPS[name])
    }


def group_title(name: str, defined: Bools) -> str:
    """A group's name, with the number of its keypoints where some are not there."""
    of = GROUPS.get(name, ())
    there = int(defined[list(of)].sum())
    return name if there == len(of) else f"{name} ({there} of {len(of)})"


def match(labels: Labels, predictions: Predictions, groups: dict[str, tuple[int, ...]]) -> Matches:
    """Match detections with people as COCO does, for every group, area range and threshold."""
    images = len(labels.image_ids)
    starts = np.searchsorted(predictions.image, np.arange(images))
    rank = np.arange(len(predictions.image)) - starts[predictions.image]
    kept = rank < MOST_DETECTIONS
    image = predictions.image[kept]
    points = predictions.points[kept]
    if not groups:
        nothing = np.zeros((0, len(AREAS_PX2), len(THRESHOLDS), 0), np.int8)
        return Matches((), nothing, image[:0], np.zeros((0, len(AREAS_PX2), images), np.int64))
    ids = sorted({index for group in groups.values() for index in group})
    member = np.array([[index in group for index in ids] for group in groups.values()])
    points = np.ascontiguousarray(points[:, ids])
    areas = np.array([np.ptp(points[:, m], axis=1).prod(1) for m in member])
    labelled = labels.v[:, ids] > 0
    stated = np.array([a.get("num_keypoints", 1) != 0 for a in labels.coco.annotations])
    ignored = np.array(
        [labels.crowd | ~stated[labels.rows] | ~labelled[:, m].any(1) for m in member]
    )
    sigmas = np.array(skeleton.SIGMAS)[ids]
    codes = _match(
        np.searchsorted(labels.image, np.arange(images + 1)),
        np.searchsorted(image, np.arange(images + 1)),
        np.ascontiguousarray(labels.points[:, ids]), labelled, labels.boxes, labels.areas,
        labels.crowd, labels.ids == 0, ignored, points, areas, member,
        (sigmas * 2) ** 2, THRESHOLDS, AREAS_PX2,
    )  # fmt: skip
    outside = (labels.areas < AREAS_PX2[:, :1]) | (labels.areas > AREAS_PX2[:, 1:])
    counting = ~(ignored[:, None] | outside[None])
    wanted = np.zeros((len(groups), len(AREAS_PX2), images), dtype=np.int64)
    for group, area in np.ndindex(wanted.shape[:2]):
        wanted[group, area] = np.bincount(labels.image[counting[group, area]], minlength=images)
    order = np.argsort(-predictions.score[kept], kind="stable")
    return Matches(tuple(groups), np.ascontiguousarray(codes[..., order]), image[order], wanted)


@njit()
def _match(
    label_start: Ints, found_start: Ints, points: Floats, labelled: Bools, boxes: Floats,
    areas: Floats, crowd: Bools, id_zero: Bools, ignored: Bools, found: Floats,
    found_areas: Floats, member: Bools, variances: Floats, thresholds: Floats, ranges: Floats,
) -> NDArray[np.int8]:  # fmt: skip
    """Codes (G, A, T, D). Arrays of labels and detections are sorted by picture; detections of a
    picture by falling score. ``member`` (G, K) tells the groups' keypoints."""
    groups = len(member)
    codes = np.zeros((groups, len(ranges), len(thresholds), len(found)), np.int8)
    for image in range(len(label_start) - 1):
        l0, l1 = label_start[image], label_start[image + 1]
        d0, d1 = found_start[image], found_start[image + 1]
        people, detections = l1 - l0, d1 - d0
        if detections == 0:
            continue
        similar = np.zeros((groups, detections, people))
        for d in range(detections):
            for p in range(people):
                _similarity(
                    found[d0 + d], points[l0 + p], labelled[l0 + p], boxes[l0 + p],
                    areas[l0 + p], member, variances, similar[:, d, p],
                )  # fmt: skip
        order = np.empty(people, np.int64)
        skip = np.empty(people, np.bool_)
        taken = np.empty(people, np.bool_)
        for group in range(groups):
            for r in range(len(ranges)):
                low, high = ranges[r, 0], ranges[r, 1]
                for p in range(people):
                    outside = areas[l0 + p] < low or areas[l0 + p] > high
                    skip[p] = ignored[group, l0 + p] or outside
                _skipped_last(skip, order)
                for t in range(len(thresholds)):
                    taken[:] = False
                    for d in range(detections):
                        best, chosen = min(thresholds[t], 1 - 1e-10), -1
                        for place in range(people):
                            p = order[place]
                            if taken[p] and not crowd[l0 + p]:
                                continue
                            if chosen > -1 and not skip[chosen] and skip[p]:
                                break
                            if similar[group, d, p] < best:
                                continue
                            best, chosen = similar[group, d, p], p
                        code = UNMATCHED
                        # pycocotools takes the id 0 for "no match"; numbers have to be equal.
                        if chosen > -1:
                            taken[chosen] = True
                            if skip[chosen]:
                                code = IGNORED
                            elif not id_zero[l0 + chosen]:
                                code = MATCHED
                        if code == UNMATCHED:
                            area = found_areas[group, d0 + d]
                            if area < low or area > high:
                                code = IGNORED
                        codes[group, r, t, d0 + d] = code
    return codes


@njit()
def _skipped_last(skip: Bools, order: Ints) -> None:
    """People in the order of matching: those that count as they stand, then the others."""
    place = 0
    for wanted in (False, True):
        for person in range(len(skip)):
            if skip[person] == wanted:
                order[place] = person
                place += 1


@njit()
def _similarity(
    found: Floats, points: Floats, labelled: Bools, box: Floats, area: float, member: Bools,
    variances: Floats, out: Floats,
) -> None:  # fmt: skip
    """OKS of one detection and one person in every group (G,); for a person without keypoints of
    the group, of the distances from the box, doubled on every side."""
    groups, keypoints = member.shape
    scale = area + 2.220446049250313e-16
    counts = np.zeros(groups, np.int64)
    out[:] = 0.0
    for k in range(keypoints):
        if not labelled[k]:
            continue
        dx, dy = found[k, 0] - points[k, 0], found[k, 1] - points[k, 1]
        term = np.exp(-((dx * dx + dy * dy) / variances[k] / scale / 2))
        for group in range(groups):
            if member[group, k]:
                out[group] += term
                counts[group] += 1
    for group in range(groups):
        if counts[group]:
            out[group] /= counts[group]
            continue
        total = 0
        for k in range(keypoints):
            if member[group, k]:
                x, y = found[k, 0], found[k, 1]
                dx = max(0.0, box[0] - box[2] - x) + max(0.0, x - (box[0] + box[2] * 2))
                dy = max(0.0, box[1] - box[3] - y) + max(0.0, y - (box[1] + box[3] * 2))
                out[group] += np.exp(-((dx * dx + dy * dy) / variances[k] / scale / 2))
                total += 1
        out[group] /= total


def precision_recall(matches: Matches, weights: Ints | None = None) -> tuple[Floats, Floats]:
    """Mean precision over the recalls, and recall, each (G, A, T); nan where nobody is wanted.

    ``weights`` (I,) counts every picture so many times, as a bootstrap does.
    """
    shape = matches.codes.shape[:3]
    precision, recall = np.full(shape, np.nan), np.full(shape, np.nan)
    weigh = None if weights is None else weights[matches.image].astype(np.float64)
    for group, area in np.ndindex(shape[:2]):
        people = matches.wanted[group, area]
        count = float(people.sum() if weights is None else people @ weights)
        if count == 0:
            continue
        for t in range(shape[2]):
            code = matches.codes[group, area, t]
            hit, miss = (code == wanted for wanted in (MATCHED, UNMATCHED))
            if weigh is not None:
                hit, miss = hit * weigh, miss * weigh
            hits, misses = np.cumsum(hit, dtype=np.float64), np.cumsum(miss, dtype=np.float64)
            reached = hits / count
            exact = hits / (misses + hits + np.spacing(1))
            best = np.maximum.accumulate(exact[::-1])[::-1]
            places = np.searchsorted(reached, RECALLS, side="left")
            precision[group, area, t] = best[places[places < len(best)]].sum() / len(RECALLS)
            recall[group, area, t] = reached[-1] if len(reached) else 0.0
    return precision, recall


def precisions(matches: Matches, weights: Ints | None = None) -> Floats:
    """AP and AR of each group in turn (2 G,), over the first area."""
    found = precision_recall(matches, weights)
    return np.stack([values.mean(-1)[:, 0] for values in found], axis=1).ravel()


def of_groups(matches: Matches, names: tuple[str, ...]) -> Matches:
    """The matches of these groups, over all areas alone."""
    rows = [matches.groups.index(name) for name in names]
    return replace(
        matches,
        groups=names,
        codes=matches.codes[rows][:, :1],
        wanted=matches.wanted[rows][:, :1],
    )


def statistics(matches: Matches, weights: Ints | None = None) -> dict[str, dict[str, float]]:
    """COCO's ten figures of every group; nan where there is nobody to find."""
    precision, recall = precision_recall(matches, weights)
    return {
        name: {
            kind + suffix: _mean(values[group, area, which])
            for kind, values in (("AP", precision), ("AR", recall))
            for suffix, area, which in _figures()
        }
        for group, name in enumerate(matches.groups)
    }


@cache
def _figures() -> tuple[tuple[str, int, slice], ...]:
    every, half, strict = slice(None), slice(0, 1), slice(5, 6)
    return ("", 0, every), ("50", 0, half), ("75", 0, strict), ("M", 1, every), ("L", 2, every)


def _mean(values: Floats) -> float:
    return float(values.mean()) if np.isfinite(values).all() else float("nan")


def keypoint_similarity(points: Floats, truth: Floats, areas: Floats) -> Floats:
    """Similarity (..., 37) of single keypoints (..., 37, 2) to labels, people of areas (...)."""
    squares = ((points - truth) ** 2).sum(-1)
    variances = (2 * np.array(skeleton.SIGMAS)) ** 2
    similarity: Floats = np.exp(-squares / variances / (areas[..., None] + np.spacing(1)) / 2)
    return similarity
