"""Units and axes by name."""

from __future__ import annotations

import numpy as np
import pytest

from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.axes import METRES, axes_called, metres, to_world, unit_called


@pytest.mark.parametrize(
    ("said", "unit"),
    [
        ("mm", "mm"), ("MM", "mm"), ("Mm", "mm"), (" mm\0", "mm"), ("[mm]", "mm"),
        ("METERS", "m"), ("metres", "m"), ("Centimeter", "cm"), ("micron", "um"), ("µm", "um"),
        ("inches", "in"), ("feet", "ft"), ("cmu", "cmu"), ("furlong", None), ("", None),
    ],
)  # fmt: skip
def test_units_go_by_many_names(said: str, unit: str | None) -> None:
    assert unit_called(said) == unit
    if unit:
        assert metres(said) == METRES[unit]


def test_axes_are_proper_and_called_by_their_names() -> None:
    names = [
        f"{a}{up}-up-facing-{b}{forward}"
        for up in "xyz" for forward in "xyz" if up != forward
        for a in ("", "minus-") for b in ("", "minus-")
    ]  # fmt: skip
    for name in names:
        world = to_world(name)
        assert np.linalg.det(world) == pytest.approx(1.0)
        assert to_world(axes_called(world[1], world[0])).tolist() == world.tolist()
    assert axes_called(np.array([0, 0, 1.0]), np.array([1.0, 0, 0])) == "z-up"
    np.testing.assert_array_equal(to_world("z-up"), [[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    np.testing.assert_array_equal(to_world("y-up-facing-z"), [[0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    assert np.linalg.det(to_world("unreal")) == pytest.approx(-1.0)


@pytest.mark.parametrize("name", ["up", "y-up-facing-y", "w-up", "y-up-facing-minus-y"])
def test_unknown_axes_are_told(name: str) -> None:
    with pytest.raises(UserError, match=f"axes '{name}': choose y-up, z-up"):
        to_world(name)
