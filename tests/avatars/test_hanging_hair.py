import numpy as np
import pytest

from spinetrack_synth.avatars import hair
from spinetrack_synth.avatars.body import sample_subject, shape
from spinetrack_synth.avatars.strands import Surroundings, hung
from spinetrack_synth.avatars.survey import survey
from spinetrack_synth.rotations import about_z

pytestmark = pytest.mark.slow

HANGING = (
    "bob", "long bob", "long straight", "long wavy", "long curly", "half up", "two braids",
    "locs", "shoulder length", "ponytail", "low ponytail", "braid",
)  # fmt: skip
NOTHING = Surroundings(np.zeros((0, 3)), np.zeros((0, 3)), -10.0)


@pytest.fixture(scope="module")
def anatomy(body_data):
    return survey(body_data, shape(body_data, sample_subject(7, 2)))


def limp_tips(strands):
    return np.concatenate([b.paths[:, -1] for b in strands.bundles if b.limp])


def lengths(strands):
    return np.concatenate(
        [
            np.linalg.norm(np.diff(b.paths, axis=1), axis=2).sum(axis=1)
            for b in strands.bundles
            if b.limp
        ]
    )


@pytest.mark.parametrize("style", HANGING)
def test_long_hair_hangs_to_the_ground_however_the_head_is_held(anatomy, style):
    grown = hair.grow(anatomy, sample_subject(7, 2), style, np.random.default_rng(3), beard="")
    strands = next(part.strands for part in grown.parts if part.name == "hair")
    for tilt in (0, 90, 180):
        motion = np.eye(4)
        motion[:3, :3] = about_z(np.radians(-tilt))
        center = motion[:3, :3] @ grown.head.center
        down = hung(strands, grown.head, motion, NOTHING)
        tips = limp_tips(down)
        arm = (tips - center) @ motion[:3, :3]
        distance = np.linalg.norm(arm, axis=1)
        off = distance - grown.head.surface_m(arm / distance[:, None])
        assert np.quantile(off, 0.01) > -0.001
        free = off > 0.03
        before = np.concatenate([b.paths[:, -3] for b in down.bundles if b.limp])
        falls = (tips[free, 1] < before[free, 1]).sum() / max(free.sum(), 1)
        assert falls > 0.9 or free.sum() < 10, f"{tilt} degrees: {falls:.2f} of the tips fall"
        assert tilt != 180 or free.sum() > 100
        stiff = limp_tips(strands) @ motion[:3, :3].T
        assert tilt == 0 or tips[:, 1].mean() < stiff[:, 1].mean() - 0.03
        assert np.median(lengths(down) / lengths(strands)) > 0.9


def test_hair_of_an_upright_head_is_as_it_was_grown(anatomy):
    grown = hair.grow(anatomy, sample_subject(7, 2), "long wavy", np.random.default_rng(3), "")
    strands = grown.parts[0].strands
    same = hung(strands, grown.head, np.eye(4), NOTHING)
    off = np.linalg.norm(limp_tips(same) - limp_tips(strands), axis=1)
    assert np.quantile(off, 0.9) < 0.02


def test_hair_lies_on_the_floor_and_on_what_is_in_its_way(anatomy):
    grown = hair.grow(anatomy, sample_subject(7, 2), "long straight", np.random.default_rng(3), "")
    strands = grown.parts[0].strands
    floor = float(grown.head.center[1]) - 0.2
    lying = hung(strands, grown.head, np.eye(4), Surroundings(*np.zeros((2, 0, 3)), floor))
    assert min(bundle.paths[..., 1].min() for bundle in lying.bundles) >= floor
    x, z = (axis.ravel() for axis in np.meshgrid(*[np.linspace(-0.4, 0.4, 81)] * 2))
    shelf = np.stack([x + grown.head.center[0], np.full(len(x), floor), z], axis=1)
    up = np.tile([0.0, 1.0, 0.0], (len(x), 1))
    held = hung(strands, grown.head, np.eye(4), Surroundings(shelf, up, -10.0))
    deep = np.concatenate([floor - bundle.paths[..., 1].ravel() for bundle in held.bundles])
    assert ((deep > 0.003) & (deep < 0.04)).mean() < 0.01
