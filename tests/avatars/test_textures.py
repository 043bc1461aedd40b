import numpy as np
from scipy.sparse import csr_array, eye_array

from spinetrack_synth.avatars.mesh import Sheet
from spinetrack_synth.avatars.textures import noise, texel_map


def square() -> Sheet:
    uv = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    return Sheet(csr_array(eye_array(4)), faces, uv, np.arange(4, dtype=np.int32))


def test_every_texel_knows_its_uv():
    texels = texel_map(square(), 16)
    uv = texels.at(square().uv)
    row, column = np.divmod(texels.texel, 16)
    assert len(texels.texel) == 256
    assert np.allclose(uv[:, 0], (column + 0.5) / 16, atol=1e-6)
    assert np.allclose(uv[:, 1], 1 - (row + 0.5) / 16, atol=1e-6)  # row 0 is v = 1


def test_uncovered_texels_repeat_their_neighbours():
    sheet = square()
    half = Sheet(sheet.stencil, sheet.faces, sheet.uv * [0.5, 1.0], sheet.weld)
    texels = texel_map(half, 8)
    image = texels.image(texels.at(sheet.uv)[:, :1])
    assert len(texels.texel) == 32
    assert (image[:, 4:] == image[:, 3:4]).all()


def test_noise_is_smooth_bounded_and_repeatable():
    points = np.random.default_rng(0).uniform(-1, 1, (500, 3))
    value = noise(points, 0.1, np.random.default_rng(4))
    assert np.array_equal(value, noise(points, 0.1, np.random.default_rng(4)))
    assert not np.array_equal(value, noise(points, 0.1, np.random.default_rng(5)))
    assert np.abs(value).max() <= 1
    assert value.std() > 0.1
    moved = noise(points + 1e-4, 0.1, np.random.default_rng(4))
    assert np.abs(moved - value).max() < 0.02
