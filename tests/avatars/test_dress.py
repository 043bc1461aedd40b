import numpy as np
import pytest

from spinetrack_synth.avatars import hair, styles
from spinetrack_synth.avatars.body import sample_subject, shape
from spinetrack_synth.avatars.dress import _chosen, dress, looks
from spinetrack_synth.avatars.fabric import choose_fabric
from spinetrack_synth.avatars.hair import STYLES
from spinetrack_synth.avatars.paintings import painted
from spinetrack_synth.avatars.shoes import SHOES
from spinetrack_synth.avatars.skin import tone_color
from spinetrack_synth.avatars.survey import survey

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def subject():
    return sample_subject(7, 1)


@pytest.fixture(scope="module")
def rest(body_data, subject):
    return shape(body_data, subject)


@pytest.fixture(scope="module")
def parts(body_data, rest, subject):
    return dress(body_data, looks(body_data, rest, subject), subject).parts


def color_of(part):
    """The colour or picture of a part, as fine as it comes."""
    return painted(part.material).base_color


def test_parts_are_sound(parts, body_data):
    names = [part.name for part in parts]
    assert {"skin", "eyes", "lashes"} <= set(names)
    assert len(set(names)) == len(names)
    for part in parts:
        count = len(part.uv)
        assert part.faces.min() >= 0 and part.faces.max() < count
        assert len(part.weld) == count
        assert np.isfinite(part.uv).all()
        assert painted(part.material).base_color is not None
        if part.body is None:
            assert part.stencil.shape == (count, len(body_data.vertices))
            assert np.abs(part.stencil.sum(axis=1) - 1).max() < 1e-6
            assert part.offset_m.shape == (count,)
        else:
            assert part.stencil is None
            assert part.rest_world.shape == (count, 3)
            assert np.isfinite(part.rest_world).all()


def test_the_same_subject_is_dressed_the_same(parts, body_data, rest, subject):
    again = dress(body_data, looks(body_data, rest, subject), subject).parts
    assert [part.name for part in again] == [part.name for part in parts]
    for a, b in zip(again, parts, strict=True):
        assert np.array_equal(a.faces, b.faces)
        assert np.array_equal(color_of(a), color_of(b))
        if a.rest_world is not None:
            assert np.array_equal(a.rest_world, b.rest_world)
        else:
            assert np.array_equal(a.offset_m, b.offset_m)


def test_eyes_sit_in_their_sockets(parts, body_data, rest):
    eyes = next(part for part in parts if part.name == "eyes")
    for side, suffix in ((-1, "L"), (1, "R")):
        ball = eyes.rest_world[np.sign(eyes.rest_world[:, 2]) == side]
        center = (ball.min(axis=0) + ball.max(axis=0)) / 2
        joint = rest.bone_head[body_data.bones.index(f"eye.{suffix}")]
        assert np.linalg.norm(center - joint) < 0.012
        assert 0.010 < np.ptp(ball[:, 1]) / 2 < 0.018
    a, b, c = (eyes.rest_world[eyes.faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    ball = eyes.rest_world
    middle = [ball[ball[:, 2] * side > 0].mean(axis=0) for side in (-1, 1)]
    outward = a - np.where(a[:, 2:] < 0, middle[0], middle[1])
    assert (np.einsum("ij,ij->i", normal, outward) > 0).mean() > 0.95


def test_skin_is_left_out_under_clothes_only(parts, body_data):
    skin = next(part for part in parts if part.name == "skin")
    whole = survey_faces(body_data)
    assert 0.5 * whole < len(skin.faces) < 0.95 * whole
    kept = np.unique(skin.stencil.indices)
    head = body_data.vertices[:, 1] > 6.5  # decimetres: everything above the chin
    on_skin = np.unique(body_data.quads[body_data.faces_of("body")])
    assert np.isin(on_skin[head[on_skin]], kept).all()


def survey_faces(body_data) -> int:
    return 2 * int(body_data.faces_of("body").sum())


@pytest.mark.parametrize("style", styles.STYLES)
def test_every_style_dresses_man_and_woman(body_data, style):
    """Names are unique, garments have parts, and cloth of one's own shape can ride on the bones."""
    for index in (1, 2):
        subject = sample_subject(7, index)
        worn = dress(
            body_data, looks(body_data, shape(body_data, subject), subject), subject, 5, style
        )
        names = [part.name for part in worn.parts]
        assert len(set(names)) == len(names)
        assert set(worn.garments) <= set(names)
        assert (worn.sole_m > 0) == bool(set(names) & set(SHOES))
        assert style != "sports" or worn.sole_m == 0
        for part in worn.parts:
            if part.stencil is not None:
                assert np.abs(part.stencil.sum(axis=1) - 1).max() < 1e-6


def test_another_outfit_leaves_the_person(parts, body_data, rest, subject):
    """Clothes change with their number and come back with it; face, hair and skin stay."""
    mine = looks(body_data, rest, subject)
    worn = {k: {p.name: p for p in dress(body_data, mine, subject, k).parts} for k in range(4)}
    own = {"skin", "eyes", "lashes", "hair"}
    for now in worn.values():
        for part in parts:
            if part.name in own:
                assert np.array_equal(color_of(now[part.name]), color_of(part))
    assert len({tuple(sorted(set(names) - own)) for names in worn.values()}) > 1
    again = {part.name: part for part in dress(body_data, mine, subject, 3).parts}
    assert again.keys() == worn[3].keys()
    for name, part in again.items():
        assert np.array_equal(color_of(part), color_of(worn[3][name]))


@pytest.mark.parametrize("style", sorted(STYLES))
def test_hair_grows_outside_the_head_and_beside_the_face(body_data, style):
    for index in (1, 2):
        subject = sample_subject(7, index)
        anatomy = survey(body_data, shape(body_data, subject))
        grown = hair.grow(anatomy, subject, style, np.random.default_rng(index))
        (part,) = (part for part in grown.parts if part.name == "hair")
        assert 5_000 < len(part.faces) < 34_000
        eye = anatomy.eyes.mean(axis=0)
        face = (np.abs(part.rest_world[:, 2]) < 0.028) & (part.rest_world[:, 0] > eye[0])
        face &= np.abs(part.rest_world[:, 1] - (eye[1] - 0.02)) < 0.035
        assert face.mean() < 0.001
        inside = _depth_below_skin(anatomy, part.rest_world)
        assert np.quantile(inside, 0.995) < 0.006


def _depth_below_skin(anatomy, points):
    from scipy.spatial import KDTree

    tree = KDTree(anatomy.points)
    near = tree.query(points)[1]
    return -np.einsum("ij,ij->i", points - anatomy.points[near], anatomy.normals[near])


def test_bald_heads_have_no_strands(body_data, rest, subject):
    anatomy = survey(body_data, rest)
    assert hair.grow(anatomy, subject, "bald", np.random.default_rng(0), beard="").parts == ()


def test_darker_tones_are_darker(subject):
    from dataclasses import replace

    tones = [tone_color(replace(subject, skin_tone=t)).sum() for t in np.linspace(0, 1, 9)]
    assert (np.diff(tones) < 0).all()


def test_cloth_never_has_the_colour_of_the_wearer(subject):
    skin = tone_color(subject)
    for seed in range(40):
        fabric = choose_fabric(np.random.default_rng(seed), False, skin)
        assert np.abs(np.array(fabric.main) - skin).max() >= 0.2
        assert min(fabric.main + fabric.second) >= 0 and max(fabric.main + fabric.second) <= 1


@pytest.mark.parametrize("style", styles.STYLES)
def test_nobody_heavy_has_a_bare_waist(style: str) -> None:
    heavy = [s for s in (sample_subject(6, k) for k in range(60)) if s.weight > 1.05]
    assert len(heavy) > 5
    for subject in heavy:
        assert any((cut.hem or 1.0) < 0.3 for cut in _chosen(style, subject, 2).cuts)
