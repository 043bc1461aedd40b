"""Does a picture show the shot whose mask and depth came with it? It must have edges where they do.

Where a person or something nearer ends, a picture has an edge, whoever drew it and however bright,
soft or noisy it came out. So at every point of such contours the picture's gradient across the
contour is ranked among those a little aside: of the right picture it comes first nearly always, of
any other one half the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.rendering.unreal.errors import WrongPicture
from spinetrack_synth.rendering.unreal.rectangles import cells, rectangle_sums
from spinetrack_synth.rendering.unreal.resemblance import WAYS

JUMP: Final = 0.04
"""Of inverse depth, from one pixel to the next, against the nearer one's: where surfaces end.
A flat surface has none at whatever slant; depth in float16 has steps of 0.001."""

ASIDE_PX: Final = np.array([k for k in range(-24, 25) if abs(k) >= 5])
"""Where the gradients are that a contour's is ranked among, along its axis."""

FEWEST_ASIDE: Final = 12
"""Contours with fewer such places (the others are contours, or outside) are left out."""

FINE_PX: Final = 1.3
"""Gradients are of the picture blurred by so much: edges may be a pixel off, soft or noisy."""

COARSE_PX: Final = 4.0
"""And once more so: patterns of leaves or carpets, stronger than any silhouette before them, are
averaged out, and how rough they are is a colour of its own."""

VISIBLE: Final = 0.6
"""Grey levels a pixel by which gradients must differ to tell anything, without noise."""

NOISE_LEFT: Final = 0.15
"""What the fine blur leaves in gradients of a pixel's noise."""

TELLING: Final = 0.2
"""Least share of the places aside whose gradient tells anything; elsewhere all is equally plain."""

BUSY: Final = 0.45
"""Part of the strongest gradient that half of those aside exceed where a pattern hides edges."""

SHIFTS_PX: Final = np.arange(-8, 9)
"""Where along its axis a contour's edge is looked for."""

FAR_PX: Final = np.arange(-48, 49)
"""Where it is looked for besides, for cameras that stand or look elsewhere."""

MOST_POINTS: Final = 1500
"""Of each owner and axis: more prove nothing more."""

CROWDED: Final = 0.25
"""Share of contours in 15 x 15 pixels from which on surroundings are leaves or grass: mask, depth
and picture of engines differ there."""

GRID: Final = (9, 12)
"""Rows and columns of cells; every rectangle of cells is judged, for half a picture may be old."""

USUAL_PX: Final = 480
"""Larger side of the pictures that limits were measured on: in larger ones a point proves less."""

FEWEST_POINTS: Final = 160
"""Less contour than this proves nothing."""

PERSON_LIMIT: Final = (0.45, 8.0)
THINGS_LIMIT: Final = (0.3, 12.0)
"""Mean fine score below which N points are not of this picture: a - b / sqrt(N)."""

COARSE_LIMIT: Final = 0.25
"""The coarse score must be below this too."""

UNDOUBTED: Final = 0.5
"""Mean fine score from which on a picture is not mirrored: of right ones nine in ten have it."""

TURNED_LIMIT: Final = 0.1
"""By how much the score of a turned picture may be above its own: right ones are 0.27 below and
more, mirrored ones 0.31 above and more."""

OFF_PX: Final = 3
"""Edges may be up to a pixel from their contours; what is this far or further is elsewhere."""

OFF_LIMIT: Final = 0.3
FEWEST_FOR_OFF: Final = 100
"""By how much edges so many pixels off must be above those in place, on average of so many points
at least."""

FAR_LIMIT: Final = 0.25
"""The same for edges further off, of `FEWEST_POINTS` at least: among so many places fewer points
have a strongest one by chance. Right pictures reach 0.03, most wrong cameras 0.35.
These limits are from ``benchmarks/picture_proof.py``: docs/unreal.md has the figures."""


@dataclass(frozen=True)
class Crossings:
    """Contours between pixels (row, column) and (row, column + 1), N of them.

    ``owner`` (N,) is the id of whom ends there, 0 for things; ``side`` (N,) 1 where the nearer
    pixel is the second, else -1; ``free`` (N, len(ASIDE_PX)) where there is no other contour.
    """

    row: NDArray[np.intp]
    column: NDArray[np.intp]
    owner: NDArray[np.uint8]
    side: NDArray[np.int8]
    free: NDArray[np.bool_]


@dataclass(frozen=True)
class Contours:
    """What ends in a picture of so many rows and columns.

    ``down`` are crossings of the transposed picture: their rows are its columns.
    """

    shape: tuple[int, int]
    across: Crossings
    down: Crossings
    people: int


@dataclass(frozen=True)
class Match:
    """How a picture (H, W) meets contours: of the N points that tell anything.

    ``score`` (N, 2) of fine and of coarse edges is 1 where the contour has the largest gradient
    around, 0 on average for another picture, -1 where it has the smallest. ``edge``
    (N, len(SHIFTS_PX)) are gradients from one side to the other, the largest being 1; ``axis``
    (N,) is 1 where these lie in a row, 0 in a column. ``far`` (N, len(FAR_PX)) is as ``edge``, 0
    outside the picture.
    """

    shape: tuple[int, int]
    row: NDArray[np.intp]
    column: NDArray[np.intp]
    axis: NDArray[np.int8]
    owner: NDArray[np.uint8]
    side: NDArray[np.int8]
    score: NDArray[np.float32]
    edge: NDArray[np.float32]
    far: NDArray[np.float32]


def check_contours(found: Match, names: Sequence[str]) -> None:
    """Raises WrongPicture where a picture cannot be of the shot whose contours it was held against.

    ``names`` are those of persons 1, 2, ... Little contour, or one with equal colours on both
    sides, proves nothing and raises nothing.
    """
    for owner, name in enumerate(("the surroundings", *names)):
        of_owner = found.owner == owner
        judged = regions(found, of_owner)
        left = room(judged, owner)
        if (left < 0).any():
            count, *scores = judged[left.argmin()]
            raise WrongPicture(
                f"lit: {name} {'ends' if owner else 'end'} elsewhere than in mask and depth "
                f"(agreement {max(scores):.2f} along {count:.0f} px)"
            )
        if owner:
            _check_in_place(found, of_owner, name)
    _check_in_place(found, found.owner >= 0, "everything")


def check_way_round(rgb: NDArray[np.uint8], contours: Contours, found: Match) -> None:
    """Raises WrongPicture where a picture (H, W, 3), ``found`` to match its contours badly, matches
    them better when it is mirrored, upside down or both."""
    weight = min(1.0, USUAL_PX / max(found.shape))
    if weight * len(found.score) < FEWEST_POINTS or found.score[:, 0].mean() > UNDOUBTED:
        return
    scores = {}
    for way, turn in WAYS[1:]:
        turned = match(np.ascontiguousarray(turn(rgb)), contours).score[:, 0]
        scores[way] = float(turned.mean()) if len(turned) else 0.0
    best = max(scores, key=scores.__getitem__)
    if scores[best] > found.score[:, 0].mean() + TURNED_LIMIT:
        raise WrongPicture(f"lit: is{best.removeprefix(',')}")


def room(judged: NDArray[np.float64], owner: int) -> NDArray[np.float64]:
    """How far the scores of an owner's regions (R, 3) are above those of another picture, (R,): a
    right picture has either the fine or the coarse edges."""
    count, fine, coarse = judged.T
    a, b = PERSON_LIMIT if owner else THINGS_LIMIT
    left: NDArray[np.float64] = np.maximum(fine - (a - b / np.sqrt(count)), coarse - COARSE_LIMIT)
    return left


def regions(found: Match, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Of each rectangle of cells with enough points, (R, 3): how many points they count for, mean
    fine and mean coarse score."""
    row, column, score = found.row[chosen], found.column[chosen], found.score[chosen]
    values = np.stack([np.ones(len(score)), *score.T])
    sums = rectangle_sums(cells(row, column, values, found.shape, GRID))
    weight = min(1.0, USUAL_PX / max(found.shape))
    points, fine, coarse = sums[:, weight * sums[0] >= FEWEST_POINTS]
    return np.stack([weight * points, fine / points, coarse / points], axis=1)


def _check_in_place(found: Match, chosen: NDArray[np.bool_], name: str) -> None:
    for fewest, limit, judged in (
        (FEWEST_FOR_OFF, OFF_LIMIT, offsets(found, chosen)),
        (FEWEST_POINTS, FAR_LIMIT, far_offsets(found, chosen)),
    ):
        for count, off, px in judged:
            if count >= fewest and off > limit:
                raise WrongPicture(
                    f"lit: {name} ends {abs(px)} px from where mask and depth have it"
                )


def offsets(found: Match, chosen: NDArray[np.bool_]) -> Iterator[tuple[float, float, int]]:
    """Points, how much stronger edges are elsewhere than in place, and where: along rows and along
    columns, to one side and outwards."""
    return _offsets(found, chosen, found.edge, SHIFTS_PX, OFF_PX)


def far_offsets(found: Match, chosen: NDArray[np.bool_]) -> Iterator[tuple[float, float, int]]:
    """The same further away than `offsets` look."""
    return _offsets(found, chosen, found.far, FAR_PX, int(SHIFTS_PX[-1]) + 1)


def _offsets(
    found: Match,
    chosen: NDArray[np.bool_],
    edges: NDArray[np.float32],
    shifts_px: NDArray[np.intp],
    off_px: int,
) -> Iterator[tuple[float, float, int]]:
    """Of edges (N, S) at so many shifts, those by ``off_px`` and more against those in place."""
    away, near = np.abs(shifts_px) >= off_px, np.abs(shifts_px) <= 1
    weight = min(1.0, USUAL_PX / max(found.shape))
    for axis in (0, 1):
        of_axis = chosen & (found.axis == axis)
        if not of_axis.any():
            continue
        edge, side = edges[of_axis], found.side[of_axis]
        for profile in (edge, np.where(side[:, None] > 0, edge, edge[:, ::-1])):
            mean = profile.mean(axis=0)
            off = float(mean[away].max() - mean[near].max())
            yield weight * len(edge), off, int(shifts_px[mean.argmax()])


def find_contours(ids: NDArray[np.uint8], depth_m: NDArray[np.float32]) -> Contours:
    """From ids (H, W), 0 for things and k for person k, and depth (H, W) m, inf for the sky."""
    import cv2

    with np.errstate(divide="ignore"):
        nearness = np.where(np.isfinite(depth_m), 1 / depth_m, 0).astype(np.float32)
    across, down = _ends(ids, nearness), _ends(ids.T, nearness.T)
    every = np.zeros(ids.shape, np.uint8)
    every[:, :-1] |= across
    every[:-1] |= down.T
    crowd = np.asarray(cv2.blur(every.astype(np.float32), (15, 15)), np.float32)
    weight = [
        cv2.blur(np.pad(ends, ((0, 0), (0, 1))).astype(np.float32), (7, 7))
        for ends in (across, down)
    ]
    return Contours(
        ids.shape,
        _crossings(across, ids, nearness, crowd, weight[0] >= weight[1].T),
        _crossings(down, ids.T, nearness.T, crowd.T, weight[1] >= weight[0].T),
        int(ids.max()),
    )


def _ends(ids: NDArray[np.uint8], nearness: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether something ends (H, W - 1) between each pixel and the next of its row."""
    step = np.diff(nearness, axis=1)
    beside = np.pad(step, ((0, 0), (1, 1)), mode="edge")
    bend = np.minimum(np.abs(step - beside[:, :-2]), np.abs(step - beside[:, 2:]))
    jump: NDArray[np.bool_] = bend > JUMP * np.maximum(nearness[:, :-1], nearness[:, 1:])
    jump |= ids[:, :-1] != ids[:, 1:]
    return jump


def _crossings(
    ends: NDArray[np.bool_],
    ids: NDArray[np.uint8],
    nearness: NDArray[np.float32],
    crowd: NDArray[np.float32],
    steep: NDArray[np.bool_],
) -> Crossings:
    """Some of the contours (H, W - 1) that run rather down than along their row (``steep``)."""
    import cv2

    row, column = np.nonzero(ends & steep[:, :-1])
    first, second = ids[row, column], ids[row, column + 1]
    nearer = nearness[row, column + 1] > nearness[row, column]
    owner = np.where(nearer, second, first)
    # Mask and depth may be a pixel apart: between somebody and a thing it is theirs.
    owner = np.where((first != second) & (owner == 0), np.maximum(first, second), owner)
    wanted = (owner > 0) | (crowd[row, column] < CROWDED)
    some = np.concatenate(
        [_thinned(np.nonzero(wanted & (owner == k))[0]) for k in np.unique(owner)]
        or [np.zeros(0, int)]
    )
    row, column, owner = row[some], column[some], owner[some]
    near = cv2.dilate(ends.astype(np.uint8), np.ones((3, 7), np.uint8)) > 0
    aside = column[:, None] + ASIDE_PX
    free = (aside >= 2) & (aside < ends.shape[1] - 2)
    free &= ~near[row[:, None], aside.clip(0, ends.shape[1] - 1)]
    enough = free.sum(axis=1) >= FEWEST_ASIDE
    side = np.where(nearer[some], 1, -1).astype(np.int8)
    return Crossings(row[enough], column[enough], owner[enough], side[enough], free[enough])


def _thinned(index: NDArray[np.intp]) -> NDArray[np.intp]:
    """At most MOST_POINTS of some indices, evenly."""
    even = np.linspace(0, len(index) - 1, min(len(index), MOST_POINTS))
    some: NDArray[np.intp] = index[even.astype(int)]
    return some


def match(rgb: NDArray[np.uint8], contours: Contours) -> Match:
    """Hold a picture (H, W, 3) against contours."""
    import cv2

    fine = cv2.GaussianBlur(rgb.astype(np.float32), (0, 0), FINE_PX)
    rough = np.zeros((*rgb.shape[:2], 1), np.float32)
    rough[:, 1:, 0] = np.abs(np.diff(fine, axis=1)).max(axis=-1)
    rough[1:, :, 0] += np.abs(np.diff(fine, axis=0)).max(axis=-1)
    coarse = cv2.GaussianBlur(np.concatenate([fine, 2 * rough], axis=-1), (0, 0), COARSE_PX)
    visible = np.float32(VISIBLE + NOISE_LEFT * _noise(rgb))
    clipped = (rgb.min(axis=-1) >= 250) | (rgb.max(axis=-1) <= 4)
    clipped = cv2.erode(clipped.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    parts = []
    for axis, crossings in ((1, contours.across), (0, contours.down)):
        both = [np.abs(np.diff(soft, axis=axis)).max(axis=-1) for soft in (fine, coarse)]
        if axis == 0:
            both = [np.ascontiguousarray(gradient.T) for gradient in both]
        parts.append(_matched(both, clipped if axis else clipped.T, crossings, visible, axis))
    return Match(contours.shape, *(np.concatenate(pair) for pair in zip(*parts)))


def _matched(
    gradients: Sequence[NDArray[np.float32]],
    clipped: NDArray[np.bool_],
    crossings: Crossings,
    visible: np.float32,
    axis: int,
) -> tuple[NDArray[Any], ...]:
    """The parts of a Match for one axis, of fine and coarse gradients (H, W - 1)."""
    fine, coarse = gradients
    row, column = crossings.row, crossings.column
    score, tells = _ranked(fine, crossings, visible)
    roughly, _ = _ranked(coarse, crossings, visible / 4)  # such a blur leaves less of noise
    tells &= ~(clipped[row, column] & clipped[row, column + 1])
    edge = fine[row[:, None], (column[:, None] + SHIFTS_PX).clip(0, fine.shape[1] - 1)]
    edge = edge / (edge.max(axis=1, keepdims=True) + visible)
    place = (row, column) if axis else (column, row)
    ends = (np.full(len(row), axis, np.int8), crossings.owner, crossings.side)
    aside = column[:, None] + FAR_PX
    inside = (aside >= 0) & (aside < fine.shape[1])
    far = np.where(inside, fine[row[:, None], aside.clip(0, fine.shape[1] - 1)], 0)
    far = far / (far.max(axis=1, keepdims=True) + visible)
    found = (*place, *ends, np.stack([score, roughly], axis=1), edge, far)
    return tuple(value[tells] for value in found)


def _ranked(
    gradient: NDArray[np.float32], crossings: Crossings, visible: np.float32
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Score of each crossing (N,) and whether enough gradients aside are other than its own."""
    import cv2

    row, column, free = crossings.row[:, None], crossings.column[:, None], crossings.free
    largest = cv2.dilate(gradient, np.ones((1, 3), np.uint8))  # a pixel aside is no other place
    own = largest[row, column]
    aside = np.where(free, largest[row, (column + ASIDE_PX).clip(0, gradient.shape[1] - 1)], own)
    above = (own - aside > visible).sum(axis=1)
    below = (aside - own > visible).sum(axis=1)
    count = free.sum(axis=1)
    strong = BUSY * np.maximum(own[:, 0], aside.max(axis=1, initial=0))
    busy = (free & (aside > strong[:, None])).sum(axis=1) > count / 2
    tells = (above + below > TELLING * count) & ~busy
    return ((above - below) / count).astype(np.float32), tells


def _noise(rgb: NDArray[np.uint8]) -> float:
    """Standard deviation of a pixel's noise, grey levels: from what no smooth picture has
    (Immerkaer's mask, 1996), by the median, for edges have it too."""
    import cv2

    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    rough = cv2.filter2D(rgb[..., 1].astype(np.float32), -1, mask)
    return float(np.median(np.abs(rough))) / 0.6745 / 6
