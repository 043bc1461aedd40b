"""The 37 keypoints, held against what SpineTrack publishes."""

from __future__ import annotations

from spinetrack_synth import skeleton
from spinetrack_synth.skeleton import INDEX, LINKS, MIRROR, MIRROR_PAIRS, NAMES, SIGMAS, SPINE

COCO_17 = (
    "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow "
    "right_elbow left_wrist right_wrist left_hip right_hip left_knee right_knee left_ankle "
    "right_ankle"
).split()
COCO_SIGMAS = (
    .026, .025, .025, .035, .035, .079, .079, .072, .072, .062, .062, .107, .107, .087, .087,
    .089, .089,
)  # fmt: skip
PUBLISHED_PAIRS = {
    (1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16), (20, 21), (22, 23),
    (24, 25), (31, 32), (33, 34),
}  # fmt: skip


def test_there_are_37_with_names_of_their_own() -> None:
    assert len(NAMES) == len(SIGMAS) == len(set(NAMES)) == 37


def test_the_first_17_are_those_of_coco() -> None:
    assert list(NAMES[:17]) == COCO_17
    assert SIGMAS[:17] == COCO_SIGMAS


def test_indices_are_those_of_spinetrack() -> None:
    published = {
        "head": 17, "neck": 18, "hip": 19, "left_big_toe": 20, "right_small_toe": 23,
        "left_heel": 24, "spine_01": 26, "spine_05": 30, "left_latissimus": 31,
        "right_clavicle": 34, "neck_02": 35, "neck_03": 36,
    }  # fmt: skip
    assert {name: INDEX[name] for name in published} == published


def test_the_spine_runs_from_the_sacrum_to_the_atlas() -> None:
    assert SPINE == (19, 26, 27, 28, 29, 30, 18, 35, 36)
    assert skeleton.SUBSETS["spine"] == (36, 35, 18, 30, 29, 28, 27, 26, 19)
    assert all((a, b) in LINKS for a, b in zip(SPINE, SPINE[1:]))


def test_mirroring_twice_changes_nothing() -> None:
    assert set(MIRROR_PAIRS) == PUBLISHED_PAIRS
    assert [MIRROR[MIRROR[k]] for k in range(37)] == list(range(37))
    assert all(SIGMAS[k] == SIGMAS[MIRROR[k]] for k in range(37))


def test_links_join_all_keypoints_into_one_mirror_symmetric_figure() -> None:
    reached, links = {0}, set(LINKS)
    while grown := {b for a, b in links | {(b, a) for a, b in links} if a in reached} - reached:
        reached |= grown
    assert reached == set(range(37))
    undirected = {frozenset(link) for link in links}
    assert {frozenset(MIRROR[k] for k in link) for link in undirected} == undirected
    assert len(undirected) == len(LINKS)
