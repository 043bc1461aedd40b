"""Areas and extents of all masks of a file at once, from polygons and run lengths."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.coco.document import Floats
from spinetrack_synth.coco.values import is_number, is_numbers, shown
from spinetrack_synth.validation.dataset import Dataset

Ints = NDArray[np.int64]

_CHUNK: Final = 2000
"""So many run-length masks are decoded at once: some 10 MB."""
LEAST_SEEN: Final = 5
"""Fewer visible points say nothing about a mask."""
_ENOUGH: Final = 0.8
"""So much of the visible points lies on the masks of exact labels, but of who is hardly seen."""
_AROUND: Final = tuple((x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if (x, y) != (0, 0))
_MAX_SIDE: Final = 10**6
_NO_RUN_LENGTH: Final = re.compile("[^0-o]")


@dataclass(frozen=True)
class Masks:
    """The masks of N annotations; nan where there is none or it cannot be read.

    ``area`` (N,) square pixels; ``box`` (N, 4) left, top, right, bottom; ``size`` (N, 2) width and
    height that run lengths state; ``exact`` (N,) pixels counted, not a polygon's surface;
    ``parts`` (N,) number of polygons; ``inside`` (N,) share of the visible keypoints that lie on
    run lengths; ``problems`` row -> what is wrong with a mask.
    """

    area: Floats
    box: Floats
    size: Floats
    exact: NDArray[np.bool_]
    parts: Ints
    inside: Floats
    problems: dict[int, str]


def masks_of(dataset: Dataset) -> Masks:
    """All masks of a file, measured once."""
    return dataset.once("masks", lambda: _measure(dataset))


def _measure(dataset: Dataset) -> Masks:
    count = len(dataset.annotations)
    masks = Masks(
        area=np.full(count, np.nan),
        box=np.full((count, 4), np.nan),
        size=np.full((count, 2), np.nan),
        exact=np.zeros(count, dtype=bool),
        parts=np.zeros(count, dtype=np.int64),
        inside=np.full(count, np.nan),
        problems={},
    )
    polygons: list[tuple[int, list[float]]] = []
    strings: list[tuple[int, bytes]] = []
    runs: list[tuple[int, list[int]]] = []
    # Where no annotation has a mask, an empty list says so; elsewhere a mask was lost.
    masked = any(a.get("segmentation") not in (None, [], [[]]) for a in dataset.annotations)
    for row, annotation in enumerate(dataset.annotations):
        if "segmentation" not in annotation:
            continue
        value = annotation["segmentation"]
        if not masked and value in (None, [], [[]]):
            continue
        problem = None
        if isinstance(value, list):
            problem = _polygon_problem(value)
            if not value:
                problem = "empty: no polygon"
            if problem is None:
                masks.parts[row] = len(value)
                polygons += [(row, polygon) for polygon in value]
        elif isinstance(value, dict):
            problem = _run_length_problem(value)
            if problem is None:
                height, width = value["size"]
                masks.size[row] = width, height
                if isinstance(value["counts"], str):
                    strings.append((row, value["counts"].encode()))
                else:
                    runs.append((row, value["counts"]))
        else:
            problem = f"{shown(value)}, expected polygons or run lengths"
        if problem is not None:
            masks.problems[row] = problem
    _measure_polygons(polygons, masks)
    for start in range(0, len(strings), _CHUNK):
        rows, texts = zip(*strings[start : start + _CHUNK])
        _measure_runs(rows, *_decode(texts), dataset.keypoints, masks)
    for start in range(0, len(runs), _CHUNK):
        rows, lists = zip(*runs[start : start + _CHUNK])
        lengths = np.array([len(counts) for counts in lists])
        counts = np.array([n for counts in lists for n in counts], dtype=np.int64)
        unbroken = np.zeros(len(rows), dtype=bool)
        _measure_runs(rows, counts, lengths, unbroken, dataset.keypoints, masks)
    return masks


def _polygon_problem(value: list[Any]) -> str | None:
    for number, polygon in enumerate(value):
        if not isinstance(polygon, list):
            return f"[{number}] is {shown(polygon)}, expected a polygon: x, y, x, y, ..."
        if not is_numbers(polygon):
            bad = next(n for n in polygon if not is_number(n))
            return f"[{number}] holds {shown(bad)}, expected numbers"
        if len(polygon) % 2:
            return f"[{number}] has {len(polygon)} numbers, expected pairs of x and y"
        if len(polygon) < 6:
            return f"[{number}] has {len(polygon) // 2} corners, a polygon has at least 3"
    return None


def _run_length_problem(value: dict[str, Any]) -> str | None:
    size, counts = value.get("size"), value.get("counts")
    if not (isinstance(size, list) and len(size) == 2 and all(type(n) is int for n in size)):
        return f"size {shown(size)}, expected [height, width]"
    if not all(0 < n < _MAX_SIDE for n in size):
        return f"size {shown(size)}, expected positive numbers of pixels"
    if isinstance(counts, str):
        if not counts:
            return "counts are empty"
        odd = _NO_RUN_LENGTH.search(counts)
        if odd:
            return f"counts hold {shown(odd[0])}, which compressed run lengths never do"
        return None
    if isinstance(counts, list) and all(type(n) is int for n in counts):
        if not counts:
            return "counts are empty"
        bad_counts = [n for n in counts if not 0 <= n < 2**40]
        return f"counts hold {shown(bad_counts[0])}" if bad_counts else None
    return f"counts {shown(counts)}, expected run lengths"


def _measure_polygons(polygons: Sequence[tuple[int, list[float]]], masks: Masks) -> None:
    if not polygons:
        return
    rows = np.array([row for row, _ in polygons])
    lengths = np.array([len(polygon) // 2 for _, polygon in polygons])
    try:
        flat = np.array([n for _, polygon in polygons for n in polygon], dtype=np.float64)
    except OverflowError:
        flat = np.array(
            [n if abs(n) < 1e300 else math.inf for _, p in polygons for n in p], dtype=np.float64
        )
    x, y = flat[0::2], flat[1::2]
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    following = np.arange(len(x)) + 1
    following[starts + lengths - 1] = starts
    with np.errstate(over="ignore", invalid="ignore"):
        doubled = np.add.reduceat(x * y[following] - x[following] * y, starts)
        area = np.bincount(rows, np.abs(doubled) / 2, minlength=len(masks.area))
    touched = np.unique(rows)
    masks.area[touched] = area[touched]
    corner = (np.minimum, np.minimum, np.maximum, np.maximum)
    for side, (extreme, values) in enumerate(zip(corner, (x, y, x, y))):
        found = extreme.reduceat(values, starts)
        box = np.full(len(masks.area), np.inf if side < 2 else -np.inf)
        extreme.at(box, rows, found)
        masks.box[touched, side] = box[touched]
    masks.box[~np.isfinite(masks.box).all(1)] = np.nan
    masks.area[~np.isfinite(masks.area)] = np.nan


def _decode(texts: Sequence[bytes]) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """COCO's compressed run lengths: counts of all texts in a row, how many each text has, and
    which texts end in the middle of a number.

    Six bits a character, five of them data, low ones first; the sixth says that more follow. From
    the fourth number on, the difference to the number two before is stored.
    """
    ends = np.cumsum([len(text) for text in texts]) - 1
    bits = np.frombuffer(b"".join(texts), dtype=np.uint8) - np.uint8(48)
    broken = (bits[ends] & 0x20) > 0
    last = (bits & 0x20) == 0
    last[ends] = True
    stops = np.flatnonzero(last)
    starts = np.concatenate([[0], stops[:-1] + 1])
    digits = stops - starts + 1
    values = np.zeros(len(stops), dtype=np.int64)
    # Nine characters hold 45 bits, more than any picture has pixels; the rest cannot matter.
    for place in range(min(int(digits.max()), 9)):
        has = slice(None) if place == 0 else np.flatnonzero(digits > place)
        values[has] += (bits[starts[has] + place] & 0x1F).astype(np.int64) << (5 * place)
    negative = np.flatnonzero((bits[stops] & 0x10) > 0)
    values[negative] -= np.int64(1) << (5 * np.minimum(digits[negative], 9))
    values = np.clip(values, -(2**40), 2**40)
    lengths = np.diff(np.searchsorted(stops, ends), prepend=-1)
    first = np.repeat(np.cumsum(lengths) - lengths, lengths)
    index = np.arange(len(values)) - first
    summed = np.zeros(len(values) + 2, dtype=np.int64)
    for parity in (0, 1):
        summed[2 + parity :: 2] = np.cumsum(values[parity::2])
    chain = first + np.where(index % 2 == 1, 1, 2)  # where the sum of each other number begins
    counts = np.where(
        index == 0,
        values,
        summed[2 + np.arange(len(values))] - summed[np.minimum(chain, len(values))],
    )
    return counts, lengths, broken


@dataclass(frozen=True, eq=False)
class _Runs:
    """Column-wise run lengths of R masks that begin with the background: all ``counts`` in a row,
    of each mask where its counts start and how many they are, and the size that it states."""

    counts: Ints
    starts: Ints
    lengths: Ints
    width: Ints
    height: Ints

    @cached_property
    def total(self) -> Ints:
        """Pixels (R,) that the runs cover."""
        return np.add.reduceat(self.counts, self.starts)

    @cached_property
    def on(self) -> NDArray[np.bool_]:
        """Which runs are of the mask."""
        number = np.arange(len(self.counts)) - np.repeat(self.starts, self.lengths)
        return np.asarray(number % 2 == 1)

    @cached_property
    def stop(self) -> Ints:
        """The pixel, counted down the columns of its picture, before which each run ends."""
        total = self.total
        return np.cumsum(self.counts) - np.repeat(np.cumsum(total) - total, self.lengths)


def _measure_runs(
    rows: Sequence[int],
    counts: Ints,
    lengths: Ints,
    broken: NDArray[np.bool_],
    points: Floats,
    masks: Masks,
) -> None:
    """Areas and extents of run lengths; ``broken`` are those that end in the middle of a number."""
    row = np.array(rows)
    width, height = masks.size[row].astype(np.int64).T
    runs = _Runs(counts, np.cumsum(lengths) - lengths, lengths, width, height)
    area = np.add.reduceat(np.where(runs.on, counts, 0), runs.starts)
    problems = _run_problems(runs, broken, area)
    masks.problems.update({int(row[number]): problem for number, problem in problems.items()})
    sound = np.ones(len(row), dtype=bool)
    sound[list(problems)] = False
    good = row[sound]
    masks.box[good] = _run_boxes(runs)[sound]
    masks.area[good] = area[sound]
    masks.exact[good] = True
    masks.inside[good] = _share_inside(runs, points[row], points)[sound]


def _run_problems(runs: _Runs, broken: NDArray[np.bool_], area: Ints) -> dict[int, str]:
    """What is wrong with run lengths, by their number."""
    negative = np.minimum.reduceat(runs.counts, runs.starts) < 0
    total, pixels = runs.total, runs.width * runs.height
    problems = {}
    for number in np.flatnonzero(broken | negative | (total != pixels) | (area == 0)):
        if broken[number]:
            problem = "counts end in the middle of a number"
        elif negative[number]:
            problem = "counts hold a negative run"
        elif total[number] != pixels[number]:
            problem = (
                f"counts cover {total[number]} pixels, size says {pixels[number]} "
                f"({runs.width[number]}x{runs.height[number]})"
            )
        else:
            problem = "the mask is empty"
        problems[int(number)] = problem
    return problems


def _run_boxes(runs: _Runs) -> Ints:
    """Left, top, right, bottom (R, 4)."""
    stop = runs.stop
    begin = stop - runs.counts
    tall = np.repeat(runs.height, runs.lengths)
    left, right = begin // tall, (stop - 1) // tall
    whole = right > left  # a run over several columns touches top and bottom
    top = np.where(whole, 0, begin % tall)
    bottom = np.where(whole, tall - 1, (stop - 1) % tall)
    seen = runs.on & (runs.counts > 0)
    far = 2**62
    sides = (
        np.minimum.reduceat(np.where(seen, left, far), runs.starts),
        np.minimum.reduceat(np.where(seen, top, far), runs.starts),
        np.maximum.reduceat(np.where(seen, right + 1, -far), runs.starts),
        np.maximum.reduceat(np.where(seen, bottom + 1, -far), runs.starts),
    )
    return np.stack(sides, axis=1)


def _share_inside(runs: _Runs, own: Floats, points: Floats) -> Floats:
    """The share (R,) of each mask's ``own`` visible keypoints (R, K, 3) that lie on it, nan where
    they are too few; ``points`` (N, K, 3) are those of the file.

    Every visible point is a pixel, counted down the columns as run lengths are. Of people of whom
    little is on it a pixel beside it will do: of who is seen in slivers behind others, labels tell
    points at their edges.
    """
    # Where the file marks none visible, every labelled one (as in ``Dataset.seen``).
    least = 2 if (points[..., 2] == 2).any() else 1
    owner, index = np.nonzero(own[..., 2] == least)
    x, y = (np.clip(own[owner, index, axis], -1e6, 1e6).astype(np.int64) for axis in (0, 1))
    seen = np.bincount(owner, minlength=len(own))

    def share_of(on_mask: NDArray[np.bool_]) -> Floats:
        return np.bincount(owner, on_mask, minlength=len(own)) / np.fmax(seen, 1)

    on_mask = _on_mask(runs, owner, x, y)
    doubtful = np.flatnonzero((share_of(on_mask) < _ENOUGH)[owner])
    for dx, dy in _AROUND:
        on_mask[doubtful] |= _on_mask(runs, owner[doubtful], x[doubtful] + dx, y[doubtful] + dy)
    return np.where(seen >= LEAST_SEEN, share_of(on_mask), np.nan)


def _on_mask(runs: _Runs, owner: Ints, x: Ints, y: Ints) -> NDArray[np.bool_]:
    """Which pixels (P,) lie on the masks of their owners."""
    inside_image = (x >= 0) & (y >= 0) & (x < runs.width[owner]) & (y < runs.height[owner])
    pixel = np.where(inside_image, x * runs.height[owner] + y, 0)
    spread = int(max(runs.total.max(), (runs.width * runs.height).max())) + 1
    # Runs that are wrong may go backwards; nobody asks for theirs, the search must only not stop.
    stop = np.clip(runs.stop, 0, spread - 1)
    order = stop + np.repeat(np.arange(len(runs.lengths)) * spread, runs.lengths)
    run = np.searchsorted(order, pixel + owner * spread, side="right") - runs.starts[owner]
    return np.asarray(inside_image & (run % 2 == 1))
