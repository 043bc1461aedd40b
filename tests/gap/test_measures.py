"""Planted errors come out of the measures as what they are."""

from __future__ import annotations

import numpy as np
import pytest
from made_people import jitter, make_labels, make_results, predict, project_people

from spinetrack_synth import skeleton
from spinetrack_synth.gap import baselines, taxonomy
from spinetrack_synth.gap.calibration import auroc, calibrate
from spinetrack_synth.gap.evaluation import baseline_scores, evaluate
from spinetrack_synth.gap.pairing import pair
from spinetrack_synth.gap.predictions import predictions_of
from spinetrack_synth.gap.spine_shape import SPINE, curvatures, level_slips

STANDING = ("tadasana", "vrksasana", "virabhadrasana_1", "virabhadrasana_2", "utkatasana")


def values(evaluation) -> dict[str, float]:
    return dict(zip(evaluation.table.names, evaluation.table.values()))


def test_interpolation_nearly_saturates_spine_ap() -> None:
    """1.000, .994 and .87 to .89 in the facts; upright people first, all of yoga second."""
    upright = baseline_scores(make_labels(project_people(100, 3, STANDING)))
    assert upright["interpolated from hip, neck and head"] == pytest.approx(1.0, abs=0.001)
    assert upright["straight line"] > 0.99
    assert 0.82 < upright["one level off"] < 0.92
    everybody = baseline_scores(make_labels(project_people(156, 3)))
    assert everybody["interpolated from hip, neck and head"] > 0.99
    assert 0.9 < everybody["straight line"] < everybody["interpolated from hip, neck and head"]
    assert 0.75 < everybody["one level off"] < 0.9


def test_baselines_move_nothing_but_the_spine() -> None:
    people = project_people(10, seed=4)
    others = [k for k in range(37) if k not in baselines.INNER]
    ends = [k for k in range(37) if k not in SPINE[1:-1]]
    assert np.array_equal(baselines.interpolated(people)[:, others], people[:, others])
    np.testing.assert_allclose(baselines.straight(people)[:, ends], people[:, ends])
    assert np.array_equal(baselines.one_level_off(people)[:, ends], people[:, ends])


def test_a_known_shift_is_the_error() -> None:
    labels = make_labels(project_people(6, seed=1))
    diagonal = np.hypot(labels.boxes[:, 2], labels.boxes[:, 3])
    shifted = labels.points + 0.03 * diagonal[:, None, None] * [0.6, 0.8]
    got = values(evaluate(labels, predict(labels, shifted)))
    for name in ("body.error", "spine.error", "all.error", "keypoint.neck_02.error"):
        assert got[name] == pytest.approx(0.03)
    assert got["all.pck"] == 1.0
    assert got["all.auc"] == pytest.approx(0.7)
    assert got["spine.lumbar_deg"] == pytest.approx(0.0, abs=1e-6)


def test_unlabelled_points_and_people_without_prediction_count_nowhere() -> None:
    v = np.full((4, 37), 2)
    v[0, 5:] = 0
    labels = make_labels(project_people(4, seed=1), v=v)
    points = labels.points + np.where((v > 0)[..., None], 0.0, 500.0)
    results = make_results(labels, points)[:3]
    evaluation = evaluate(labels, predictions_of(results, labels, "made"))
    got = values(evaluation)
    assert got["all.error"] == 0.0
    assert got["people.found"] == 0.75
    assert np.isnan(evaluation.table.column("spine.error_length")[0])  # no spine labelled
    assert any("25.0% of the people" in remark for remark in evaluation.remarks)


def test_one_level_off_slips_everywhere() -> None:
    labels = make_labels(project_people(40, seed=2, poses=STANDING))
    exact, moved = labels.points, baselines.one_level_off(labels.points)
    assert values(evaluate(labels, predict(labels, exact)))["spine.slip_rate"] == 0.0
    slipped, possible = level_slips(
        moved[:, SPINE], exact[:, SPINE], np.ones((len(exact), 9), bool)
    )
    assert slipped[:, 1:-1][possible[:, 1:-1]].all()
    assert not slipped[:, [0, -1]].any()
    kinds = evaluate(labels, predict(labels, moved)).errors.kinds
    assert (kinds[:, SPINE[1:-1]][possible[:, 1:-1]] == taxonomy.SLIP).mean() > 0.99


def test_curvature_of_a_known_arc() -> None:
    """Nine points on a circle, 10 degrees apart: tangents of segments n apart turn by 10 n."""
    angle = np.radians(10) * np.arange(9)
    arc = np.stack([np.cos(angle), np.sin(angle)], axis=1)[None]
    turned = curvatures(100 * arc)
    assert turned["lumbar"] == pytest.approx([20.0])
    assert turned["thoracic"] == pytest.approx([20.0])
    assert curvatures(-100 * arc)["lumbar"] == pytest.approx([20.0])
    assert curvatures(100 * arc * [1, -1])["lumbar"] == pytest.approx([-20.0])


def test_skill_is_none_for_who_interpolates() -> None:
    labels = make_labels(project_people(20, seed=5))
    noisy = jitter(labels, 0.01, seed=1)
    for points, skill in (
        (baselines.interpolated(noisy), pytest.approx(0.0, abs=1e-9)),
        (labels.points, pytest.approx(1.0)),
    ):
        assert values(evaluate(labels, predict(labels, points)))["spine.skill"] == skill


def test_every_kind_of_error_is_told() -> None:
    people = project_people(2, seed=6, poses=("virabhadrasana_2",))
    labels = make_labels(people + np.array([[[0, 0]], [[2000, 0]]]), per_image=2)
    assert len(labels.image_ids) == 1
    points = labels.points.copy()
    index = skeleton.INDEX
    size = np.sqrt(labels.areas[0])
    sigma = np.array(skeleton.SIGMAS)

    def error(name: str, similarity: float) -> np.ndarray:
        far = size * 2 * sigma[index[name]] * np.sqrt(-2 * np.log(similarity))
        return np.array([far, 0.0])

    points[0, index["nose"]] += error("nose", 0.9)
    points[0, index["left_elbow"]] += error("left_elbow", 0.7)
    points[0, index["left_wrist"]] = labels.points[0, index["right_wrist"]]
    points[0, index["left_knee"]] = labels.points[1, index["left_knee"]]
    points[0, index["right_ankle"]] = labels.points[1, index["left_ankle"]]
    points[0, index["right_knee"]] += [0, 3000]
    points[0, index["spine_04"]] = labels.points[0, index["spine_05"]]
    kinds = taxonomy.classify(labels, pair(labels, predict(labels, points)))
    for name, kind in {
        "nose": taxonomy.GOOD,
        "left_elbow": taxonomy.JITTER,
        "left_wrist": taxonomy.INVERSION,
        "left_knee": taxonomy.SWAP,
        "right_ankle": taxonomy.SWAP,
        "right_knee": taxonomy.MISS,
        "spine_04": taxonomy.SLIP,
        "spine_03": taxonomy.GOOD,
    }.items():
        assert kinds[0, index[name]] == kind, name
    assert (kinds[1] == taxonomy.GOOD).all()


def test_pairing_without_boxes_finds_the_same_people() -> None:
    labels = make_labels(project_people(30, seed=7) + 0.0, per_image=3)
    points = jitter(labels, 0.005, seed=3)
    named = predictions_of(make_results(labels, points), labels, "made")
    results = make_results(labels, points, boxes=False)
    shuffled = [results[n] for n in np.random.default_rng(0).permutation(len(results))]
    nameless = predictions_of(shuffled, labels, "made")
    a, b = pair(labels, named), pair(labels, nameless)
    assert a.by_box and not b.by_box
    assert np.array_equal(a.points, b.points)


def test_keypoints_that_are_nowhere_in_the_results_are_none_of_the_model_s() -> None:
    """Networks with fewer keypoints are written with zeros in the places of the others."""
    labels = make_labels(project_people(6, seed=1))
    results = make_results(labels, labels.points)
    for result in results:
        result["keypoints"][:3] = [0.0, 0.0, 0.0]
    found = predictions_of(results, labels, "made")
    assert np.flatnonzero(~found.defined).tolist() == [0]
    results[0]["keypoints"][:3] = [5.0, 5.0, 0.1]
    assert predictions_of(results, labels, "made").defined.all()
    assert predictions_of([], labels, "made").defined.all()


def test_calibrated_scores_have_no_calibration_error() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random(200_000)
    similarity = np.where(rng.random(200_000) < scores, 1.0, 0.0)
    good, sure = calibrate(scores, similarity), calibrate(np.full(200_000, 0.95), similarity)
    assert good.ece < 0.01 and 0.8 < good.auroc < 0.86
    assert sure.ece == pytest.approx(0.45, abs=0.01)
    assert sure.auroc == pytest.approx(0.5)
    assert calibrate(scores * 2, similarity).outside == pytest.approx(0.5, abs=0.01)


def test_auroc_counts_pairs() -> None:
    rng = np.random.default_rng(1)
    high, low = rng.integers(0, 9, 40).astype(float), rng.integers(0, 9, 30).astype(float)
    pairs = (high[:, None] > low).mean() + (high[:, None] == low).mean() / 2
    assert auroc(high, low) == pytest.approx(pairs)
