"""People made sound, of one skeleton, and brought onto another by the names of the points."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from spinetrack_synth import skeleton
from spinetrack_synth.coco.categories import is_person
from spinetrack_synth.coco.keypoint_names import (
    SKELETONS,
    canonical_name,
    columns_of,
    is_names,
    taken_for,
)
from spinetrack_synth.coco.listing import recorded_size
from spinetrack_synth.coco.normalizing import (
    BOX_TO_AREA,
    keypoint_names,
    sound_annotation,
    triples,
)
from spinetrack_synth.coco.values import is_id, shown
from spinetrack_synth.coco.writing import Record
from spinetrack_synth.curation.samples import Remarks, Sample, Split, picture_size
from spinetrack_synth.errors import UserError

TITLES: Final = {title.lower(): title for title in SKELETONS}
"""Known skeletons by the words of the command line: ``coco-17`` and its like."""

LOOKED_AT: Final = 64
"""Annotations from which the number of keypoints is told."""

COCO_LINKS: Final = (
    (16, 14), (14, 12), (17, 15), (15, 13), (12, 13), (6, 12), (7, 13), (6, 7), (6, 8), (7, 9),
    (8, 10), (9, 11), (2, 3), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 7),
)  # fmt: skip
"""``skeleton`` of COCO's person_keypoints files, counted from 1."""


def person_category(title: str, number: Any = 1) -> Record:
    """The category of people with a known skeleton (``COCO-17``), as COCO files have it."""
    names = SKELETONS[title]
    ours = [[a + 1, b + 1] for a, b in skeleton.LINKS if max(a, b) < len(names)]
    return {
        "id": number,
        "name": "person",
        "supercategory": "person",
        "keypoints": list(names),
        "skeleton": [list(link) for link in COCO_LINKS] if title == "COCO-17" else ours,
        "sigmas": list(skeleton.SIGMAS[: len(names)]),
    }


def category_id(person: Record, categories: Sequence[Record]) -> Any:
    """The category that an annotation names; the only one where it names none."""
    if "category_id" not in person and len(categories) == 1:
        return categories[0].get("id", 1)
    return person.get("category_id", 1)


def names_of(split: Split, category: Record, *, ours: bool = True) -> tuple[str, ...]:
    """The keypoints' names of a category as the annotations have them. Raises UserError where
    their order is not known, or none of them is one of ours, if they have to be ``ours``."""
    looked_at = _first_people(split, [category]).get(category.get("id", 1))
    if not looked_at:
        return ()
    return _names(split, category, looked_at, ours=ours)


def _first_people(split: Split, categories: Sequence[Record]) -> dict[Any, list[Record]]:
    """The first annotations with keypoints of each category, by its id."""
    found: dict[Any, list[Record]] = {category.get("id", 1): [] for category in categories}
    lacking = len(found)
    for sample in split.samples():
        for person in sample.people:
            number = category_id(person, split.categories or categories)
            own = found.get(number) if is_id(number) else None
            if own is not None and len(own) < LOOKED_AT and _has_points(person):
                own.append(person)
                lacking -= len(own) == LOOKED_AT
        if not lacking:
            break
    return found


def _names(
    split: Split, category: Record, people: Sequence[Record], *, ours: bool
) -> tuple[str, ...]:
    return keypoint_names(category, people, split.source, range(len(people)), ours=ours)[0]


def declared_names(split: Split, category: Record) -> tuple[str, ...]:
    """The keypoints' names as a category has them; where no category has any, as `names_of`, of any
    skeleton."""
    having = [c for c in split.categories if is_names(c.get("keypoints")) and c["keypoints"]]
    if category in having:
        return tuple(category["keypoints"])
    return () if having else names_of(split, category, ours=False)


def sound_people(split: Split, remarks: Remarks, *, ours: bool = True) -> Split:
    """The split with people of one skeleton alone, whose keypoints are named, and with sound
    points, boxes and areas; what is as COCO has it stays as it is. Raises UserError where nobody
    has keypoints, at the first that cannot be used, or where keypoints have to be ``ours`` and
    none is."""
    chosen = _chosen(split, remarks, ours=ours)
    names = tuple(chosen[0]["keypoints"])
    numbers = {category["id"] for category in chosen}

    def samples() -> Iterator[Sample]:
        done: Counter[str] = Counter()
        for sample in split.samples():
            people = []
            for person in sample.people:
                number = category_id(person, split.categories or chosen)
                if not is_id(number) or number not in numbers:
                    remarks.count("annotations of other categories are left out")
                elif not _has_points(person):
                    remarks.count("annotations without keypoints are left out")
                else:
                    people.append(_sound(person, number, names, split, done))
                    done["unseen"] += _is_unseen(people[-1])
            image = sample.image
            if recorded_size(image) is None:
                width, height = picture_size(sample)
                image = {**image, "width": width, "height": height}
                done["size"] += 1
            yield replace(sample, image=image, people=people)
        for key, text in _MENDED.items():
            remarks.count(text, done[key])

    return replace(split, categories=chosen, samples=samples)


_MENDED: Final = {
    "null": "people have keypoints that are no numbers: taken as not labelled",
    "box": "people have no box: that around their keypoints stands for it",
    "unseen": "people have no labelled keypoint (v = 0 of all), though these have places",
    "size": "pictures have no size recorded: that of their file stands for it",
    "area": f"people have no area: {BOX_TO_AREA:g} of their box's stands for it",
}


def _chosen(split: Split, remarks: Remarks, *, ours: bool) -> list[Record]:
    """The categories to go on with, of the same keypoints: people, where there are any."""
    candidates = [c for c in split.categories if is_id(c.get("id"))]
    candidates = candidates or [{"id": 1, "name": "person"}]
    candidates = [c for c in candidates if c.get("keypoints")] or candidates
    people = _first_people(split, candidates)
    used = [c for c in candidates if people[c["id"]]]
    if not used:
        raise UserError(f"{split.source}: {_why_nobody(split)}")
    named = {c["id"]: _names(split, c, people[c["id"]], ours=False) for c in used}
    pool = [c for c in used if columns_of(named[c["id"]])] if ours else used
    if not pool:
        _names(split, used[0], people[used[0]["id"]], ours=True)  # says why
    first = next((c for c in pool if is_person(c, named[c["id"]])), pool[0])
    names = named[first["id"]]
    if not first.get("keypoints"):
        remarks.say(taken_for(str(split.source), names, "categories"))
    unused = {c["id"]: tuple(c["keypoints"]) for c in candidates if is_names(c.get("keypoints"))}
    named = unused | named
    wanted = tuple(map(canonical_name, names)), is_person(first, names)
    return [
        {**c, "keypoints": list(names)}
        for c in candidates
        if (own := named.get(c["id"]))
        and (tuple(map(canonical_name, own)), is_person(c, own)) == wanted
    ]


def _why_nobody(split: Split) -> str:
    having = (p for sample in split.samples() for p in sample.people if _has_points(p))
    person = next(having, None)
    if person is None:
        return "no annotation in it has keypoints"
    number = shown(person.get("category_id"))
    return f"annotation {person.get('id')}.category_id: {number} is no category with keypoints"


def _has_points(person: Record) -> bool:
    return isinstance(person.get("keypoints"), list) and len(person["keypoints"]) > 0


def _sound(
    person: Record, number: Any, names: Sequence[str], split: Split, done: Counter[str]
) -> Record:
    points, box = person["keypoints"], person.get("bbox")
    whole = (
        len(points) == 3 * len(names)
        and _numbers(points)
        and set(points[2::3]) <= {0, 1, 2}
        and isinstance(box, list)
        and len(box) == 4
        and _numbers(box)
        and min(box[2:]) > 0
        and _numbers([person.get("area")])
        and person["area"] > 0
        and person.get("iscrowd", 0) in (0, 1)
        and "category_id" in person
    )
    if whole:
        return person
    where = f"{split.source}: annotation {person.get('id')}"
    sound = sound_annotation(person, triples(points, len(names), where), done)
    return {"category_id": number, **sound}


def _is_unseen(person: Record) -> bool:
    points = person["keypoints"]
    return any(points) and not any(points[2::3])


def _numbers(values: Sequence[Any]) -> bool:
    return set(map(type, values)) <= {int, float} and all(map(math.isfinite, values))


def onto_skeleton(split: Split, title: str, remarks: Remarks) -> Split:
    """A split of `sound_people` with the points of a known skeleton: those that it has by name,
    the others not labelled. What has no place, and what the source lacks, is remarked."""
    names, wanted = tuple(split.categories[0]["keypoints"]), SKELETONS[title]
    if names == wanted:
        whole = [{**person_category(title, c["id"]), **c} for c in split.categories]
        return replace(split, categories=whole)
    place_of = dict(columns_of(names))
    places = [place_of.get(skeleton.INDEX[name]) for name in wanted]
    if all(place is None for place in places):
        raise UserError(f"{split.source}: has none of {title}'s keypoints")
    taken = set(places)
    lost = [name for place, name in enumerate(names) if place not in taken]
    lacking = [name for place, name in zip(places, wanted) if place is None]
    if lost:
        remarks.say(f"{title} has no place for these keypoints: {', '.join(lost)}")
    if lacking:
        remarks.say(f"not labelled (v = 0), for the source lacks them: {', '.join(lacking)}")
    _remark_meanings(names, wanted, remarks)

    def samples() -> Iterator[Sample]:
        for sample in split.samples():
            people = [_placed(person, places) for person in sample.people]
            lone = sum(not p["num_keypoints"] and not p.get("iscrowd") for p in people)
            remarks.count("people have none of the keypoints left", lone)
            yield replace(sample, people=people)

    categories = [person_category(title, c["id"]) for c in split.categories]
    if len(categories) > 1:  # players and referees
        categories = [
            {**made, **{key: c[key] for key in ("name", "supercategory") if key in c}}
            for made, c in zip(categories, split.categories)
        ]
    return replace(split, categories=categories, samples=samples)


def _remark_meanings(names: Sequence[str], wanted: Sequence[str], remarks: Remarks) -> None:
    """SpineTrack's neck is C7 and its hip the sacrum, Halpe's are middles of shoulders and hips."""
    spine = {"spine_01", "spine_02"}
    known = set(map(canonical_name, names))
    shared = [name for name in ("neck", "hip") if name in known and name in wanted]
    if shared and (spine <= known) != (spine <= set(wanted)):
        remarks.say(
            f"{' and '.join(shared)} may mean another place: SpineTrack's are C7 and the sacrum, "
            "Halpe's the middles of shoulders and of hips; the points are kept as they are"
        )


def _placed(person: Record, places: Sequence[int | None]) -> Record:
    points = person["keypoints"]
    moved = [
        value
        for place in places
        for value in ((0, 0, 0) if place is None else points[3 * place : 3 * place + 3])
    ]
    return {**person, "keypoints": moved, "num_keypoints": sum(v > 0 for v in moved[2::3])}
