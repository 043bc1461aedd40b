"""Splits of several datasets as one: ids made anew, categories and licences united."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from spinetrack_synth.coco.document import SEQUENCE_FIELDS
from spinetrack_synth.coco.keypoint_names import canonical_name
from spinetrack_synth.coco.normalizing import numbered
from spinetrack_synth.coco.values import is_id, shown
from spinetrack_synth.coco.writing import Record
from spinetrack_synth.curation.samples import Remarks, Sample, Split
from spinetrack_synth.curation.skeletons import category_id, declared_names
from spinetrack_synth.errors import UserError

SUBJECT_FIELDS: Final = ("subject", "subject_id", "person_id", "identity")
"""Fields of people, or of pictures of one, that say who it is."""

NUMBERED: Final = frozenset({"moment", "track_id", *SUBJECT_FIELDS, *SEQUENCE_FIELDS})
"""Whole numbers in these fields count within one dataset, so that each dataset's go on after the
last one's; texts mean the same everywhere."""

Names = tuple[str, ...]


@dataclass
class Joined:
    """Samples of several splits with ids of their own.

    ``people`` has, for each source in turn, the new id of every annotation by the old one; it is
    filled as samples pass, where ``remember``.
    """

    sources: Sequence[tuple[int, Split]]
    categories: Sequence[Record]
    licenses: Sequence[Record]
    remember: bool
    people: list[dict[Any, int]] = field(default_factory=list)
    images: list[dict[Any, int]] = field(default_factory=list)
    _category_ids: Sequence[Mapping[Any, Any]] = ()
    _license_ids: Sequence[Mapping[Any, int]] = ()

    def samples(self) -> Iterator[Sample]:
        """All samples, numbered from 1 on. ``sources`` are pairs of a dataset's number and one of
        its splits; datasets come one after another."""
        image_id, person_id = 0, 0
        offsets: dict[str, int] = {}
        highest: dict[str, int] = {}
        last_dataset = None
        for number, (dataset, split) in enumerate(self.sources):
            if dataset != last_dataset:
                offsets, last_dataset = {name: top + 1 for name, top in highest.items()}, dataset
            people: dict[Any, int] = {}
            images: dict[Any, int] = {}
            self.people.append(people)
            self.images.append(images)
            for sample in split.samples():
                image_id += 1
                image = _numbered({**sample.image, "id": image_id}, offsets, highest)
                if "license" in image:
                    licence = self._license_ids[number].get(image["license"])
                    image["license"] = licence
                    if licence is None:
                        del image["license"]
                persons = []
                for person in sample.people:
                    person_id += 1
                    category = _category_of(person, split, self._category_ids[number])
                    ids = {"id": person_id, "image_id": image_id, "category_id": category}
                    if self.remember:
                        people[person.get("id")] = person_id
                    persons.append(_numbered({**person, **ids}, offsets, highest))
                if self.remember:
                    images[sample.image["id"]] = image_id
                yield Sample(image, persons, sample.picture, sample.maps)


def join(sources: Sequence[tuple[int, Split]], *, remember: bool = False) -> Joined:
    """Splits as one; raises UserError where their people have different keypoints, and a line
    that says which."""
    categories, category_ids = _united([split for _, split in sources])
    licenses, license_ids = _licences([split for _, split in sources])
    return Joined(
        sources, categories, licenses, remember,
        _category_ids=category_ids, _license_ids=license_ids,
    )  # fmt: skip


def _category_of(person: Record, split: Split, ids: Mapping[Any, Any]) -> Any:
    """The new id of a person's category, by the old ones. Raises UserError where it is none of the
    file's, for its number may be another's by now."""
    if not split.categories:
        return next(iter(ids.values()))
    number = category_id(person, split.categories)
    if not is_id(number) or number not in ids:
        raise UserError(
            f"{split.source}: annotation {person.get('id')}.category_id: {shown(number)} is no "
            "category of this file"
        )
    return ids[number]


def _numbered(record: Record, offsets: Mapping[str, int], highest: dict[str, int]) -> Record:
    for name in NUMBERED & record.keys():
        if type(record[name]) is int:
            record[name] += offsets.get(name, 0)
            highest[name] = max(highest.get(name, 0), record[name])
    return record


def _united(splits: Sequence[Split]) -> tuple[list[Record], list[dict[Any, Any]]]:
    """The categories of all, and for each split their new ids by the old ones."""
    united: list[Record] = []
    ids: list[dict[Any, Any]] = []
    first_of: dict[Names, Split] = {}
    names_of_id: dict[int, Names] = {}
    for split in splits:
        own: dict[Any, Any] = {}
        known = list(first_of)
        categories = split.categories or [{"id": 1, "name": "person"}]
        for category in categories:
            names = declared_names(split, category)
            made = {**category, "id": len(united) + 1}
            if names and names != numbered(len(names)):
                made["keypoints"] = [*names]
            same = _same(made, united, alone=len(categories) == 1)
            if names:
                own_names = names_of_id.get((same or made)["id"])
                wanted = known if same is None else [own_names] if own_names else []
                _check_names(names, wanted, first_of, split)
                first_of.setdefault(_canonical(names), split)
                names_of_id.setdefault((same or made)["id"], _canonical(names))
            if same is None:
                united.append(made)
            else:  # Roboflow has a second category of the same name, without keypoints
                same.update({key: value for key, value in made.items() if not same.get(key)})
            own[category.get("id", 1)] = (same or made)["id"]
        ids.append(own)
    return united, ids


def _check_names(
    names: Names, wanted: Sequence[Names], first_of: Mapping[Names, Split], split: Split
) -> None:
    """Raises UserError where keypoints are none of those ``wanted``, which files before had; within
    a file, as of mice and flies, categories may differ."""
    if wanted and _canonical(names) not in wanted:
        raise UserError(_difference((first_of[wanted[0]], wanted[0]), split, names))


def _same(category: Record, united: Sequence[Record], *, alone: bool) -> Record | None:
    """The category of that name, or the only one there is where both files have one alone."""
    if alone and len(united) == 1 and category.get("keypoints") and united[0].get("keypoints"):
        return united[0]
    name = str(category.get("name")).casefold()
    return next((each for each in united if str(each.get("name")).casefold() == name), None)


def _canonical(names: Sequence[str]) -> Names:
    return tuple(map(canonical_name, names))


def _difference(first: tuple[Split, Names], split: Split, names: Names) -> str:
    known, names = _canonical(first[1]), _canonical(names)
    more = [name for name in names if name not in known]
    fewer = [name for name in known if name not in names]
    what = "has the same keypoints in another order"
    if more or fewer:
        told = [f"has {_some(more)} too"] if more else []
        told += [f"lacks {_some(fewer)}"] if fewer else []
        what = " and ".join(told)
    return (
        f"{split.source}: another skeleton than {first[0].source}: {what}; `spinetrack-synth merge "
        "--skeleton` brings both onto one"
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _licences(splits: Sequence[Split]) -> tuple[list[Record], list[dict[Any, int]]]:
    """The licences of all, each once, and for each split their new ids by the old ones."""
    united: list[Record] = []
    ids: list[dict[Any, int]] = []
    for split in splits:
        own = {}
        for licence in split.licenses:
            same = {key: value for key, value in licence.items() if key != "id"}
            found = next((u["id"] for u in united if u == {**same, "id": u["id"]}), None)
            if found is None:
                found = len(united) + 1
                united.append({"id": found, **same})
            own[licence.get("id")] = found
        ids.append(own)
    return united, ids


def joined_info(splits: Sequence[Split]) -> Mapping[str, Any]:
    """The info of one, or what all say of themselves."""
    if len({str(split.info) for split in splits}) == 1:
        return splits[0].info
    infos = [split.info for split in splits]
    descriptions = [str(info["description"]) for info in infos if info.get("description")]
    parts = next((info["parts"] for info in infos if "parts" in info), None)
    return {
        "description": " + ".join(dict.fromkeys(descriptions)),
        "sources": [dict(info) for info in infos],
        **({"parts": parts} if parts else {}),
    }


def write_truth(target: Path, joined: Joined, remarks: Remarks, wanted: set[Any] | None) -> None:
    """Write the ground truth of joined splits that passed, rows by their new ids; where ``wanted``,
    of these new ids alone. Where a source has none, or another kind, nothing is written and a
    remark says so."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    truths = [split.truth for _, split in joined.sources]
    if not any(truths):
        return
    schemas = [pq.read_schema(truth) for truth in truths if truth is not None]
    if None in truths or any(not each.equals(schemas[0], True) for each in schemas):
        remarks.say("ground truth is left out: not all sources have it, or it is of other versions")
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(target, schemas[0]) as writer:
        for truth, people, images in zip(truths, joined.people, joined.images):
            for batch in pq.ParquetFile(truth).iter_batches(256):
                columns = {name: batch.column(name) for name in batch.schema.names}
                ids = [people.get(number) for number in columns["annotation_id"].to_pylist()]
                columns["annotation_id"] = pa.array(ids, pa.int64())
                columns["image_id"] = pa.array(
                    [images.get(number) for number in columns["image_id"].to_pylist()], pa.int64()
                )
                if "cover_person" in columns:
                    kind = batch.schema.field("cover_person").type
                    covers = [
                        each and [people.get(number, -1) for number in each]
                        for each in columns["cover_person"].to_pylist()
                    ]
                    columns["cover_person"] = pa.array(covers, kind)
                kept = pa.array([i is not None and (wanted is None or i in wanted) for i in ids])
                made = pa.RecordBatch.from_arrays(list(columns.values()), schema=batch.schema)
                writer.write_batch(made.filter(kept))
