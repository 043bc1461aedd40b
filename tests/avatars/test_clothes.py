import numpy as np
import pytest

from spinetrack_synth.avatars import dress
from spinetrack_synth.avatars.body import sample_subject, shape
from spinetrack_synth.avatars.clothes import over, sew, skin_below, tailor
from spinetrack_synth.avatars.cuts import SNUG_M, Armhole, Cut, Neckline, edge_distances
from spinetrack_synth.avatars.figure import measure, suit
from spinetrack_synth.avatars.garments import hoodie, leggings, leotard, shirt, socks
from spinetrack_synth.avatars.patterns import Fabric
from spinetrack_synth.avatars.styles import STYLES
from spinetrack_synth.avatars.textures import texel_map
from spinetrack_synth.avatars.trims import trimmings
from spinetrack_synth.avatars.wardrobe import choose_outfit

NECK = Neckline(0.08, 0.08, 0.03)
CUTS = {
    "leggings": Cut("leggings", waist=0.4, leg=1.9),
    "shorts": Cut("shorts", waist=0.32, leg=0.6, ease_m=0.013, hang=0.85),
    "tank": Cut("tank", hem=0.15, neck=NECK, armhole=Armhole(0.035, 0.02)),
    "bra": Cut("bra", hem=0.585, neck=NECK, armhole=Armhole(0.032, 0.018, 0.025)),
    "t-shirt": Cut("t-shirt", hem=0.12, neck=NECK, sleeve=0.45, ease_m=0.012, hang=0.9),
    "socks": socks(np.random.default_rng(0)),
    "leotard": leotard(np.random.default_rng(0)),
}


@pytest.fixture(scope="module", params=range(4))
def figure(request, body_data):
    return measure(body_data, shape(body_data, sample_subject(7, request.param)))


@pytest.mark.parametrize("name", CUTS)
def test_hems_lie_on_their_lines(body_data, figure, name):
    cut = CUTS[name]
    pattern = suit(body_data)
    piece = sew(body_data, figure, tailor(body_data, figure, cut, np.random.default_rng(0)))
    expected = {
        n for n in ("waist", "hem", "leg", "shaft", "brief", "sleeve", "neck") if getattr(cut, n)
    }
    assert expected <= set(piece.hem)
    points, arm, side = (piece.carry @ data for data in (figure.points, figure.arm, pattern.side))
    for edge, index in piece.hem.items():
        distance = edge_distances(figure, cut, points[index], arm[index], side[index])[edge]
        # The heaviest body stretches the triangles that a hem cuts: 1.1 mm at an armhole.
        assert np.abs(distance).max() < 0.0015, edge


@pytest.mark.parametrize("name", CUTS)
def test_pieces_are_sound_meshes(body_data, figure, name):
    piece = sew(body_data, figure, tailor(body_data, figure, CUTS[name], np.random.default_rng(0)))
    count = len(piece.uv)
    assert piece.stencil.shape == (count, len(body_data.vertices))
    assert np.abs(piece.stencil.sum(axis=1) - 1).max() < 1e-9
    assert piece.faces.min() == 0 and piece.faces.max() == count - 1
    assert (piece.faces != np.roll(piece.faces, 1, axis=1)).all()
    assert len(piece.weld) == len(piece.offset_m) == count
    assert np.isfinite(piece.uv).all() and np.isfinite(piece.offset_m).all()
    assert piece.uv.min() >= 0 and piece.uv.max() <= 1
    points = piece.carry @ figure.points
    first = np.unique(piece.weld, return_index=True)[1]
    assert np.allclose(points, points[first][piece.weld])  # welded vertices are one point


@pytest.mark.parametrize("sex", ["female", "male"])
def test_every_outfit_covers_what_it_should(body_data, figure, sex):
    pattern = suit(body_data)
    pelvis = (pattern.arm < 0.1) & (figure.points[:, 1] < figure.height(0.16))
    pelvis &= figure.points[:, 1] > figure.crotch_y - 0.01
    for seed in range(12):
        rng = np.random.default_rng(seed)
        style = STYLES[seed % len(STYLES)]
        cuts = choose_outfit(style, sex, rng).cuts
        garments = [tailor(body_data, figure, cut, rng) for cut in cuts]
        depth = np.max([garment.depth_m for garment in garments], axis=0)
        # High at the hips with a gusset between the legs, or with a skirt over all of it.
        if any(cut.brief is not None or cut.skirt is not None for cut in cuts):
            assert depth[pelvis & (np.abs(figure.points[:, 2]) < 0.015)].min() > 0.002
        else:
            assert depth[pelvis].min() > 0.02
        if sex == "female":
            assert depth[pattern.nipples].min() > 0.01


def test_tight_cloth_lies_on_the_skin_and_loose_cloth_stands_off(body_data, figure):
    tight = tailor(body_data, figure, CUTS["leggings"], np.random.default_rng(0))
    loose = tailor(body_data, figure, CUTS["shorts"], np.random.default_rng(0))
    both = (tight.depth_m > 0) & (loose.depth_m > 0)
    assert tight.offset_m[both].max() < SNUG_M + 0.012
    near_hem = both & (loose.fields["leg"] < 0.04)
    assert np.median(loose.offset_m[near_hem]) > np.median(tight.offset_m[near_hem]) + 0.004
    at_waist = both & (loose.fields["waist"] < 0.02)
    assert np.abs(loose.offset_m - tight.offset_m)[at_waist].max() < 0.004


def test_legs_of_loose_shorts_stay_apart(body_data, figure):
    shorts = tailor(body_data, figure, CUTS["shorts"], np.random.default_rng(0))
    moved = figure.points + figure.normals * shorts.offset_m[:, None]
    side = suit(body_data).side
    below = (shorts.depth_m > 0) & (figure.points[:, 1] < figure.crotch_y - 0.02)
    apart = below & (np.abs(figure.points[:, 2]) > 0.012)  # thighs that touch have no room
    assert (moved[apart, 2] * side[apart] > 0).all()


def test_outer_garment_lies_over_the_inner_one(body_data, figure):
    rng = np.random.default_rng(0)
    inner = tailor(body_data, figure, CUTS["shorts"], rng)
    outer = over(tailor(body_data, figure, CUTS["tank"], rng), inner)
    both = (inner.depth_m > 0) & (outer.depth_m > 0)
    assert both.any()
    assert (outer.offset_m > inner.offset_m)[both].all()


def test_skin_below_cloth_draws_back_and_bare_skin_stays(body_data, figure):
    garment = tailor(body_data, figure, CUTS["leggings"], np.random.default_rng(0))
    hidden, offset = skin_below(body_data, (garment,))
    near = suit(body_data).sheet_near
    bare = (near < 0) | (garment.depth_m[near] < 0)
    assert not hidden[bare].any() and (offset[bare] == 0).all()
    assert hidden.mean() > 0.08
    assert (offset <= 0).all() and (offset[hidden] < -0.004).all()


def test_socks_come_in_pairs(body_data, figure):
    piece = sew(
        body_data, figure, tailor(body_data, figure, CUTS["socks"], np.random.default_rng(0))
    )
    z = (piece.carry @ figure.points)[:, 2]
    assert z.min() < -0.05 and z.max() > 0.05


def test_a_collar_lies_about_the_neck_over_its_shirt(body_data, figure):
    rng = np.random.default_rng(2)
    worn = tailor(body_data, figure, shirt(rng), rng)
    (collar,) = trimmings(body_data, figure, worn)
    there = collar.depth_m > 0
    assert 20 < there.sum() < 2000
    assert (collar.offset_m > worn.offset_m)[there & (worn.depth_m > 0.03)].all()
    assert np.abs(figure.points[there, 1] - figure.nape[1]).max() < 0.12


def test_a_hood_lies_on_the_back_narrower_than_the_shoulders(body_data, figure):
    rng = np.random.default_rng(2)
    worn = tailor(body_data, figure, hoodie(rng), rng)
    (hood,) = trimmings(body_data, figure, worn)
    there = hood.depth_m > 0
    behind = there & (figure.points[:, 0] < figure.nape[0])
    points = figure.points[there]
    assert 0.08 < np.abs(points[:, 2]).max() < 0.8 * np.abs(figure.shoulders[:, 2]).mean()
    assert 0.08 < figure.nape[1] - figure.points[behind, 1].min() < 0.22
    thick = (hood.offset_m - worn.offset_m)[there & (worn.depth_m > 0.01)]
    assert thick.min() > 0.0 and thick.max() < 0.04
    # Round: far from the middle it ends higher.
    aside = np.abs(figure.points[:, 2])
    lowest = [figure.points[behind & (aside > z), 1].min() for z in (0.0, 0.05, 0.075)]
    assert lowest == sorted(lowest) and lowest[2] - lowest[0] > 0.02


def test_what_is_sewn_on_has_the_pattern_of_its_garment(body_data, monkeypatch):
    figure = measure(body_data, shape(body_data, sample_subject(7, 1)))
    rng = np.random.default_rng(2)
    worn = tailor(body_data, figure, hoodie(rng), rng)
    (hood,) = trimmings(body_data, figure, worn)
    light, dark, red = (0.9, 0.9, 0.9), (0.1, 0.1, 0.2), (0.8, 0.1, 0.1)
    cloth = Fabric("swatch", light, dark, red, 0.8, (red, dark), "tartan")
    monkeypatch.setattr(dress, "choose_fabric", lambda *_: cloth)
    parts = dress._clothes(body_data, figure, (worn, hood), np.ones(3), np.random.default_rng(3))
    texels = texel_map(suit(body_data).sheet, 256)
    inside = np.minimum(hood.depth_m, worn.depth_m) > 0.022  # of all seams
    ours = texels.texel[texels.touching(inside)]
    images = [part.material.at(0.008).base_color.reshape(-1, 3)[ours] / 255 for part in parts]
    assert images[0].std(axis=0).max() > 0.08
    assert np.abs(images[0] - images[1]).mean() < 0.03


def test_outfits_repeat_and_vary():
    def draw(style):
        return [choose_outfit(style, "female", np.random.default_rng(seed)) for seed in range(20)]

    drawn = draw("sports")
    assert drawn == draw("sports")
    assert len({tuple(cut.name for cut in outfit.cuts) for outfit in drawn}) > 4
    assert not any(outfit.shoes for outfit in drawn)
    assert all(outfit.shoes for outfit in draw("training") + draw("casual") + draw("winter"))


def test_the_wardrobe_is_wide():
    """At least 20 garments and six kinds of shoes are worn."""
    outfits = [
        choose_outfit(style, sex, np.random.default_rng(seed))
        for style in STYLES for sex in ("female", "male") for seed in range(60)
    ]  # fmt: skip
    assert len({cut.name for outfit in outfits for cut in outfit.cuts}) >= 20
    assert len({outfit.shoes for outfit in outfits if outfit.shoes}) >= 6
    assert leggings(np.random.default_rng(1)) != leggings(np.random.default_rng(2))
