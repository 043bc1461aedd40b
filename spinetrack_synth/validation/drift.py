"""Rules of drift: what changed against the previous release (SPT8xx)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from spinetrack_synth.coco.document import Floats
from spinetrack_synth.coco.values import plain, shown
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.findings import Fault, Severity
from spinetrack_synth.validation.rules import rule

COUNT_SHARE: Final = 0.05
"""A release that loses more than a twentieth lost a batch."""
RATE_CHANGE: Final = 0.1
"""Change of a share of labelled or visible points that people notice in a metric."""
KS: Final = 0.15
"""Largest difference between two cumulative distributions."""
LEAST_PEOPLE: Final = 30
SIGNIFICANCE: Final = 4.0
"""A change must also exceed this many standard errors: small releases vary by chance."""


def _previous(dataset: Dataset) -> Dataset:
    assert dataset.previous is not None
    return dataset.previous


@rule(
    "SPT801",
    "fewer-records",
    family="drift",
    severity=Severity.WARNING,
    reason="Releases grow. One that shrinks has usually lost a shard, a split or a merge.",
    example="58,766 annotations before, 41,020 now",
    needs=("previous",),
)
def fewer_records(dataset: Dataset) -> Iterator[Fault]:
    """The release has clearly fewer images or annotations than the one before."""
    for section in ("images", "annotations"):
        before, now = len(_previous(dataset).section(section)), len(dataset.section(section))
        if now < before * (1 - COUNT_SHARE):
            message = f"{now:,} now, {before:,} in the previous release ({now / before - 1:+.0%})"
            yield dataset.file_fault(message, place=section, value=now)


@rule(
    "SPT802",
    "labelled-rate-changed",
    family="drift",
    severity=Severity.WARNING,
    reason="""A keypoint that is labelled or visible much more often, or less, than before was
    labelled by other rules: metrics of the two releases cannot be compared.""",
    example="`left_ear` visible in 62% of the people before, in 31% now",
    needs=("previous", "any names"),
)
def labelled_rate_changed(dataset: Dataset) -> Iterator[Fault]:
    """A keypoint is labelled or visible in another share of the people."""
    previous = _previous(dataset)
    for name in _common_names(dataset, previous):
        for what, least in (("labelled", 1), ("visible", 2)):
            now, before = (_v(d, name) >= least for d in (dataset, previous))
            if min(len(now), len(before)) < LEAST_PEOPLE:
                continue
            change = now.mean() - before.mean()
            both = np.concatenate([now, before]).mean()
            error = np.sqrt(both * (1 - both) * (1 / len(now) + 1 / len(before)))
            if abs(change) > max(RATE_CHANGE, SIGNIFICANCE * error):
                message = f"{what} in {now.mean():.0%} of the people, before in {before.mean():.0%}"
                place = f"keypoint {plain(name)}"
                yield dataset.file_fault(message, place=place, value=round(float(change), 4))
                break


def _common_names(a: Dataset, b: Dataset) -> list[str]:
    of_b = {name for names in b.trusted_names if names for name in names}
    of_a = dict.fromkeys(name for names in a.trusted_names if names for name in names)
    return [name for name in of_a if name in of_b]


def _v(dataset: Dataset, name: str) -> Floats:
    """v of a keypoint for all people, or animals, with any labelled point."""
    someone = dataset.labelled.any(1)
    return np.nan_to_num(dataset.anyones_point(name)[someone, 2])


@rule(
    "SPT803",
    "box-scale-changed",
    family="drift",
    severity=Severity.WARNING,
    reason="""People who fill more or less of the picture than before shift every metric: OKS and
    input resolution both depend on it.""",
    example="median box height 61% of the image before, 34% now",
    needs=("previous",),
)
def box_scale_changed(dataset: Dataset) -> Iterator[Fault]:
    """The sizes of the people in the picture are distributed differently."""
    now, before = (_box_scale(d) for d in (dataset, _previous(dataset)))
    distance = _ks(now, before)
    if distance is not None:
        message = f"box size is {np.median(now):.0%} of the image in the middle, before "
        message += f"{np.median(before):.0%} (distributions differ by {distance:.2f})"
        yield dataset.file_fault(message, place="boxes", value=round(distance, 4))


def _box_scale(dataset: Dataset) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        share: Floats = np.sqrt(dataset.boxes[:, 2:].prod(1) / dataset.sizes.prod(1))
    return share[np.isfinite(share)]


def _ks(a: Floats, b: Floats) -> float | None:
    """The Kolmogorov-Smirnov distance, where it is large and not by chance."""
    if min(len(a), len(b)) < LEAST_PEOPLE:
        return None
    values = np.sort(np.concatenate([a, b]))
    of_a = np.searchsorted(np.sort(a), values, side="right") / len(a)
    of_b = np.searchsorted(np.sort(b), values, side="right") / len(b)
    distance = float(np.abs(of_a - of_b).max())
    chance = 0.5 * SIGNIFICANCE * np.sqrt(1 / len(a) + 1 / len(b))
    return distance if distance > max(KS, chance) else None


@rule(
    "SPT804",
    "pose-changed",
    family="drift",
    severity=Severity.WARNING,
    reason="""Where a joint lies in its box tells which poses people take. When that changes, the
    release shows other activities, or a keypoint now means something else.""",
    example="`left_wrist` above the shoulders in 10% of the people before, in 55% now",
    needs=("previous", "any names"),
)
def pose_changed(dataset: Dataset) -> Iterator[Fault]:
    """A keypoint lies elsewhere in the box than it used to."""
    previous = _previous(dataset)
    for name in _common_names(dataset, previous):
        now, before = (_in_box(d, name) for d in (dataset, previous))
        distances = [_ks(now[:, axis], before[:, axis]) for axis in (0, 1)]
        large = [distance for distance in distances if distance is not None]
        if large:
            axis = int(distances[1] == max(large))
            middle = [float(np.median(values[:, axis])) for values in (now, before)]
            where = ("across", "down")[axis]
            message = f"lies {middle[0]:.0%} {where} its box in the middle, before {middle[1]:.0%}"
            message += f" (distributions differ by {max(large):.2f})"
            place = f"keypoint {plain(name)}"
            yield dataset.file_fault(message, place=place, value=round(max(large), 4))


def _in_box(dataset: Dataset, name: str) -> Floats:
    """Places (n, 2) of a keypoint in its box, 0 to 1."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (dataset.anyones_point(name)[:, :2] - dataset.boxes[:, :2]) / dataset.boxes[:, 2:]
    return share[np.isfinite(share).all(1)]


@rule(
    "SPT805",
    "categories-changed",
    family="drift",
    severity=Severity.ERROR,
    reason="""Models and evaluation scripts are written for an order of keypoints and its sigmas.
    A release that changes them breaks everything built on the one before.""",
    example="a keypoint inserted in the middle of the list",
    needs=("previous",),
    unless=("SPT106", "SPT107", "SPT108"),
)
def categories_changed(dataset: Dataset) -> Iterator[Fault]:
    """The names, links or sigmas of the keypoints differ from the previous release."""
    before = {c.get("id"): c for c in _previous(dataset).categories if type(c.get("id")) is int}
    for row, category in enumerate(dataset.categories):
        old = before.get(category.get("id") if type(category.get("id")) is int else None)
        for name in ("name", "keypoints", "skeleton", "sigmas"):
            if old is not None and old.get(name) != category.get(name):
                message = "differs from the previous release"
                yield dataset.category_fault(row, message, field=f".{name}")
                break


@rule(
    "SPT806",
    "id-reused",
    family="drift",
    severity=Severity.ERROR,
    reason="""Ids are what people cite, exclude and fix by. An id that now means another picture
    makes every such list wrong.""",
    example="image 123 was a.jpg and is b.jpg",
    needs=("previous",),
    unless=("SPT201", "SPT205", "SPT206"),
)
def id_reused(dataset: Dataset) -> Iterator[Fault]:
    """An id stands for another picture than in the previous release."""
    before: dict[Any, Any] = {}
    for image in _previous(dataset).images:
        if type(image.get("id")) is int:
            before[image["id"]] = image.get("file_name")
    for row, image in enumerate(dataset.images):
        value, name = image.get("id"), image.get("file_name")
        if type(value) is int and isinstance(name, str):
            old = before.get(value, name)
            if isinstance(old, str) and old != name:
                message = f"was {shown(old)} in the previous release"
                yield dataset.image_fault(row, message, field=".file_name")


@rule(
    "SPT807",
    "version-not-raised",
    family="drift",
    severity=Severity.WARNING,
    reason="Two different releases under one version cannot be told apart in any paper or log.",
    example='`"version": "1.0"` before and now, with other annotations',
    needs=("previous",),
    unless=("SPT902",),
)
def version_not_raised(dataset: Dataset) -> Iterator[Fault]:
    """The records changed but the version did not."""
    previous = _previous(dataset)
    versions = [d.data.get("info") for d in (dataset, previous)]
    now, before = (i.get("version") if isinstance(i, dict) else None for i in versions)
    sections = ("images", "annotations", "categories")
    changed = any(dataset.section(name) != previous.section(name) for name in sections)
    if changed and now is not None and now == before:
        message = f"{shown(now)} as in the previous release, but the records differ"
        yield dataset.file_fault(message, place="info.version")
