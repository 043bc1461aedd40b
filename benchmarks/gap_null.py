"""Does `gap` say nothing where there is nothing? One distribution, cut in two, again and again.

    python benchmarks/gap_null.py [--runs 200] [--only sequences] [--pictures]

People of the pose library are projected, with predictions whose errors differ by person, pose and
keypoint and have long tails; every run draws people, cuts them in two and compares the halves. What
is told: the share of intervals of 95% that miss zero (wanted: at most 6%), of all and by table and
size of group; the share of reports that mark a group or a keypoint after correction, and that name
a cause (wanted: at most 5%), each with an interval of its own: of single reports Clopper and
Pearson's, of intervals by the spread between runs, since those of one report go together. Last,
what is planted is looked for: a power of 1 is a difference that is always seen.

`--pictures` paints the people too, so that causes of how pictures look can be named as well.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from scipy import stats

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from made_people import make_coco, make_results, paint, project_people

from spinetrack_synth import skeleton
from spinetrack_synth.gap.comparison import Comparison, compare
from spinetrack_synth.gap.differences import Gap
from spinetrack_synth.gap.evaluation import Evaluation, evaluate
from spinetrack_synth.gap.labels import labels_of
from spinetrack_synth.gap.predictions import predictions_of

POOL = 1200
PICTURE_PX = 200


@dataclass(frozen=True)
class Scenario:
    """People on the (synthetic, real) side, and how many of them make a sequence."""

    people: tuple[int, int]
    sequence: int = 1


SCENARIOS = {
    "pictures": Scenario((80, 80)),
    "few": Scenario((24, 18)),
    "unequal": Scenario((150, 30)),
    "sequences": Scenario((120, 90), sequence=6),
}


def made_side(
    rng: np.random.Generator, pool: np.ndarray, chosen: np.ndarray, sequence: int,
    worse: float = 1.0, shift: float = 0.0, folder: Path | None = None,
) -> tuple[Evaluation, Path | None]:  # fmt: skip
    """One half with its predictions: a sequence shows one person with small movements, and its
    errors have a part in common. ``worse`` times the errors, spine_04 shifted by a share of the
    diagonal."""
    points = np.repeat(pool[chosen], sequence, axis=0)
    if sequence > 1:
        points = points + rng.normal(scale=4, size=points.shape)
    size = PICTURE_PX if folder is not None else 800
    points = points * (size / 800)
    count = len(points)
    v = np.where(rng.random((count, 37)) < rng.beta(1, 4, size=(count, 1)), 1, 2)
    coco = make_coco(points, v, size=size)
    if sequence > 1:
        for number, image in enumerate(coco.images):
            image["sequence"] = f"s{number // sequence}"
    labels = labels_of(coco, Path("person_keypoints_made.json"))
    diagonal = np.hypot(labels.boxes[:, 2], labels.boxes[:, 3])[:, None, None]
    tall = labels.boxes[:, 3] > labels.boxes[:, 2]
    own = np.repeat(rng.lognormal(0, 0.5, len(chosen)), sequence) * np.where(tall, 1.0, 1.6)
    spread = 0.012 * worse * own[:, None, None] * np.where(v == 1, 1.7, 1.0)[..., None]
    spread = spread * np.where(np.arange(37) % 5 == 0, 1.5, 1.0)[:, None]
    found = labels.points + diagonal * spread * rng.standard_t(4, size=labels.points.shape)
    mirrored = rng.random(count) < 0.04
    found[mirrored] = found[mirrored][:, list(skeleton.MIRROR)]
    found[:, skeleton.INDEX["spine_04"], 1] += shift * diagonal[:, 0, 0]
    scores = np.clip(rng.beta(5, 1, size=(count, 37)) / own[:, None] ** 0.3, 0, 1)
    results = make_results(labels, found, scores)
    evaluation = evaluate(labels, predictions_of(results, labels, "made"))
    return evaluation, paint(folder, coco, int(rng.integers(2**31))) if folder else None


def reports(
    scenario: Scenario, runs: int, seed: int, scratch: Path | None = None, **planted: float
) -> Iterator[Comparison]:
    """Comparisons of two halves of one draw; ``planted`` differences on the real one."""
    pool = project_people(POOL, seed=99)
    for run in range(runs):
        rng = np.random.default_rng([seed, run])
        counts = [n // scenario.sequence for n in scenario.people]
        order = rng.permutation(POOL)
        folders = [None if scratch is None else scratch / f"{run}-{side}" for side in (0, 1)]
        first, at = made_side(rng, pool, order[: counts[0]], scenario.sequence, folder=folders[0])
        second, other = made_side(
            rng, pool, order[counts[0] : sum(counts)], scenario.sequence,
            folder=folders[1], **planted,
        )  # fmt: skip
        yield compare(first, second, folders=(at, other), resamples=999, seed=run)


def tables_of(comparison: Comparison) -> dict[str, list[tuple[int, Gap]]]:
    """The intervals of a report by table, with the people of the smaller side."""
    people = min(int(e.labels.people.sum()) for e in (comparison.synthetic, comparison.real))
    found: dict[str, list[tuple[int, Gap]]] = defaultdict(list)
    for name, gap in comparison.gaps.items():
        found["keypoints" if name.startswith("keypoint.") else "measures"].append((people, gap))
    found["AP and AR"] = [(people, gap) for gap in comparison.precision.values()]
    found["matched"] = [(comparison.matching.people, gap) for gap in comparison.matched.values()]
    for each in comparison.strata:
        smaller = min(each.synthetic_people, each.real_people)
        found[f"for whom: {each.by}"] += [(smaller, gap) for gap in each.gaps.values()]
    return found


SIZES = ((5, 8), (8, 16), (16, 32), (32, 1000))


def misses(comparison: Comparison) -> dict[str, tuple[int, int]]:
    """How many intervals of each kind miss zero, of how many."""
    counts: dict[str, list[bool]] = defaultdict(list)
    for table, gaps in tables_of(comparison).items():
        for people, gap in gaps:
            if not np.isfinite(gap.gap.low):
                continue
            missed = not gap.gap.holds_zero
            kinds = ["all intervals", table]
            if table.startswith("for whom"):
                kinds += [f"groups of {a} to {b - 1}" for a, b in SIZES if a <= people < b]
            for kind in kinds:
                counts[kind].append(missed)
    return {kind: (sum(each), len(each)) for kind, each in counts.items()}


def marked(comparison: Comparison) -> dict[str, bool]:
    """Whether a report marks something after correction."""
    groups = [g for each in comparison.strata for n, g in each.gaps.items() if n == "all.error"]
    errors = [
        gap
        for name, gap in comparison.gaps.items()
        if name.startswith("keypoint.") and name.endswith(".error")
    ]
    return {
        "name a cause": bool(comparison.causes),
        "mark a group (all.error)": any(g.clear for g in groups),
        "mark a keypoint (error)": any(g.clear for g in errors),
        "are matched and comparable": bool(comparison.matched),
    }


def told_share(pairs: list[tuple[int, int]]) -> str:
    """The share over all runs, with an interval by the spread between runs."""
    missed, count = np.array(pairs, dtype=float).T
    share = missed.sum() / count.sum()
    rest = missed - share * count
    error = np.sqrt((rest**2).sum()) / count.sum()
    return (
        f"{share:6.1%}  ({max(share - 1.96 * error, 0):.1%} to {share + 1.96 * error:.1%}) "
        f"of {count.sum():,.0f}"
    )


def told_count(seen: list[bool]) -> str:
    """A share of reports with Clopper and Pearson's interval."""
    found = stats.binomtest(sum(seen), len(seen)).proportion_ci()
    return f"{np.mean(seen):6.1%}  ({found.low:.1%} to {found.high:.1%}) of {len(seen)} reports"


def show(title: str, runs: int, made: Callable[[], Iterator[Comparison]]) -> None:
    """Run and print one scenario."""
    start = time.perf_counter()
    intervals: dict[str, list[tuple[int, int]]] = defaultdict(list)
    told: dict[str, list[bool]] = defaultdict(list)
    causes: dict[str, int] = defaultdict(int)
    for comparison in made():
        for kind, pair in misses(comparison).items():
            intervals[kind].append(pair)
        for kind, seen in marked(comparison).items():
            told[kind].append(seen)
        for cause in comparison.causes:
            causes[cause.name] += 1
    print(f"\n{title}: {runs} runs, {time.perf_counter() - start:.0f} s")
    for kind in sorted(intervals, key=lambda k: (k != "all intervals", k)):
        print(f"  intervals that miss zero, {kind:24} {told_share(intervals[kind])}")
    for kind, seen in told.items():
        print(f"  reports that {kind:37} {told_count(seen)}")
    if causes:
        print(f"  causes named: {dict(causes)}")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--only", choices=[*SCENARIOS, "power"])
    parser.add_argument("--pictures", action="store_true")
    options = parser.parse_args()
    for name, scenario in SCENARIOS.items():
        if options.only in (None, name):
            with tempfile.TemporaryDirectory() as scratch:
                folder = Path(scratch) if options.pictures else None
                show(
                    f"{name} ({scenario.people[0]} and {scenario.people[1]} people"
                    + (f", {scenario.sequence} a sequence)" if scenario.sequence > 1 else ")"),
                    options.runs,
                    partial(reports, scenario, options.runs, 1, folder),
                )
    if options.only in (None, "power"):
        runs = max(options.runs // 5, 10)
        for worse in (1.1, 1.25, 1.5):
            seen = [
                c.gaps["all.error"].clear
                for c in reports(SCENARIOS["pictures"], runs, 2, worse=worse)
            ]
            print(f"\nerrors {worse:g} times as large are seen in {told_count(seen)}")
        for shift in (0.01, 0.02):
            found = [
                [cause.name for cause in c.causes]
                for c in reports(SCENARIOS["pictures"], runs, 3, shift=shift)
            ]
            seen = ["keypoint spine_04" in names for names in found]
            alone = [names == ["keypoint spine_04"] for names in found]
            print(
                f"\nspine_04 moved by {shift:g} of the diagonal is named in {told_count(seen)}, "
                f"alone in {told_count(alone)}"
            )


if __name__ == "__main__":
    main()
