"""The sheet that shows a whole dataset at a glance."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from spinetrack_synth.drawing.palette import LEFT_COLOR, MIDLINE_COLOR, RIGHT_COLOR, SPINE_COLOR
from spinetrack_synth.drawing.person import Person, draw_person, stroke_of
from spinetrack_synth.drawing.pixels import PillowCanvas
from spinetrack_synth.skeleton import LINKS, NAMES

PAPER: Final = (24, 24, 28)
INK: Final = (230, 230, 230)

TILE_WIDTH_PX: Final = 480
MARGIN_PX: Final = 12
CAPTION_PX: Final = 22
MAX_TILES: Final = 24
_SMOOTH: Final = 2
"""Pillow draws without anti-aliasing, so tiles are drawn this much larger and reduced."""
LEAST_STROKE_PX: Final = 1.5
MOST_STROKE_PX: Final = 2.5 * _SMOOTH


@dataclass(frozen=True)
class Tile:
    """One picture of a contact sheet: its file's content, its people's keypoints, its caption."""

    content: bytes
    people: Sequence[NDArray[np.float64]]
    caption: str


def contact_sheet(tiles: Sequence[Tile]) -> bytes:
    """A JPEG with every tile's skeletons drawn over it and a legend; equal tiles, equal bytes."""
    columns = min(len(tiles), max(4, math.isqrt(int(1.4 * len(tiles)))))
    drawn = [_draw_tile(tile) for tile in tiles]
    height = max(tile.height for tile in drawn)
    rows = -(-len(drawn) // columns)
    sheet = Image.new(
        "RGB",
        (
            columns * (TILE_WIDTH_PX + MARGIN_PX) + MARGIN_PX,
            rows * (height + CAPTION_PX + MARGIN_PX) + MARGIN_PX + CAPTION_PX,
        ),
        PAPER,
    )
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(14)
    for number, (tile, picture) in enumerate(zip(tiles, drawn)):
        row, column = divmod(number, columns)
        x = MARGIN_PX + column * (TILE_WIDTH_PX + MARGIN_PX)
        y = MARGIN_PX + row * (height + CAPTION_PX + MARGIN_PX)
        sheet.paste(picture, (x, y))
        draw.text((x, y + height + 3), _fit(tile.caption, font), INK, font=font)
    _draw_legend(draw, sheet.height - CAPTION_PX - 4, font)
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=90, subsampling="4:4:4")
    return buffer.getvalue()


def _draw_tile(tile: Tile) -> Image.Image:
    with Image.open(io.BytesIO(tile.content)) as image:
        scale = TILE_WIDTH_PX / image.width
        size = (TILE_WIDTH_PX, round(image.height * scale))
        large = image.convert("RGB").resize((size[0] * _SMOOTH, size[1] * _SMOOTH))
    for keypoints in tile.people:
        points, v = keypoints[:, :2] * (scale * _SMOOTH), keypoints[:, 2]
        stroke = stroke_of(points[v > 0], LEAST_STROKE_PX, MOST_STROKE_PX)
        draw_person(PillowCanvas(large), Person(points, v, NAMES, LINKS), stroke)
    return large.reduce(_SMOOTH)


def _fit(caption: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    while font.getlength(caption) > TILE_WIDTH_PX and len(caption) > 4:
        caption = caption[:-4] + "..."
    return caption


def _draw_legend(
    draw: ImageDraw.ImageDraw, y: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> None:
    entries = (
        ("spine", SPINE_COLOR, True),
        ("subject's left", LEFT_COLOR, True),
        ("subject's right", RIGHT_COLOR, True),
        ("midline", MIDLINE_COLOR, True),
        ("hidden", MIDLINE_COLOR, False),
    )
    x = float(MARGIN_PX + 6)
    for text, color, full in entries:
        draw.circle((x, y + 9), 5, color if full else PAPER, color, width=2)
        draw.text((x + 11, y), text, INK, font=font)
        x += 11 + font.getlength(text) + 24
