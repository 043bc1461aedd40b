import numpy as np
import pytest

from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.regions import PATCHES, REGIONS, mirrored_name
from spinetrack_synth.poses.sampling import pose_coordinates
from spinetrack_synth.poses.skin import probe_from_skin, refresh, skin_points


@pytest.fixture
def middle(figure):
    """Mean of a region in the anatomical position."""

    def of(region):
        points = np.concatenate([figure.probe.patches[patch] for patch in REGIONS[region]])
        return figure.shape.vertices_world[points].mean(axis=0)

    return of


def test_regions_lie_where_their_names_say(middle):
    assert middle("right_heel")[0] < middle("right_toe_pads")[0]
    assert middle("right_foot")[1] < middle("right_foot_top")[1]
    assert middle("right_foot_edge")[2] > middle("right_foot")[2]
    assert middle("right_shin")[0] > middle("right_ankle")[0]
    assert middle("right_thigh_top")[0] > middle("right_thigh_back")[0]
    assert middle("right_inner_thigh")[2] < middle("right_thigh_back")[2]
    assert middle("right_hand")[0] > middle("right_hand_back")[0]  # palms face forward
    assert middle("right_fingertips")[1] < middle("right_hand")[1]
    assert middle("seat")[0] < 0 < middle("belly")[0]
    assert middle("back")[0] < middle("chest")[0]
    assert middle("head")[1] > middle("forehead")[1] > middle("shoulders")[1]
    assert middle("back_of_head")[0] < middle("forehead")[0]
    assert middle("head_right")[2] > 0 > middle("head_left")[2]
    assert middle("right_waist")[2] > 0


@pytest.mark.parametrize("region", REGIONS)
def test_left_and_right_are_twins(middle, region):
    assert mirrored_name(mirrored_name(region)) == region
    assert middle(mirrored_name(region)) == pytest.approx(middle(region) * (1, 1, -1), abs=4e-3)


def test_palms_have_a_thumb_side_and_soles_an_inner_one(figure):
    def mean_z(patch):
        return figure.shape.vertices_world[figure.probe.patches[patch], 2].mean()

    for side, outward in (("right", 1), ("left", -1)):
        radial, ulnar = (mean_z(f"{side}_palm_{p}") for p in ("radial", "ulnar"))
        assert outward * radial > outward * ulnar
        lateral, medial = (mean_z(f"{side}_ball_{p}") for p in ("lateral", "medial"))
        assert outward * lateral > outward * medial


def test_points_ride_on_their_bodies(figure):
    rest = np.zeros(len(figure.tree.coordinates))
    points = skin_points(figure.tree, rest, figure.probe)
    assert points == pytest.approx(figure.shape.vertices_world, abs=1e-12)


def test_the_rest_posture_does_not_matter(figure):
    q = pose_coordinates(figure.tree, library()["utkatasana"])
    skin = skin_points(figure.tree, q, figure.probe)
    probe = probe_from_skin(figure.tree, q, skin, figure.shape.body, figure.shape.faces)
    assert probe.offset_m == pytest.approx(figure.probe.offset_m, abs=1e-9)
    assert set(probe.patches) == set(PATCHES)


def test_refreshed_points_lie_on_the_deformed_skin(figure):
    q = pose_coordinates(figure.tree, library()["malasana"])
    deformed = skin_points(figure.tree, q, figure.probe) * (1.0, 0.9, 1.0)
    felt = refresh(figure.probe, figure.tree, q, deformed)
    assert skin_points(figure.tree, q, felt) == pytest.approx(deformed, abs=1e-12)
    assert felt.patches is figure.probe.patches


def test_a_skin_without_hands_is_refused(figure):
    tree, shape = figure.tree, figure.shape
    hands = [tree.body_index["hand_r"], tree.body_index["hand_l"]]
    keep = ~np.isin(shape.body, hands)
    rest = np.zeros(len(tree.coordinates))
    with pytest.raises(ValueError, match="hand_r, hand_l"):
        probe_from_skin(
            tree, rest, shape.vertices_world[keep], shape.body[keep], np.zeros((0, 3), int)
        )
