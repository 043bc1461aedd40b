"""Painting of finishes: in bands, stroke upon stroke, between pixels."""

import numpy as np
import pytest
from scipy import fft

from spinetrack_synth.scenes.greenery import _paint_dabs, _paint_strokes
from spinetrack_synth.scenes.landscape import noise_field
from spinetrack_synth.scenes.textures import (
    courses,
    grit,
    image_bytes,
    in_bands,
    mix,
    noise,
    pixels,
    planks,
    ramp,
    speckle,
)


def test_painting_in_bands_gives_the_image_painted_at_once():
    planes = np.random.default_rng(0).uniform(-0.1, 1.1, (3, 70, 9))
    image = in_bands((70, 9), lambda rows: planes[:, rows])
    at_once = np.clip(planes, 0, 1).transpose(1, 2, 0) * 255
    assert image.shape == (70, 9, 3) and image.dtype == np.uint8
    assert np.abs(image - at_once).max() <= 0.5 + 1e-4
    assert np.array_equal(image_bytes(planes), image)


def test_colours_are_mixed_and_follow_a_ramp():
    share = np.array([[-1.0, 0.0, 0.25, 1.0, 2.0]])
    mixed = mix((0.0, 0.2, 1.0), (1.0, 0.4, 0.0), share)
    assert np.allclose(mixed[:, 0, 2], (0.25, 0.25, 0.75))
    assert np.allclose(mixed[:, 0, [0, 1]], np.array([[0.0, 0.2, 1.0]] * 2).T)
    assert np.allclose(mixed[:, 0, [3, 4]], np.array([[1.0, 0.4, 0.0]] * 2).T)
    greens = np.array([[0.1, 0.2, 0.1], [0.2, 0.4, 0.1], [0.6, 0.7, 0.3]])
    on_the_ramp = ramp(greens, np.array([[-0.1, 0.0, 0.5, 0.75, 1.0]], np.float32))[:, 0].T
    expected = [greens[0], greens[0], greens[1], greens[1:].mean(0), greens[2]]
    assert np.allclose(on_the_ramp, expected, atol=1e-3)


def test_strokes_cover_those_before_them_and_go_around_the_edges():
    def points(*values):
        return np.array(values, np.float32)

    planes = np.zeros((3, 4, 6), np.uint8)
    _paint_strokes(
        planes,
        start=points(((1.5, 4.5),), ((0.5, 5.5),)),
        move=points(((0, 1),), ((1, 0),)),
        reach=points((2,), (2,)),
        steps=points(0, 0.5, 1),
        taper=np.zeros((3, 1), np.float32),
        palette=points((20, 30, 40), (100, 110, 300)),
        shade=points(0.1, 0.6),
        light=points(1, 1),
    )
    drawn = np.zeros((3, 4, 6), np.uint8)
    # Ever lighter along the strokes, from 0.8 to 1.2 of the colour; 255 at most.
    drawn[:, 1, 4], drawn[:, 1, 5], drawn[:, 1, 0] = (16, 24, 32), (20, 30, 40), (24, 36, 48)
    drawn[:, 0, 5], drawn[:, 1, 5], drawn[:, 2, 5] = (80, 88, 240), (100, 110, 255), (120, 132, 255)
    assert np.array_equal(planes, drawn)


def test_dabs_of_a_later_crown_cover_those_of_an_earlier_one():
    planes, leafy = np.zeros((3, 8, 8), np.float32), np.zeros((8, 8), np.bool_)
    rows, columns = np.array([3, 4]), np.array([3, 4])
    color = np.array([[0.1, 0.9]] * 3, np.float32)
    _paint_dabs(planes, leafy, rows, columns, color, np.array([1, 2]))
    assert planes[0, 4, 4] == np.float32(0.9) and planes[0, 3, 3] == np.float32(0.1)
    assert leafy.sum() == 11 and np.array_equal(leafy, planes[2] > 0)


def test_a_noise_field_has_its_images_values_at_pixels_and_means_between_them():
    field = noise_field(np.random.default_rng(3), 512.0, 20.0)
    image = noise(np.random.default_rng(3), (512, 512), 20.0, faded=0.0)
    rows, columns = np.array([5.0, 511.0, -2.0]), np.array([7.0, 30.0, 600.0])
    i, j = rows.astype(int) % 512, columns.astype(int) % 512
    assert np.array_equal(field(rows, columns), image[i, j])
    between = (image[i, j] + image[(i + 1) % 512, j]) / 2
    assert np.allclose(field(rows + 0.5, columns), between, atol=1e-6)


@pytest.mark.parametrize("feature, decay", [((3, 9), 1.0), (24, 2.5)])
def test_noise_is_normal_and_its_spectrum_fades_as_asked(feature, decay):
    fields = [noise(np.random.default_rng(k), (240, 300), feature, decay) for k in range(6)]
    for field in fields:
        assert abs(field.mean()) < 1e-4 and np.isclose(field.std(), 1, atol=1e-4)
    power = np.mean([np.abs(np.fft.fft2(field)) ** 2 for field in fields], axis=0)
    down, across = np.broadcast_to(feature, 2)
    reach = (down * np.fft.fftfreq(240))[:, None] ** 2 + (across * np.fft.fftfreq(300)) ** 2
    asked = (1 + reach) ** (-decay - 1)
    asked[0, 0] = 0
    measured, expected = power / power.sum(), asked / asked.sum()
    rings = np.digitize(np.sqrt(reach), [0.1, 0.3, 0.6, 1.0, 2.0])
    for ring in np.unique(rings)[1:]:
        inside = rings == ring
        # Along the edges of the spectrum as well, whose waves stand alone.
        for part in (
            inside,
            inside & (np.arange(300) == 0),
            inside & (np.arange(240) == 0)[:, None],
        ):
            if part.sum() > 40:
                assert np.isclose(measured[part].sum() / expected[part].sum(), 1, atol=0.35)
    tails = np.concatenate([field.ravel() for field in fields])
    assert np.isclose((tails**4).mean(), 3, atol=0.5)


def test_what_is_drawn_after_noise_does_not_depend_on_its_size():
    later = []
    for shape in ((64, 64), (300, 200)):
        rng = np.random.default_rng(5)
        field = noise(rng, shape, 4.0), grit(rng, shape, 2.0, 1.0), speckle(rng, shape)
        assert all(part.shape == shape for part in field)
        later.append(rng.random(3))
    assert np.array_equal(*later)


def test_grit_repeats_a_patch_and_speckle_is_a_number_for_each_pixel():
    field = grit(np.random.default_rng(1), (700, 600), 1.5, 0.5)
    assert np.array_equal(field[512:], field[:188]) and np.array_equal(
        field[:, 512:], field[:, :88]
    )
    dots = speckle(np.random.default_rng(1), (200, 301))
    assert abs(dots.mean()) < 0.02 and np.isclose(dots.std(), 1, atol=0.02)
    assert abs((dots[:, 1:] * dots[:, :-1]).mean()) < 0.02


def test_images_are_even_of_quick_sizes_and_never_above_the_most():
    for side in np.linspace(0.1, 30, 40):
        rows, columns = pixels((side, 4.0), 0.006, 2048)
        assert max(rows, columns) <= 2048 and rows % 2 == columns % 2 == 0
        assert fft.next_fast_len(columns // 2) == columns // 2 and columns >= 16
        if max(side, 4.0) < 12:
            assert side / 0.006 - 2 <= columns <= max(1.1 * side / 0.006 + 2, 16)


def test_bricks_of_every_second_course_are_shifted_by_half():
    laid = courses(np.random.default_rng(0), (8, 12), 4, 3, shift="half")
    assert laid.bands == (slice(0, 2), slice(2, 4), slice(4, 6), slice(6, 8))
    assert laid.cell[0].tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert laid.cell[1].tolist() == [3] * 2 + [4] * 4 + [5] * 4 + [3] * 2
    assert list(laid.pieces(1)) == [
        (3, slice(0, 2)), (4, slice(2, 6)), (5, slice(6, 10)), (3, slice(10, 12))
    ]  # fmt: skip
    assert np.all(laid.to_joint(0) == 0.5) and laid.to_joint(3).shape == (2, 12)
    assert laid.to_x[0, :4].tolist() == [0.5, 1.5, 1.5, 0.5]


def test_courses_take_all_rows_once_where_they_do_not_fit_evenly():
    laid = courses(np.random.default_rng(0), (50, 10), 7, 2, shift="random")
    rows = np.concatenate([np.arange(50)[band] for band in laid.bands])
    assert rows.tolist() == list(range(50)) and laid.to_y.shape == (50, 1)
    assert all(laid.to_y[band].max() > 3 for band in laid.bands)


def test_gaps_between_boards_are_darker():
    kind = {"plank_m": (1.0, 0.3), "gap_m": 0.03, "variety": 1.0}
    finish = planks(np.random.default_rng(3), (3.0, 0.9), (0.8,) * 3, (0.4,) * 3, **kind)
    image = np.asarray(finish.material.base_color, float)
    assert image.shape == (150, 500, 3) and finish.size_m == (3.0, 0.9)
    gaps = image[[0, 49, 50, 99, 100, 149]].mean()
    assert gaps < 0.75 * np.median(image)
