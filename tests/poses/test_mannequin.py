import numpy as np
import pytest

from spinetrack_synth.anatomy.scaling import scale_tree
from spinetrack_synth.poses.mannequin import mannequin


def test_it_is_a_body_of_plausible_size(figure):
    low, high = figure.shape.vertices_world.min(axis=0), figure.shape.vertices_world.max(axis=0)
    assert 1.65 < high[1] - low[1] < 1.85
    assert low[2] == pytest.approx(-high[2], abs=1e-9)
    assert {figure.tree.bodies[b] for b in np.unique(figure.shape.body)} >= {"pelvis", "hand_l"}


def test_faces_are_of_one_shape_and_body(figure):
    shape = figure.shape
    assert shape.faces.min() == 0 and shape.faces.max() == len(shape.vertices_world) - 1
    assert (np.ptp(shape.body[shape.faces], axis=1) == 0).all()


def test_it_grows_with_the_model(figure):
    taller = mannequin(scale_tree(figure.tree, np.full((len(figure.tree.bodies), 3), 1.1)))
    ratio = np.ptp(taller.vertices_world, axis=0) / np.ptp(figure.shape.vertices_world, axis=0)
    assert ratio == pytest.approx([1.1] * 3, rel=0.02)
