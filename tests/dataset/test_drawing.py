"""Skeletons over pictures, and the contact sheet."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from spinetrack_synth.dataset.drawing import TILE_WIDTH_PX, Tile, contact_sheet, draw_skeleton
from spinetrack_synth.palette import LEFT_COLOR, OUTLINE, RIGHT_COLOR, SPINE_COLOR
from spinetrack_synth.skeleton import INDEX


def figure() -> np.ndarray:
    """All keypoints on a grid, 40 px apart, seen."""
    k = np.arange(37)
    return np.stack([20.0 + 40 * (k % 8), 20.0 + 40 * (k // 8), np.full(37, 2.0)], axis=-1)


def drawn(keypoints: np.ndarray) -> np.ndarray:
    picture = Image.new("RGB", (340, 220), (255, 255, 255))
    draw_skeleton(picture, keypoints, stroke=4)
    return np.asarray(picture)


def pixel(picture: np.ndarray, keypoints: np.ndarray, name: str) -> tuple[int, ...]:
    x, y = keypoints[INDEX[name], :2].astype(int)
    return tuple(int(value) for value in picture[y, x])


@pytest.mark.parametrize(
    ("name", "color"),
    [("spine_03", SPINE_COLOR), ("neck_02", SPINE_COLOR), ("left_knee", LEFT_COLOR),
     ("right_wrist", RIGHT_COLOR)],
)  # fmt: skip
def test_points_have_the_colour_of_their_part(name: str, color: tuple) -> None:
    keypoints = figure()
    assert pixel(drawn(keypoints), keypoints, name) == color


def test_hidden_points_are_hollow() -> None:
    keypoints = figure()
    keypoints[INDEX["spine_03"], 2] = 1
    assert pixel(drawn(keypoints), keypoints, "spine_03") == OUTLINE


def test_points_outside_the_picture_leave_no_mark() -> None:
    keypoints = figure()
    keypoints[:, 2] = 0
    keypoints[:, :2] = 100
    assert (drawn(keypoints) == 255).all()


def tile(width: int, height: int, people: int = 1) -> Tile:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (90, 120, 90)).save(buffer, "PNG")
    return Tile(buffer.getvalue(), [figure() * [0.5, 0.5, 1]] * people, "tile " * 40)


@pytest.mark.parametrize("count", [1, 3, 12, 24])
def test_a_sheet_holds_all_tiles(count: int) -> None:
    with Image.open(io.BytesIO(contact_sheet([tile(200, 150)] * count))) as sheet:
        columns = sheet.width // TILE_WIDTH_PX
        rows = sheet.height // (TILE_WIDTH_PX * 150 // 200)
        assert columns * rows >= count
        assert columns <= 6


def test_upright_and_wide_pictures_share_a_sheet() -> None:
    content = contact_sheet([tile(200, 150), tile(150, 200), tile(320, 100, people=0)])
    assert content == contact_sheet([tile(200, 150), tile(150, 200), tile(320, 100, people=0)])
