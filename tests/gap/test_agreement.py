"""Agreement against published examples, other libraries, and what is planted."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from made_people import jitter, make_labels, predict, project_people

from spinetrack_synth import skeleton
from spinetrack_synth.errors import UserError
from spinetrack_synth.gap.agreement import agree, contrast, unwrapped
from spinetrack_synth.gap.evaluation import evaluate
from spinetrack_synth.gap.quantities import QUANTITIES, measure
from spinetrack_synth.gap.report.plots import bland_altman
from spinetrack_synth.gap.versus import agreement_of, clusters_of, versus

WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
"""First readings of peak expiratory flow, l/min (Bland and Altman 1986, table 1)."""
JUDGES = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)
"""Six targets rated by four judges (Shrout and Fleiss 1979, table 2): ICC(2,1) = .29."""


def alone(count: int) -> np.ndarray:
    return np.arange(count)


def two_way_icc(ratings: np.ndarray) -> float:
    """ICC(2,1) of ratings (n, k) from the mean squares of Shrout and Fleiss."""
    n, k = ratings.shape
    grand, rows, columns = ratings.mean(), ratings.mean(1), ratings.mean(0)
    msr = k * ((rows - grand) ** 2).sum() / (n - 1)
    msc = n * ((columns - grand) ** 2).sum() / (k - 1)
    rest = ratings - rows[:, None] - columns + grand
    mse = (rest**2).sum() / ((n - 1) * (k - 1))
    return float((msr - mse) / (msr + (k - 1) * mse + k * (msc - mse) / n))


def test_the_flow_meters_of_bland_and_altman() -> None:
    """Published: mean difference -2.1, sd 38.8 l/min, of Wright less mini."""
    found = agree(np.array(MINI, float), np.array(WRIGHT, float), alone(17))
    assert found is not None
    assert found.bias.value == pytest.approx(-2.1, abs=0.05)
    assert found.sd.value == pytest.approx(38.8, abs=0.05)
    assert found.upper.value == pytest.approx(-2.12 + 1.96 * 38.77, abs=0.05)
    assert found.lower.value == pytest.approx(-2.12 - 1.96 * 38.77, abs=0.05)
    assert found.sem.value == pytest.approx(found.sd.value / np.sqrt(2))
    assert found.mdc.value == pytest.approx(1.96 * np.sqrt(2) * found.sem.value)
    assert found.bias.low < found.bias.value < found.bias.high
    assert found.lower.low < found.lower.value < found.lower.high


def test_the_judges_of_shrout_and_fleiss() -> None:
    assert two_way_icc(JUDGES) == pytest.approx(0.29, abs=0.005)
    for a, b in combinations(range(4), 2):
        found = agree(JUDGES[:, a], JUDGES[:, b], alone(6))
        assert found is not None
        assert found.icc.value == pytest.approx(two_way_icc(JUDGES[:, [a, b]]))


def test_concordance_and_proportional_bias_by_their_definitions() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(40, 10, 200)
    y = 1.2 * x + rng.normal(0, 3, 200)
    found = agree(x, y, alone(200))
    assert found is not None
    covariance = np.cov(x, y, bias=True)
    ccc = 2 * covariance[0, 1] / (np.trace(covariance) + (x.mean() - y.mean()) ** 2)
    assert found.ccc.value == pytest.approx(ccc)
    assert found.slope.value == pytest.approx(np.polyfit((x + y) / 2, y - x, 1)[0])
    assert found.proportional
    plain = agree(x, x + rng.normal(0, 0.1, 200), alone(200))
    assert plain is not None and abs(plain.slope.value) < 0.01


@pytest.mark.skipif(importlib.util.find_spec("pingouin") is None, reason="needs pingouin")
def test_icc_is_that_of_pingouin() -> None:
    import pandas as pd
    import pingouin

    rng = np.random.default_rng(1)
    x = rng.normal(size=40)
    y = 0.8 * x + 0.3 + 0.4 * rng.normal(size=40)
    table = pd.DataFrame(
        {"who": [*range(40)] * 2, "by": [0] * 40 + [1] * 40, "value": np.concatenate([x, y])}
    )
    icc = pingouin.intraclass_corr(table, targets="who", raters="by", ratings="value")
    wanted = icc[icc["Type"].isin(["ICC2", "ICC(A,1)"])]["ICC"].iloc[0]
    found = agree(x, y, alone(40))
    assert found is not None and found.icc.value == pytest.approx(wanted, abs=1e-8)


@pytest.mark.skipif(importlib.util.find_spec("statsmodels") is None, reason="needs statsmodels")
def test_the_spread_between_and_within_clusters_is_that_of_statsmodels() -> None:
    import pandas as pd
    import statsmodels.formula.api as smf

    rng = np.random.default_rng(2)
    cluster = np.repeat(np.arange(30), 4)
    d = 3 * rng.normal(size=30)[cluster] + rng.normal(size=120)
    fit = smf.mixedlm("d ~ 1", pd.DataFrame({"d": d, "g": cluster}), groups=cluster).fit()
    wanted = np.sqrt(float(fit.cov_re.iloc[0, 0]) + fit.scale)
    x = rng.normal(size=120)
    found = agree(x, x + d, cluster)
    assert found is not None and found.sd.value == pytest.approx(wanted, rel=1e-4)


def test_people_of_one_cluster_count_together() -> None:
    """Copies of the same people tell nothing new: the interval stays as wide."""
    rng = np.random.default_rng(3)
    x = rng.normal(0, 10, 25)
    y = x + rng.normal(1, 2, 25)
    once = agree(x, y, alone(25), seed=1)
    copied = agree(np.repeat(x, 8), np.repeat(y, 8), np.repeat(alone(25), 8), seed=1)
    fooled = agree(np.repeat(x, 8), np.repeat(y, 8), alone(200), seed=1)
    assert once and copied and fooled

    def width(found: object) -> float:
        return found.bias.high - found.bias.low  # type: ignore[attr-defined]

    assert width(copied) == pytest.approx(width(once), rel=0.01)
    assert copied.sd.value == pytest.approx(once.sd.value, rel=0.03)
    assert width(fooled) < 0.5 * width(once)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(4)
    held = np.zeros(3)
    rounds = 200
    for number in range(rounds):
        people = rng.normal(0, 10, 20)
        x, y = people + rng.normal(0, 2, (2, 20))
        found = agree(x, y, alone(20), seed=number, resamples=150)
        assert found is not None
        wanted = ((found.bias, 0.0), (found.icc, 100 / 104), (found.mdc, 1.96 * np.sqrt(8)))
        held += [interval.low <= value <= interval.high for interval, value in wanted]
    assert (held / rounds > 0.89).all() and (held / rounds < 0.995).all()


def test_angles_go_round() -> None:
    reference, measured = unwrapped(
        np.array([179.0, -179.0, 170.0]), np.array([-179.0, 178.0, 175.0]), 360.0
    )
    np.testing.assert_allclose(measured - reference, [2.0, -3.0, 5.0])
    assert np.ptp(reference) == pytest.approx(11.0)
    found = agree(
        np.array([179.0, -179.0, 170.0]), np.array([-179.0, 178.0, 175.0]), alone(3), period=360.0
    )
    assert found is not None and found.bias.value == pytest.approx(4 / 3)
    assert np.isnan(found.bias.low)  # three people: no interval


def test_too_few_and_missing_values() -> None:
    nan = float("nan")
    assert agree(np.array([1.0, nan, 2.0]), np.array([1.0, 1.0, nan]), alone(3)) is None
    assert contrast(np.full(5, nan), np.ones(5), np.ones(5), alone(5)) == {}


def at(**points: tuple[float, float]) -> np.ndarray:
    person = np.full((1, 37, 2), np.nan)
    for name, place in points.items():
        person[0, skeleton.INDEX[name]] = place
    return person


def test_quantities_of_a_drawn_person() -> None:
    truth = at(
        left_shoulder=(110, 100), right_shoulder=(90, 100), left_hip=(110, 200),
        right_hip=(90, 200), left_knee=(110, 300), left_ankle=(210, 300),
        left_ear=(104, 60), right_ear=(96, 60),
    )  # fmt: skip
    own = truth.copy()
    own[0, skeleton.INDEX["left_ankle"]] = (210, 400)
    own[0, [skeleton.INDEX["left_shoulder"], skeleton.INDEX["right_shoulder"]], 0] += 100
    got = measure(truth, own, np.isfinite(truth).all(-1), np.array([400.0]))
    assert set(got) == set(QUANTITIES)
    assert [each[0] for each in got["left_knee"]] == pytest.approx([90.0, 135.0])
    assert [each[0] for each in got["trunk_lean"]] == pytest.approx([0.0, 45.0])
    assert [each[0] for each in got["torso_length"]] == pytest.approx([25.0, 25 * np.sqrt(2)])
    assert got["left_hip"][0][0] == pytest.approx(180.0)
    for missing in ("right_knee", "left_elbow", "lumbar_turn", "spine_length"):
        assert np.isnan(got[missing]).all()


def test_a_segment_seen_end_on_has_no_angle() -> None:
    truth = at(left_hip=(0, 0), left_knee=(3, 0), left_ankle=(3, 100))
    known = np.isfinite(truth).all(-1)
    assert np.isnan(measure(truth, truth, known, np.array([400.0]))["left_knee"][0][0])
    assert measure(truth, truth, known, np.array([50.0]))["left_knee"][0][0] == pytest.approx(90)


def test_two_models_on_the_same_people() -> None:
    labels = make_labels(project_people(40, 7))
    good, bad = (evaluate(labels, predict(labels, jitter(labels, s, 1))) for s in (0.01, 0.03))
    found = versus(good, bad)
    error = found.measures["body.error"]
    values = [dict(zip(e.table.names, e.table.values()))["body.error"] for e in (good, bad)]
    assert [error.first, error.second] == pytest.approx(values)
    assert error.difference.high < 0
    assert found.measures["body.AP"].first == pytest.approx(good.precision["body"]["AP"])
    assert found.measures["body.AP"].difference.low > 0
    assert found.agreement["left_knee"]["absolute"].difference.high < 0
    assert found.people == 40
    same = versus(good, good)
    assert all(
        each.difference.value == 0 or np.isnan(each.difference.value)
        for each in same.measures.values()
    )
    other = evaluate(make_labels(project_people(40, 8)), bad.predictions)
    with pytest.raises(UserError, match="same labels"):
        versus(good, other)


def test_only_people_whom_both_found_are_compared() -> None:
    labels = make_labels(project_people(12, 7))
    first = predict(labels, jitter(labels, 0.01, 1))
    rows = np.arange(6)
    fields = ("points", "scores", "score", "image", "annotation")
    second = replace(first, **{name: getattr(first, name)[rows] for name in fields})
    found = versus(evaluate(labels, first), evaluate(labels, second))
    assert found.people == 6
    assert found.measures["people.found"].second == pytest.approx(0.5)
    assert found.measures["body.error"].difference.value == pytest.approx(0.0)
    assert len(agreement_of(evaluate(labels, second))["left_knee"].rows) <= 6


def test_subjects_belong_together() -> None:
    labels = make_labels(project_people(6, 7))
    assert clusters_of(labels)[1] == "picture"
    for number, annotation in enumerate(labels.coco.annotations):
        annotation["subject_id"] = f"s{number % 2}"
    cluster, by = clusters_of(labels)
    assert by == "subject_id" and len(set(cluster.tolist())) == 2


def test_two_models_are_compared_on_the_keypoints_of_both() -> None:
    """The face is right, the limbs are not: a model without a face is not the worse for it."""
    labels = make_labels(project_people(20, 7))
    points = jitter(labels, 0.04, 1)
    points[:, :5] = labels.points[:, :5]
    whole = predict(labels, points)
    without = whole.points.copy()
    without[:, :5] = np.nan
    part = replace(
        whole, points=without, defined=whole.defined & (np.arange(len(skeleton.NAMES)) >= 5)
    )
    evaluations = evaluate(labels, whole), evaluate(labels, part)
    full, fewer = (each.precision["body"]["AP"] for each in evaluations)
    assert full > fewer + 0.05, "the face has to matter"
    found = versus(*evaluations)
    for name in ("body.AP", "body.AR", "body.error", "body.pck"):
        assert found.measures[name].difference.value == pytest.approx(0, abs=1e-12), name
    assert found.words("body.AP") == "body (12 of 17) AP"
    assert found.words("body.pck").startswith("body: PCK")


def test_points_stay_apart_where_intervals_are_wide() -> None:
    reference = np.linspace(10, 60, 12)
    found = agree(reference, reference + np.tile([-4.0, 4.0], 6), alone(12))
    assert found is not None
    wide = replace(found, upper=replace(found.upper, low=-900.0, high=900.0))
    heights = [
        float(height) for height in re.findall(r'cy="([0-9.]+)"', bland_altman(wide, "degrees"))
    ]
    assert max(heights) - min(heights) > 60
    bands = re.findall(r'y="([-0-9.]+)" height="([-0-9.]+)"', bland_altman(wide, "degrees"))
    assert bands and all(float(y) >= 0 and 0 < float(high) <= 230 for y, high in bands)
