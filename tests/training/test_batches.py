"""Batch number k is always the same, mixed by weight, and shared out among processes."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from labelled_pictures import write_set

from spinetrack_synth import skeleton
from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose.keypoint_sets import SETS
from spinetrack_synth.training.augmentation import PROBABILITIES, AugmentationConfig
from spinetrack_synth.training.batches import BLOCK, Batch, Batches, whole
from spinetrack_synth.training.crops import CropCache, open_cache
from spinetrack_synth.training.reading_ahead import read_ahead
from spinetrack_synth.training.sources import SourceConfig, read_source

pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[spinepose]'")
HW = (32, 24)


@pytest.fixture(scope="module")
def caches(tmp_path_factory: pytest.TempPathFactory) -> list[CropCache]:
    """Five rendered people, three with LSP's points, four boxes."""
    folder = tmp_path_factory.mktemp("batches")
    sources = [
        SourceConfig(write_set(folder / "a", [60] * 5)),
        SourceConfig(write_set(folder / "b", [80] * 3, names=SETS["lsp"])),
        SourceConfig(write_set(folder / "c", [70] * 4), labelled=False),
    ]
    return [open_cache(read_source(each), folder / "cache", HW) for each in sources]


def same(one: Batch, other: Batch) -> bool:
    return all(np.array_equal(*pair) for pair in zip(vars(one).values(), vars(other).values()))


def test_a_batch_is_a_function_of_seed_and_number(caches: list[CropCache]) -> None:
    def batches(seed: int) -> Batches:
        return Batches(caches, [3, 2, 1], 8, seed, AugmentationConfig())

    in_order = [batches(1).at(k) for k in range(4)]
    assert same(batches(1).at(3), in_order[3]), "as after a resume"
    assert same(pickle.loads(pickle.dumps(batches(1))).at(2), in_order[2])
    assert not same(in_order[0], in_order[1])
    assert not same(batches(2).at(0), in_order[0])


def test_batches_have_the_shapes_and_types_that_they_say(caches: list[CropCache]) -> None:
    batch = Batches(caches, [1, 1, 1], 9, augmentation=AugmentationConfig()).at(5)
    assert batch.images.shape == (9, *HW, 3) and batch.images.dtype == np.uint8
    assert batch.points.shape == (9, 37, 2) and batch.points.dtype == np.float32
    assert batch.weight.shape == (9, 37) and set(np.unique(batch.weight)) <= {0, 1}
    assert batch.source.dtype == batch.person.dtype == np.int64
    assert all(array.flags.c_contiguous for array in vars(batch).values())


def test_points_that_a_source_does_not_label_take_no_part(caches: list[CropCache]) -> None:
    batch = Batches(caches, [1, 1, 1], 30).at(0)
    counts = [batch.weight[batch.source == number].sum(0) for number in range(3)]
    nose, wrist = skeleton.INDEX["nose"], skeleton.INDEX["left_wrist"]
    assert counts[0][nose] == counts[0][wrist] == counts[1][wrist] == 10
    assert counts[1][nose] == 0
    assert not counts[2].any()


def test_of_mirrored_people_the_other_side_is_labelled(tmp_path: Path) -> None:
    source = read_source(SourceConfig(write_set(tmp_path, [60]), ignore=("left_wrist",)))
    cache = open_cache(source, tmp_path / "cache", HW)
    left, right = (skeleton.INDEX[f"{side}_wrist"] for side in ("left", "right"))
    nothing = dict.fromkeys(PROBABILITIES, 0.0)
    for mirror, seen, unseen in ((0.0, right, left), (1.0, left, right)):
        config = AugmentationConfig(**(nothing | {"mirror": mirror}))
        weight = Batches([cache], [1], 1, augmentation=config).at(0).weight[0]
        assert (weight[seen], weight[unseen]) == (1, 0)


@pytest.mark.parametrize("weights", [(1, 1, 1), (6, 3, 1), (0.05, 5, 0), (1e-6, 1, 1e6)])
def test_every_batch_is_mixed_by_weight_and_everybody_comes_as_often(
    caches: list[CropCache], weights: tuple[float, ...]
) -> None:
    batches = Batches(caches, weights, 16)
    share = 16 * np.array(weights) / sum(weights)
    slots = [batches._slots(k) for k in range(60)]
    counts = np.array([np.bincount(source, minlength=3) for source, _ in slots])
    assert (np.abs(counts - share) < 1 + 1e-9).all()
    assert (np.abs(counts.sum(0) - 60 * share) < 3).all()
    for number in range(3):
        drawn = np.concatenate([draw[source == number] for source, draw in slots])
        assert sorted(drawn) == list(range(len(drawn))), "no draw is left out or comes twice"
    people = [batches.at(k) for k in range(5)]
    for number, cache in enumerate(caches):
        rows = np.concatenate([batch.person[batch.source == number] for batch in people])
        times = np.bincount(rows, minlength=len(cache))
        assert times.max() - times.min() <= 1


def test_draws_go_on_over_the_blocks_in_which_they_are_counted(caches: list[CropCache]) -> None:
    batches = Batches(caches, [2, 1, 0.3], 5)
    total = np.zeros(3, np.int64)
    for k in range(2 * BLOCK + 3):
        counts, before = batches._counts(k)
        if k % 997 == 0 or k % BLOCK in (0, 1, BLOCK - 1):
            np.testing.assert_array_equal(before, total)
        assert counts.sum() == 5
        total += counts


def test_ranks_share_the_batch_of_one_process(caches: list[CropCache]) -> None:
    one = Batches(caches, [2, 1, 1], 8, 3, AugmentationConfig()).at(7)
    parts = [
        Batches(caches, [2, 1, 1], 8, 3, AugmentationConfig(), rank=rank, ranks=2).at(7)
        for rank in range(2)
    ]
    assert all(len(part.images) == 4 for part in parts)
    for name, array in vars(one).items():
        np.testing.assert_array_equal(array[0::2], vars(parts[0])[name])
        np.testing.assert_array_equal(array[1::2], vars(parts[1])[name])


def test_everybody_is_seen_once_in_validation(caches: list[CropCache]) -> None:
    seen = list(whole(caches[0], 2))
    assert [len(batch.images) for batch in seen] == [2, 2, 1]
    assert np.concatenate([batch.person for batch in seen]).tolist() == list(range(5))


@pytest.mark.parametrize(
    ("weights", "options", "said"),
    [
        ([0, 0, 0], {}, "weights: all are 0"),
        ([1, float("nan"), 1], {}, "weight of people: nan, expected 0 or more"),
        ([1, -2, 1], {}, "weight of people: -2"),
        ([1, "2", 1], {}, "weight of people: '2'"),
        ([1, float("inf"), 1], {}, "weight of people: inf"),
        ([1, 1], {}, "2 for 3 sources"),
        ([1, 1, 1], {"ranks": 3}, "batch_size 8 cannot be divided among 3 processes"),
        ([1, 1, 1], {"caches": ()}, "sources: none"),
        ([1, 1, 1], {"seed": -1}, "seed is -1"),
    ],
)
def test_weights_that_are_no_shares_are_refused(
    caches: list[CropCache], weights: list[float], options: dict[str, object], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        Batches(**({"caches": caches, "weights": weights, "batch_size": 8} | options))  # type: ignore[arg-type]


def test_crops_of_several_sizes_are_refused(caches: list[CropCache], tmp_path: Path) -> None:
    other = open_cache(
        read_source(SourceConfig(write_set(tmp_path, [50]))), tmp_path / "c", (40, 30)
    )
    with pytest.raises(UserError, match="several sizes"):
        Batches([caches[0], other], [1, 1], 4)


def test_without_workers_batches_come_in_order(caches: list[CropCache]) -> None:
    batches = Batches(caches, [1, 1, 1], 3)
    assert all(same(a, batches.at(k)) for k, a in enumerate(read_ahead(batches, 2, 4, 0), 2))
