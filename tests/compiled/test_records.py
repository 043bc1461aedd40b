"""Named tuples that compiled functions take by reference."""

from typing import NamedTuple

import numpy as np
import pytest

from spinetrack_synth.compiled import apart, assign, by_reference, inner, njit


@by_reference
class Point(NamedTuple):
    place: np.ndarray
    weight: float


@by_reference
class Cloud(NamedTuple):
    points: tuple[Point, ...]
    count: int
    table: np.ndarray
    chosen: np.ndarray


@inner()
def weighted(point):
    return point.weight * point.place.sum()


@apart()
def total_of(cloud):
    total = 0.0
    for point in cloud.points:
        total += weighted(point)
    return total


@njit()
def fill(cloud):
    for i in range(cloud.count):
        for j in range(cloud.table.shape[1]):
            if cloud.chosen[j]:
                cloud.table[i, j] = 10 * i + j
    assign(cloud.table[cloud.count - 1], cloud.points[0].place)
    return total_of(cloud)


def cloud(columns: int = 3) -> Cloud:
    points = (Point(np.arange(float(columns)), 2.0), Point(np.ones(columns), 0.5))
    return Cloud(points, 2, np.zeros((2, columns)), np.arange(columns) != 1)


def test_fields_are_read_and_arrays_written_in_place():
    one = cloud()
    assert fill(one) == 2.0 * 3 + 0.5 * 3
    np.testing.assert_array_equal(one.table, [[0, 0, 2], [0, 1, 2]])
    assert fill(cloud(5)) == 2.0 * 10 + 0.5 * 5
    assert len(fill.signatures) == 1


def test_an_array_with_gaps_is_refused():
    one = cloud()
    gaps = one._replace(table=np.zeros((2, 6))[:, ::2])
    with pytest.raises(TypeError, match=r"Cloud\.table: compiled code takes C-contiguous arrays"):
        fill(gaps)


def test_another_type_of_number_is_another_signature_not_nonsense():
    single = Point(np.arange(3, dtype=np.float32), 2.0)
    both = Point(np.arange(3, dtype=np.float64), 2.0)
    scale = njit()(lambda point: point.place[1] * point.weight)
    assert scale(both) == 2.0 == scale(single)


def test_an_inner_function_is_refused_from_python():
    with pytest.raises(TypeError, match="weighted is for compiled functions"):
        weighted(cloud().points[0])
