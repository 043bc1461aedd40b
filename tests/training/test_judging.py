"""What networks in training are judged by, against figures from elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from made_people import jitter, make_labels, predict, project_people

torch = pytest.importorskip("torch", reason="pip install 'spinetrack-synth[train]'")
pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[train]'")

from spinetrack_synth import skeleton  # noqa: E402
from spinetrack_synth.gap.evaluation import Evaluation, evaluate  # noqa: E402
from spinetrack_synth.training.judging import figures_of, intervals_of  # noqa: E402


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    labels = make_labels(project_people(24, 0), v=np.tile(np.r_[np.full(36, 2), 0], (24, 1)))
    points = jitter(labels, 0.03, 1)
    found = predict(labels, points)
    return evaluate(labels, found)


def test_mean_oks_is_that_of_its_formula(evaluation: Evaluation) -> None:
    labels, found = evaluation.labels, evaluation.predictions
    figures = figures_of(evaluation)
    for group, columns in (("body", range(17)), ("spine", skeleton.SPINE)):
        people = []
        for row in range(len(labels.ids)):
            terms = []
            for k in columns:
                if labels.v[row, k]:
                    away = ((found.points[row, k] - labels.points[row, k]) ** 2).sum()
                    terms.append(
                        np.exp(-away / (2 * labels.areas[row] * (2 * skeleton.SIGMAS[k]) ** 2))
                    )
            people.append(np.mean(terms))
        assert figures[f"{group}_oks"] == pytest.approx(np.mean(people), abs=1e-9)
    assert figures["spine_ap"] == evaluation.precision["spine"]["AP"]


def test_intervals_hold_their_values_and_narrow_with_people(evaluation: Evaluation) -> None:
    found = intervals_of(evaluation)
    assert found.keys() == figures_of(evaluation).keys()
    for name, value in figures_of(evaluation).items():
        assert found[name].value == value and found[name].low <= value <= found[name].high
    similarity = evaluation.errors.similarity[:, :17]
    spread = np.nanmean(similarity, axis=1).std() / np.sqrt(24)
    width = found["body_oks"].high - found["body_oks"].low
    assert width == pytest.approx(2 * 1.96 * spread, rel=0.25)


def test_who_was_not_found_counts_nothing(evaluation: Evaluation) -> None:
    labels = evaluation.labels
    half = make_labels(project_people(24, 0))
    points = half.points.copy()
    from made_people import make_results

    from spinetrack_synth.gap.predictions import predictions_of

    results = make_results(half, points)[:12]
    figures = figures_of(evaluate(half, predictions_of(results, half, "half")))
    assert figures["body_oks"] == pytest.approx(0.5) and len(labels.ids) == 24
