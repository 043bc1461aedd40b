"""The contact sheet."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from spinetrack_synth.drawing.sheet import TILE_WIDTH_PX, Tile, contact_sheet


def figure() -> np.ndarray:
    """All keypoints on a grid, 40 px apart, seen."""
    k = np.arange(37)
    return np.stack([20.0 + 40 * (k % 8), 20.0 + 40 * (k // 8), np.full(37, 2.0)], axis=-1)


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
