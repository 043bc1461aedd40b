"""Keypoints by name and by number."""

from __future__ import annotations

import pytest

from spinetrack_synth import skeleton
from spinetrack_synth.coco.keypoint_names import ORDERS, canonical_name, columns_of


def test_known_orders_name_what_spinetrack_knows() -> None:
    for count, names in ORDERS.items():
        assert len(names) == count == len(set(names))
    assert len(columns_of(ORDERS[133])) == 23
    assert len(columns_of(ORDERS[136])) == 26
    assert dict(columns_of(ORDERS[25]))[skeleton.INDEX["left_small_toe"]] == 20
    assert dict(columns_of(ORDERS[18]))[skeleton.INDEX["right_wrist"]] == 4


@pytest.mark.parametrize(
    "spelt", ["left shoulder", "l_shoulder", "LShoulder", "shoulder_left", "leftShoulder",
              "left_sho", "lshoulder", "Left-Shoulder", "L.Shoulder", "leftshoulder",
              "LEFTSHOULDER"],
)  # fmt: skip
def test_names_are_known_in_every_spelling(spelt: str) -> None:
    assert canonical_name(spelt) == "left_shoulder"
