"""Rules of the schema that are about categories: names, links and sigmas of keypoints (SPT10x)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

from spinetrack_synth import skeleton
from spinetrack_synth.coco.keypoint_names import SKELETONS, canonical_name
from spinetrack_synth.coco.values import is_not_finite, is_numbers, kind_of, shown
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.findings import Fault, Severity, mild
from spinetrack_synth.validation.rules import rule


@rule(
    "SPT106",
    "keypoint-names",
    family="schema",
    severity=Severity.ERROR,
    reason="""The names say what the numbers mean. In another order a model learns that the left
    shoulder is the right one, and no metric shows it.""",
    example="`left_shoulder` and `right_shoulder` exchanged in `categories[0].keypoints`",
)
def keypoint_names(dataset: Dataset) -> Iterator[Fault]:
    """The names of the keypoints are wrong, repeated, too few, or in another order than those of
    the skeleton they belong to."""
    for row, category in enumerate(dataset.categories):
        if "keypoints" in category:
            message = _wrong_names(dataset, row)
            if message:
                fault = dataset.category_fault(row, message, field=".keypoints")
                yield mild(fault) if _names_suffice(dataset, row) else fault


def _names_suffice(dataset: Dataset, row: int) -> bool:
    """Are there none, which misleads nobody, or those of a known skeleton and points or names
    beyond, as Human-Art and COCO-WholeBody have them?"""
    names = dataset.names[row]
    if names is None:
        return False
    fewer = tuple(map(canonical_name, names))[: max(int(dataset.point_count[row]), 0)]
    return not names or fewer in SKELETONS.values()


def _wrong_names(dataset: Dataset, row: int) -> str | None:
    names = dataset.names[row]
    if names is None:
        return "expected a list of names"
    if not names:
        return "empty: without the names of the keypoints nothing can be said of them"
    count = int(dataset.point_count[row])
    if len(names) != count:
        return f"{len(names)} names, but the annotations have {count} keypoints"
    canonical = tuple(map(canonical_name, names))
    again = [name for index, name in enumerate(canonical) if name in canonical[:index]]
    if again:
        return f"{shown(again[0])} stands twice"
    known = dataset.known_skeleton[row]
    wanted = SKELETONS[known] if known else canonical
    for index, (name, expected) in enumerate(zip(canonical, wanted)):
        if name != expected:
            return f"[{index}] is {shown(names[index])}, {known} has {expected} there"
    if len(canonical) != len(wanted):
        return f"{len(names)} names, {known} has {len(wanted)}"
    # Other spellings are fine, one that differs from all others is a slip that no tool finds.
    odd = [index for index, name in enumerate(names) if name != wanted[index]]
    if known and len(odd) < len(names) / 4:
        for index in odd:
            return f"[{index}] is {shown(names[index])}, expected {wanted[index]} to the letter"
    return None


@rule(
    "SPT109",
    "category-name",
    family="schema",
    severity=Severity.WARNING,
    reason="""Tools ask for the category `person` by its name and find no people, or no category,
    under any other spelling.""",
    example='`"name": "Person"`, or the keypoints of a person under `players`',
    unless=("SPT103", "SPT104", "SPT106"),
)
def category_name(dataset: Dataset) -> Iterator[Fault]:
    """Keypoints of a person belong to a category that is not called person."""
    people = [row for row, known in enumerate(dataset.known_skeleton)
              if known and dataset.people_categories[row]]  # fmt: skip
    if any(dataset.categories[row].get("name") == "person" for row in people):
        return
    for row in people:
        name = dataset.categories[row].get("name")
        if isinstance(name, str):
            message = f"{shown(name)}, expected person: its keypoints are a person's"
            yield dataset.category_fault(row, message, field=".name")


@rule(
    "SPT107",
    "skeleton-links",
    family="schema",
    severity=Severity.WARNING,
    reason="""COCO counts the ends of links from 1. Counted from 0, every drawn bone joins the
    wrong points. Training and evaluation do not read them.""",
    example="`[0, 1]`, or `[36, 38]` with 37 keypoints",
)
def skeleton_links(dataset: Dataset) -> Iterator[Fault]:
    """A link of the skeleton is no pair of keypoints counted from 1."""
    for row, category in enumerate(dataset.categories):
        if category.get("skeleton") is None:
            continue
        links = category["skeleton"]
        if not isinstance(links, list):
            yield dataset.category_fault(
                row, f"{kind_of(links)}, expected a list of pairs", field=".skeleton"
            )
            continue
        names = dataset.names[row]
        count = max(len(names) if names else -1, int(dataset.point_count[row]))
        pairs = [link if _is_pair(link) else None for link in links]
        if any(pair is not None and 0 in pair for pair in pairs):
            message = "a link begins or ends at 0: COCO counts keypoints from 1"
            yield dataset.category_fault(row, message, field=".skeleton", value=0)
            continue
        seen: set[frozenset[int]] = set()
        unusable = [number for number, pair in enumerate(pairs) if pair is None]
        for number, pair in enumerate(pairs):
            field = f".skeleton[{number}]"
            if pair is None:
                if number > unusable[0]:
                    continue
                more = f" ({len(unusable) - 1} more)" if len(unusable) > 1 else ""
                message = f"{shown(links[number])}, expected a pair of whole numbers{more}"
            elif count >= 0 and not all(1 <= end <= count for end in pair):
                message = f"{shown(pair)}: the keypoints are numbered 1 to {count}"
            elif pair[0] == pair[1]:
                message = f"{shown(pair)} links a keypoint with itself"
            elif frozenset(pair) in seen:
                message = f"{shown(pair)} stands twice"
            elif crossing := _crossing(dataset.trusted_names[row], pair):
                message = f"{shown(pair)} joins {crossing}"
            else:
                seen.add(frozenset(pair))
                continue
            yield dataset.category_fault(row, message, field=field)


def _crossing(names: tuple[str, ...] | None, pair: list[int]) -> str | None:
    """A link from one side of the body to another joint of the other side: no bone does that."""
    if names is None or max(pair) > len(names):
        return None
    ends = [names[end - 1] for end in pair]
    sides = {end.partition("_")[0] for end in ends}
    if sides == {"left", "right"} and len({end.partition("_")[2] for end in ends}) > 1:
        return " and ".join(ends)
    return None


def _is_pair(value: object) -> TypeGuard[list[int]]:
    return isinstance(value, list) and len(value) == 2 and all(type(end) is int for end in value)


@rule(
    "SPT108",
    "sigmas",
    family="schema",
    severity=Severity.ERROR,
    reason="""OKS divides each keypoint's error by its sigma: a list of another length or order
    scores other points, and another value another metric under the same name.""",
    example="36 sigmas for 37 keypoints, or 0.26 for the nose instead of 0.026",
)
def sigmas(dataset: Dataset) -> Iterator[Fault]:
    """The sigmas are not one positive number for each keypoint, or not those of the skeleton."""
    for row, category in enumerate(dataset.categories):
        if "sigmas" not in category:
            continue
        value, count = category["sigmas"], int(dataset.point_count[row])
        if not is_numbers(value):
            yield dataset.category_fault(row, "expected a list of numbers", field=".sigmas")
            continue
        if count >= 0 and len(value) not in (count, len(dataset.names[row] or ())):
            message = f"{len(value)} sigmas for {count} keypoints"
            yield dataset.category_fault(row, message, field=".sigmas", value=len(value))
            continue
        bad = [index for index, number in enumerate(value) if not 0 < number < 10]
        bad = [index for index in bad if not is_not_finite(value[index])]
        known = dataset.known_skeleton[row]
        if not bad and known and len(value) <= len(skeleton.SIGMAS):
            bad = [
                index
                for index, (own, wanted) in enumerate(zip(value, skeleton.SIGMAS))
                if not is_not_finite(own) and abs(own - wanted) > 1e-6
            ]
        for index in bad[:1]:
            wanted = f", {known} has {skeleton.SIGMAS[index]}" if known else ""
            more = f" ({len(bad) - 1} more)" if len(bad) > 1 else ""
            message = f"{shown(value[index])}{wanted or ', expected a positive number'}{more}"
            yield dataset.category_fault(row, message, field=f".sigmas[{index}]")
