"""Colours, repeats and prints of cloth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spinetrack_synth.avatars import emblems, patterns
from spinetrack_synth.avatars.body import sample_subject, shape
from spinetrack_synth.avatars.cloth_colors import REGIONS, draw_color, draw_second, lab_color
from spinetrack_synth.avatars.clothes import tailor
from spinetrack_synth.avatars.cuts import Cut, Neckline
from spinetrack_synth.avatars.figure import measure
from spinetrack_synth.avatars.flat_cloth import ClothTexels, laid_flat
from spinetrack_synth.avatars.patterns import Fabric
from spinetrack_synth.avatars.swatches import KINDS, draw_swatch

TEE = Cut("t-shirt", hem=0.1, neck=Neckline(0.08, 0.05, 0.02), sleeve=0.4, ease_m=0.012)
PLAIN = Fabric("plain", (0.1, 0.1, 0.1), (0.9, 0.2, 0.2), (0.1, 0.1, 0.1), 0.8, ((0.2, 0.2, 0.9),))


@pytest.fixture(scope="module")
def tee(body_data) -> ClothTexels:
    figure = measure(body_data, shape(body_data, sample_subject(7, 1)))
    garment = tailor(body_data, figure, TEE, np.random.default_rng(0))
    flat = laid_flat(body_data)
    return ClothTexels(flat, garment, flat.texels.touching(garment.depth_m > -0.03))


def test_lab_is_cielab():
    # sRGB primaries, Lab of D65 (Lindbloom).
    for rgb, lab in (((1, 0, 0), (53.24, 80.09, 67.20)), ((0, 0, 1), (32.30, 79.19, -107.86))):
        assert np.abs(np.array(lab_color(*lab)) - np.clip(rgb, 0.02, 0.93)).max() < 0.01
    assert lab_color(50, 0, 0) == pytest.approx((0.4663,) * 3, abs=1e-3)


def test_a_third_of_all_clothes_is_nearly_black_or_white_and_all_hues_come():
    import colorsys

    rng = np.random.default_rng(2)
    colors = [draw_color(rng) for _ in range(3000)]
    hue, saturation, value = np.array([colorsys.rgb_to_hsv(*c) for c in colors]).T
    extreme = ((value < 0.2) | (value > 0.85)) & (saturation < 0.35)
    assert 0.25 < extreme.mean() < 0.5
    counts = np.histogram(hue[saturation > 0.35], bins=12, range=(0, 1))[0]
    assert counts.min() > 8
    assert sum(region.share for region in REGIONS.values()) == pytest.approx(1.07, abs=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_a_swatch_repeats_and_shows_its_colours(kind):
    rng = np.random.default_rng(7)
    main = (0.1, 0.15, 0.4)
    colors = [main, *(draw_second(rng, main) for _ in range(3))]
    swatch = replace(draw_swatch(kind, colors, rng), turn_rad=0.0)
    height, width = swatch.image.shape[:2]
    places = rng.uniform(-1, 1, (500, 2)).astype(np.float32)
    pitch = 0.0012 * np.array([width, height], np.float32)
    same = swatch.at(places) == swatch.at(places + 3 * pitch)
    assert same.all(axis=1).mean() > 0.9  # rounding at the borders of pixels aside
    assert np.abs(swatch.image - np.array(main, np.float32)).max(axis=2).max() > 0.1


@pytest.mark.parametrize("kind", ["flowers", "leaves", "leopard", "confetti", "dots", "zigzag"])
def test_shapes_go_on_over_the_edge_of_a_swatch(kind):
    swatch = draw_swatch(kind, [(0.1, 0.1, 0.1), (0.9, 0.9, 0.9), (0.9, 0.2, 0.2)],
                         np.random.default_rng(7))  # fmt: skip
    for axis in (0, 1):
        inner = np.abs(np.diff(swatch.image, axis=axis)).sum(axis=2).mean(axis=1 - axis)
        edge = np.abs(np.roll(swatch.image, 1, axis) - swatch.image).sum(axis=2)
        assert np.take(edge, 0, axis=axis).mean() <= max(3 * inner.mean(), 1.1 * inner.max())


def test_the_grid_of_a_shirt_is_in_metres(tee):
    """Neighbouring texels are as far apart on the cloth as they are on the body."""
    front = np.flatnonzero(tee.on_trunk & (tee.normals[:, 0] > 0.5))
    rng = np.random.default_rng(0)
    from scipy.spatial import KDTree

    tree = KDTree(tee.points[front])
    distance, near = tree.query(tee.points[rng.choice(front, 400, replace=False)], k=30)
    body = distance[:, -1]
    one, other = front[near[:, 0]], front[near[:, -1]]
    cloth = np.linalg.norm(tee.grid[one] - tee.grid[other], axis=1)
    assert 0.8 < np.median(cloth / body) < 1.1


def test_a_number_on_the_back_can_be_read_from_behind(tee):
    """Drawn by hand from behind, the digit 7 has its bar above and its foot below."""
    paint = np.zeros((len(tee.points), 3), np.float32)
    number = emblems.number("7", (1.0, 1.0, 1.0))
    patterns._stamp(paint, tee, number, (0.0, tee.figure.bust_y), 0.26, front=False)
    inked = paint[:, 0] > 0.5
    points = tee.points[inked]
    assert (tee.fore[inked] < 0).all() and len(points) > 500
    right = points[:, 2]  # who stands behind has the subject's right at the right hand
    top = points[:, 1] > np.quantile(points[:, 1], 0.9)
    bottom = points[:, 1] < np.quantile(points[:, 1], 0.1)
    assert np.ptp(right[top]) > 0.08  # the bar
    assert right[bottom].mean() < right[top].mean()  # the foot stands to the left of its middle


def test_a_print_on_the_chest_reads_from_the_front(tee):
    paint = np.zeros((len(tee.points), 3), np.float32)
    number = emblems.number("7", (1.0, 1.0, 1.0))
    patterns._stamp(paint, tee, number, (0.0, tee.figure.bust_y), 0.2, front=True)
    inked = paint[:, 0] > 0.5
    points = tee.points[inked]
    assert (tee.fore[inked] > 0).all()
    right = -points[:, 2]  # who stands before has the subject's left at the right hand
    bottom = points[:, 1] < np.quantile(points[:, 1], 0.1)
    top = points[:, 1] > np.quantile(points[:, 1], 0.9)
    assert right[bottom].mean() < right[top].mean()


@pytest.mark.parametrize("pattern", patterns.PAINTERS)
def test_cloth_is_painted_in_its_range_and_the_same_each_time(tee, pattern):
    fabric = replace(PLAIN, pattern=pattern, swatch="tartan" if pattern == "swatch" else "")
    fabric = replace(fabric, others=((0.2, 0.2, 0.9), (0.9, 0.9, 0.2)))
    one, two = (patterns.paint_cloth(tee, fabric, np.random.default_rng(3)) for _ in range(2))
    assert (one == two).all() and one.dtype == np.float32
    assert one.min() > -0.05 and one.max() < 1.05
    if pattern not in ("plain", "panel", "unprinted"):
        assert np.ptp(one, axis=0).max() > 0.03


def test_no_two_words_are_alike():
    rng = np.random.default_rng(0)
    words = [emblems.word((1.0, 1.0, 1.0), rng)[..., 3] for _ in range(6)]
    pairs = [(a, b) for i, a in enumerate(words) for b in words[:i]]
    assert min(np.abs(a - b).mean() for a, b in pairs) > 0.01
    assert all(0.01 < word.mean() < 0.5 for word in words)
