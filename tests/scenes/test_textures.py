"""Painting of finishes: in bands, stroke upon stroke, between pixels."""

import numpy as np

from spinetrack_synth.scenes.greenery import _paint_dabs, _paint_strokes
from spinetrack_synth.scenes.landscape import noise_field
from spinetrack_synth.scenes.textures import cells, image_bytes, in_bands, noise


def test_painting_in_bands_gives_the_image_painted_at_once():
    image = np.random.default_rng(0).uniform(-0.1, 1.1, (70, 9, 3))
    assert np.array_equal(in_bands((70, 9), lambda rows: image[rows]), image_bytes(image))


def test_strokes_cover_those_before_them_and_go_around_the_edges():
    def points(*values):
        return np.array(values, np.float32)

    image = np.zeros((4, 6, 3), np.float32)
    _paint_strokes(
        image,
        start=points((1.5, 4.5), (0.5, 5.5)),
        direction=points((0, 1), (1, 0)),
        across=points((1, 0), (0, 1)),
        reach=points(2, 2),
        steps=points(0, 0.5, 1),
        taper=np.zeros((3, 1), np.float32),
        tint=points((0.2, 0.2, 0.2), (0.4, 0.4, 0.4)),
        bright=points(1, 1, 1),
    )
    drawn = np.zeros((4, 6), np.float32)
    drawn[1, [4, 5, 0]] = 0.2
    drawn[[0, 1, 2], 5] = 0.4
    assert np.array_equal(image[..., 0], drawn)


def test_dabs_of_a_later_crown_cover_those_of_an_earlier_one():
    image, opacity = np.zeros((8, 8, 3), np.float32), np.zeros((8, 8), np.uint8)
    rows, columns = np.array([3, 4]), np.array([3, 4])
    color = np.array([[0.1] * 3, [0.9] * 3], np.float32)
    _paint_dabs(image, opacity, rows, columns, color, np.array([1, 2]))
    assert image[4, 4, 0] == np.float32(0.9) and image[3, 3, 0] == np.float32(0.1)
    assert (opacity == 255).sum() == 11 and np.array_equal(opacity > 0, image[..., 0] > 0)


def test_a_noise_field_has_its_images_values_at_pixels_and_means_between_them():
    field = noise_field(np.random.default_rng(3), 512.0, 20.0)
    image = noise(np.random.default_rng(3), (512, 512), 20.0, faded=0.0)
    rows, columns = np.array([5.0, 511.0, -2.0]), np.array([7.0, 30.0, 600.0])
    i, j = rows.astype(int) % 512, columns.astype(int) % 512
    assert np.array_equal(field(rows, columns), image[i, j])
    between = (image[i, j] + image[(i + 1) % 512, j]) / 2
    assert np.allclose(field(rows + 0.5, columns), between, atol=1e-6)


def test_noise_without_what_has_faded_is_the_whole_noise_within_a_step_of_8_bits():
    most, whole = (
        noise(np.random.default_rng(4), (89, 394), (50, 140), 2.2, **kind)
        for kind in ({}, {"faded": 0.0})
    )
    assert 0 < np.abs(most - whole).max() < 1e-2
    assert abs(most.mean()) < 1e-4 and np.isclose(most.std(), 1, atol=1e-4)


def test_bricks_of_every_second_course_are_shifted_by_half():
    cell, to_y, to_x = cells(np.random.default_rng(0), (8, 12), 4, 3, shift="half")
    assert cell[0].tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert cell[2].tolist() == [3] * 2 + [4] * 4 + [5] * 4 + [3] * 2
    assert np.array_equal(cell[0], cell[1]) and cell.max() == 11
    assert to_y.shape == to_x.shape == (8, 12) and np.all(to_y == 0.5)
    assert to_x[0, :4].tolist() == [0.5, 1.5, 1.5, 0.5]
