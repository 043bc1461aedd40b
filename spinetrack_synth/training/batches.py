"""Batches: people of all sources, mixed by weight; number k is a function of the seed and k."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache as cached
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.errors import UserError
from spinetrack_synth.training.augmentation import (
    AS_IT_IS,
    AugmentationConfig,
    altered,
    random_view,
    warped,
)
from spinetrack_synth.training.crops import CropCache
from spinetrack_synth.training.exchange import Backgrounds, exchanged, shows_enough

Ints = NDArray[np.int64]

GOLDEN: Final = (math.sqrt(5) - 1) / 2
"""Steps of this size spread over the circle more evenly than any other."""

BLOCK: Final = 4096
"""Batches whose counts are computed at a time."""

DRAWS, SLOTS, LOOKS = range(3)
"""What random numbers are for, so that no two streams are one."""


@dataclass(frozen=True, eq=False)
class Batch:
    """B people: ``images`` (B, H, W, 3) RGB; ``points`` (B, 37, 2) in pixels of the crop, integers
    being pixel centres; ``weight`` (B, 37), 1 where a point is labelled and in the crop, else 0;
    ``source`` (B,) the number of the cache and ``person`` (B,) the row in it; ``picture2crop``
    (B, 2, 3) from pixels of the picture to those of the crop, which mirrors where its determinant
    is negative."""

    images: NDArray[np.uint8]
    points: NDArray[np.float32]
    weight: NDArray[np.float32]
    source: Ints
    person: Ints
    picture2crop: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Batches:
    """Batches of ``batch_size`` people from caches, by weight, in the order of a seed.

    Everybody of a source comes once before anybody comes again. ``rank`` of ``ranks`` is the share
    of one of several processes: together they have the batch of one alone. Raises UserError where
    weights are no shares, or sources have crops of several sizes.
    """

    caches: Sequence[CropCache]
    weights: Sequence[float]
    batch_size: int
    seed: int = 0
    augmentation: AugmentationConfig | None = None
    backgrounds: Backgrounds | None = None
    rank: int = 0
    ranks: int = 1

    def __post_init__(self) -> None:
        if not self.caches:
            raise UserError("sources: none: nothing to learn from")
        if len(self.weights) != len(self.caches):
            raise UserError(f"weights: {len(self.weights)} for {len(self.caches)} sources")
        for cache, weight in zip(self.caches, self.weights):
            if not isinstance(weight, int | float) or not math.isfinite(weight) or weight < 0:
                raise UserError(
                    f"weight of {cache.source.config.title}: {weight!r}, expected 0 or more"
                )
        if sum(self.weights) <= 0:
            raise UserError("weights: all are 0: nothing to learn from")
        if len({cache.input_hw for cache in self.caches}) > 1:
            raise UserError("sources: their crops are of several sizes")
        if self.backgrounds and not any(cache.source.exchanges.any() for cache in self.caches):
            raise UserError(
                "backgrounds: nobody in the sources has an exact mask to be cut out by (a source's "
                "exchange = true takes outlines drawn by hand as well)"
            )
        if self.seed < 0:
            raise UserError(f"seed is {self.seed}, expected 0 or more")
        if self.batch_size < 1 or self.batch_size % self.ranks:
            raise UserError(
                f"batch_size {self.batch_size} cannot be divided among {self.ranks} processes"
            )

    def at(self, k: int) -> Batch:
        """Batch number k, from 0 on."""
        source, draw = self._slots(k)
        person = np.array([self._person(int(s), int(d)) for s, d in zip(source, draw)], np.int64)
        looks = []
        for s, d, one in zip(source, draw, person):
            rng = np.random.default_rng([self.seed, LOOKS, s, d])
            looks.append(_look(self.caches[s], int(one), rng, self.augmentation, self.backgrounds))
        return _batch(looks, source, person)

    def _slots(self, k: int) -> tuple[Ints, Ints]:
        """The source of each slot of this rank's share (B / ranks,), and how many people of that
        source came before it."""
        counts, before = self._counts(k)
        source = np.repeat(np.arange(len(counts)), counts)
        draw = np.concatenate([start + np.arange(n) for start, n in zip(before, counts)])
        order = np.random.default_rng([self.seed, SLOTS, k]).permutation(self.batch_size)
        mine = order[self.rank :: self.ranks]
        return source[mine], draw[mine]

    def _counts(self, k: int) -> tuple[Ints, Ints]:
        """How many people of each source batch k has, and how many the batches before it had.

        The sources divide a circle by their weights; a batch is B points on it at equal distances,
        which turn by the golden ratio of a distance from batch to batch. So each count is the
        share rounded up or down, and right in the mean.
        """
        block, row = divmod(k, BLOCK)
        shares = tuple(float(weight) for weight in self.weights)
        before = [_block_total(shares, self.batch_size, past) for past in range(block)]
        counts = _block_counts(shares, self.batch_size, block)
        return counts[row], np.sum([counts[:row].sum(0), *before], axis=0)

    def _person(self, source: int, draw: int) -> int:
        people = len(self.caches[source])
        return int(_order(self.seed, source, draw // people, people)[draw % people])


@lru_cache(maxsize=4)
def _block_counts(weights: tuple[float, ...], batch_size: int, block: int) -> Ints:
    """Counts (BLOCK, S) of the sources in the batches of a block."""
    shares = np.cumsum(weights) / sum(weights)
    ends = np.where(shares >= shares[-1], batch_size, shares * batch_size)
    turn = np.arange(block * BLOCK, (block + 1) * BLOCK) * GOLDEN % 1
    upto = np.ceil(ends - turn[:, None]).clip(0).astype(np.int64)
    counts: Ints = np.diff(upto, axis=1, prepend=0)
    return counts


@cached
def _block_total(weights: tuple[float, ...], batch_size: int, block: int) -> Ints:
    total: Ints = _block_counts(weights, batch_size, block).sum(0)
    return total


@lru_cache(maxsize=64)
def _order(seed: int, source: int, epoch: int, people: int) -> Ints:
    """In which order a source's people come in one of its epochs."""
    return np.random.default_rng([seed, DRAWS, source, epoch]).permutation(people)


def whole(cache: CropCache, batch_size: int) -> Iterator[Batch]:
    """Everybody of a cache once, in order, as inference sees them; the last batch may be less."""
    rng = np.random.default_rng(0)  # nothing is drawn
    for first in range(0, len(cache), batch_size):
        person = np.arange(first, min(first + batch_size, len(cache)))
        looks = [_look(cache, int(one), rng, None, None) for one in person]
        yield _batch(looks, np.zeros(len(person), np.int64), person)


Look = tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]


def _look(
    cache: CropCache,
    person: int,
    rng: np.random.Generator,
    augmentation: AugmentationConfig | None,
    backgrounds: Backgrounds | None,
) -> Look:
    """What the network is to see of a person (H, W, 3) RGB, where the keypoints (37, 2) are in
    that, which of them are labelled and in it, and the way (2, 3) there from the picture."""
    hw = height, width = cache.input_hw
    labelled = cache.source.labelled[person]
    if backgrounds is not None and (
        not cache.source.exchanges[person] or rng.random() >= backgrounds.config.probability
    ):
        backgrounds = None
    crop = cache.crop(person, with_mask=backgrounds is not None)
    view = random_view(augmentation, rng, crop.points, labelled, hw) if augmentation else AS_IT_IS
    matrix = view.matrix(crop.to_network, width)
    image = warped(crop.image, matrix, hw)
    seen = view.points(crop.points, width)
    inside = ((seen >= -0.5) & (seen <= np.array([width, height]) - 0.5)).all(1)
    taught = view.flags(labelled) & inside
    if backgrounds is not None and crop.mask is not None:
        mask = warped(crop.mask, matrix, hw)
        if shows_enough(mask, seen[taught]):
            extent = warped(np.full(crop.mask.shape, 255, np.uint8), matrix, hw)
            image = exchanged(image, mask, extent, backgrounds, rng)
    if augmentation is not None:
        image = altered(augmentation, rng, view.framed(image))
    left, top, scale = cache.frames[person]
    from_picture = np.array([[1, 0, -left], [0, 1, -top]]) / scale
    return image[..., ::-1], seen, taught, view.matrix(from_picture, width)


def _batch(looks: Sequence[Look], source: Ints, person: Ints) -> Batch:
    images, points, weight, ways = zip(*looks)
    return Batch(
        np.stack(images), np.stack(points).astype(np.float32),
        np.stack(weight).astype(np.float32), source, person, np.stack(ways),
    )  # fmt: skip
