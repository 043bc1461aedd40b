"""Distributions against numpy's own histograms and quantiles."""

from __future__ import annotations

import numpy as np
import pytest

from spinetrack_synth.stats.measures import MEASURES
from spinetrack_synth.stats.tables import QUANTILES, Measure, Table, Tally, overlap

NUMBERS = Measure("x", "x", "people", "group", edges=(-10.0, 0.0, 1.0, 5.0, 20.0), unit="m")
NAMES = Measure("n", "n", "people", "group", order=("front", "back"))


def of(values: object, measure: Measure = NUMBERS) -> Table:
    tally = Tally(measure)
    tally.add(values)
    return tally.table()


def test_numbers_are_counted_as_numpy_counts_them() -> None:
    values = np.random.default_rng(1).normal(2, 3, 5000).clip(-9.9, 19.9)
    table = of(values)
    counts, _ = np.histogram(values, NUMBERS.edges)
    assert [bar.count for bar in table.bars] == counts.tolist()
    assert table.total == 5000
    assert (table.least, table.greatest) == (values.min(), values.max())
    # A narrow bin is a 25th of the told one, 0.6 m at most.
    np.testing.assert_allclose(table.quantiles, np.quantile(values, QUANTILES), atol=0.3)


def test_blocks_add_up() -> None:
    values = np.random.default_rng(2).uniform(-12, 22, 999)
    tally = Tally(NUMBERS)
    for block in np.array_split(values, 7):
        tally.add(block)
    assert tally.table() == of(values)


def test_what_lies_outside_is_counted_at_the_ends_and_nan_is_not() -> None:
    table = of(np.array([-11.0, -10.0, 1.0, 20.0, 21.0, 22.0, np.nan]))
    told = {bar.label: bar.count for bar in table.bars}
    assert told == {
        "under -10": 1, "-10 to 0": 1, "0 to 1": 0, "1 to 5": 1, "5 to 20": 1, "over 20": 2,
    }  # fmt: skip
    assert table.total == 6
    assert -11.0 <= table.quantiles[0] < -10.9


def test_a_single_value_is_all_its_quantiles() -> None:
    assert set(of(np.array([3.25])).quantiles) == {3.25}


def test_names_have_their_order_then_the_commonest_first() -> None:
    table = of(["side", "back", None, "top", "top", "front"], NAMES)
    assert [(bar.label, bar.count) for bar in table.bars] == [
        ("front", 1), ("back", 1), ("top", 2), ("side", 1),
    ]  # fmt: skip
    assert table.total == 5


def test_overlap_is_what_distributions_share() -> None:
    first, second = of(["a"] * 3 + ["b"], NAMES), of(["b"] * 2 + ["c"] * 2, NAMES)
    assert overlap(first, first) == pytest.approx(1.0)
    assert overlap(first, second) == pytest.approx(0.25)
    assert overlap(first, of(["d"], NAMES)) == 0.0


def test_every_measure_has_a_key_of_its_own_and_rising_edges() -> None:
    assert len({measure.key for measure in MEASURES}) == len(MEASURES)
    assert all((np.diff(measure.edges) > 0).all() for measure in MEASURES if measure.numeric)
