"""What the rows of the table of ablations are: the configuration of each, and their order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spinetrack_synth.skeleton import NAMES

STEPS = 120
BATCH_SIZE = 32
INPUT_HW = (128, 96)
OPTIMISATION = {
    "learning_rate": 1e-3, "backbone_rate": 0.2, "warmup_steps": 20, "ema_decay": 0.97,
    "precision": "bf16", "batch_norm": "frozen", "save_every": 20,
}  # fmt: skip
"""Of all rows but those whose recipe says otherwise: how weights move. MoveNet has no norms; with
those of others frozen, rows differ in people alone, not in statistics of colours as well."""

SHIPPED = {"learning_rate": 2e-3, "backbone_rate": 0}
TRUNCATED = 0.2
"""Where the recipe of the network that ships is another."""

RENDERED_SHARE, PHOTOS_SHARE, REAL_SHARE = 2.0, 1.0, 1.0
"""Of a batch: rendered people, people on photos whom a teacher labels, labelled real ones."""
REAL_MIXED = 300
EXCHANGED = 0.5

PICTURES = (500, 2000)
REAL_PEOPLE = (60, 300, 1500)
ANATOMICAL = ("structure", "smoothness", "spine_shape")
BODY = NAMES[:17]

Table = dict[str, Any]


@dataclass(frozen=True)
class Rendered:
    """A rendered annotation file: how many pictures it has, and people to learn from."""

    annotations: Path
    pictures: int
    people: int


@dataclass(frozen=True)
class Data:
    """What there is to learn from and to be judged on, absolute paths: ``rendered`` people,
    ``more`` of them that one row takes besides, those who are ``held_out``, the folder of labelled
    ``photos``, boxes ``unlabelled`` of people on photos, what a ``teacher`` predicted for them, and
    ``backgrounds``."""

    rendered: tuple[Rendered, ...]
    more: tuple[Rendered, ...]
    held_out: Path
    photos: Path
    unlabelled: Path
    teacher: Path
    backgrounds: Path

    @property
    def people(self) -> int:
        """How many rendered people rows learn from, unless they say otherwise."""
        return sum(each.people for each in self.rendered)


@dataclass(frozen=True)
class Row:
    """A recipe. ``rendered`` people are learnt from (None: everybody; ``more``: those besides too),
    and ``real`` ones; the network starts with weights as ``start`` in a configuration names them,
    or as the row called ``begins`` left it; not ``trained`` leaves it so."""

    name: str
    network: str = "small"
    start: str = "movenet"
    begins: Row | None = None
    trained: bool = True
    rendered: int | None = None
    more: bool = False
    real: int = 0
    exchange: bool = False
    distillation: bool = False
    anatomy: bool = False
    heatmaps: bool = True
    frozen: bool = False

    @property
    def knows_spine(self) -> bool:
        """Whether anybody has shown it a spine."""
        if self.begins is not None and self.begins.knows_spine:
            return True
        return self.trained and self.rendered != 0


@dataclass(frozen=True)
class Section:
    """A part of the table: what its lines are called, and the rows that they show."""

    title: str
    lines: tuple[tuple[str, Row], ...]


def sections(data: Data, lifts: Sequence[tuple[str, str]]) -> list[Section]:
    """The parts of the table; ``lifts`` are networks, and what they start with, of those that tell
    what rendered people are worth where there are few real ones."""
    alone = Row("alone", trained=False)
    rendered = Row("rendered")
    exchanged = replace(rendered, name="exchanged", exchange=True)
    distilled = replace(exchanged, name="distilled", distillation=True)
    anatomical = replace(distilled, name="anatomical", anatomy=True)
    mixed = replace(anatomical, name="mixed", real=REAL_MIXED)
    frozen = replace(exchanged, name="frozen", anatomy=True, frozen=True)
    marginals = replace(frozen, name="marginals", heatmaps=False)
    ingredients = Section(
        "Ingredients",
        (
            ("the backbone alone", alone),
            (f"+ {data.people:,} rendered people", rendered),
            ("+ background exchange", exchanged),
            ("+ distillation on photos", distilled),
            ("+ anatomical terms", anatomical),
            (f"+ {REAL_MIXED} real people of 14 points", mixed),
            ("as shipped: backbone frozen, the 20 new points only", frozen),
            ("as shipped, without the loss of heatmaps", marginals),
        ),
    )
    pictures = sum(each.pictures for each in data.rendered)
    numbers = []
    for count in (count for count in PICTURES if count < pictures):
        people = round(count * data.people / pictures)
        few = replace(exchanged, name=f"pictures-{count}", rendered=people)
        numbers.append((count, people, few))
    numbers.append((pictures, data.people, exchanged))
    if data.more:
        pictures += sum(each.pictures for each in data.more)
        people = data.people + sum(each.people for each in data.more)
        numbers.append((pictures, people, replace(exchanged, name="more-pictures", more=True)))
    number = Section(
        "Rendered pictures (background exchange)",
        tuple((f"{pictures:,} ({people:,} people)", row) for pictures, people, row in numbers),
    )
    known = {("small", "movenet"): (alone, exchanged)}
    return [ingredients, number, *(_lift(data, lift, known.get(lift)) for lift in lifts)]


def _lift(data: Data, lift: tuple[str, str], known: tuple[Row, Row] | None) -> Section:
    """Real people with and without rendered ones before them."""
    network, start = lift
    plain = Row(f"{network}-alone", network, start, trained=False)
    taught = replace(plain, name=f"{network}-exchanged", trained=True, exchange=True)
    plain, taught = known or (plain, taught)
    lines = [("0", plain), (f"0, after {data.people:,} rendered ones", taught)]
    for count in REAL_PEOPLE:
        real = Row(f"{network}-real-{count}", network, start, rendered=0, real=count)
        after = replace(real, name=f"{network}-after-{count}", begins=taught)
        lines += [(f"{count:,}", real), (f"{count:,}, after rendered ones", after)]
    return Section(f"Real people ({network}, from {start})", tuple(lines))


def rows_of(parts: Iterable[Section]) -> list[Row]:
    """Every row once, in order; none comes before the one that it begins with."""
    return list(dict.fromkeys(row for part in parts for _, row in part.lines))


@dataclass(frozen=True)
class Run:
    """A row with a seed: its configuration, and ``digest`` of all that made it."""

    row: Row
    seed: int
    config: str
    begins: Run | None = None

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.config.encode()).hexdigest()[:8]

    @property
    def name(self) -> str:
        """Of its folder: another configuration has another."""
        return f"{self.row.name}-{self.seed}-{self.digest}"


def run_of(row: Row, seed: int, steps: int, data: Data) -> Run:
    """A row's run; its configuration belongs into the folder that holds the runs."""
    begins = None if row.begins is None else run_of(row.begins, seed, steps, data)
    start = row.start if begins is None else begins.name
    return Run(row, seed, toml(_config(row, seed, steps, data, start)), begins)


def runs_of(rows: Iterable[Row], seeds: Sequence[int], steps: int, data: Data) -> list[Run]:
    """A run for every row and seed; what is not trained is the same for all seeds."""
    return [
        run_of(row, seed, steps, data)
        for row in rows
        for seed in (seeds if row.trained else seeds[:1])
    ]


def _config(row: Row, seed: int, steps: int, data: Data, start: str) -> Table:
    """The configuration as tables, as ``train`` reads them."""
    frozen = SHIPPED if row.frozen else {}
    config: Table = {
        "seed": seed,
        "network": {"name": row.network, "input_hw": list(INPUT_HW), "start": start},
        "sources": list(_sources(row, data)),
        "optimisation": {"steps": steps, "batch_size": BATCH_SIZE, **OPTIMISATION, **frozen},
        "augmentation": {"truncation": TRUNCATED} if row.frozen else {},
        "losses": {
            **({} if row.anatomy else dict.fromkeys(ANATOMICAL, 0)),
            **({} if row.heatmaps else {"heatmaps": 0}),
        },
        "judging": {"every": steps, "sets": judged_sets(data)},
    }
    if row.distillation:
        config["teacher"] = {"predictions": str(data.teacher)}
    if row.exchange:
        config["backgrounds"] = {"photos": str(data.backgrounds), "probability": EXCHANGED}
    return config


def _sources(row: Row, data: Data) -> Iterator[Table]:
    if row.rendered != 0:
        there = [*data.rendered, *(data.more if row.more else ())]
        taken = shares(row.rendered, [each.people for each in there])
        for number, (each, count) in enumerate(zip(there, taken), 1):
            if count:
                yield {
                    "name": f"rendered {number}",
                    "annotations": str(each.annotations),
                    "weight": RENDERED_SHARE * count / sum(taken),
                    **({} if row.rendered is None else {"people": count}),
                    **({"ignore": list(BODY)} if row.frozen else {}),
                }
    if row.distillation:
        yield {
            "name": "photos", "annotations": str(data.unlabelled), "labelled": False,
            "images": str(data.unlabelled.parent), "weight": PHOTOS_SHARE,
        }  # fmt: skip
    if row.real:
        yield {
            "name": "real", "annotations": str(data.photos / "lspe/train.json"),
            "images": str(data.photos / "lspe"), "people": row.real, "ignore": ["neck"],
            "weight": REAL_SHARE,
        }  # fmt: skip


def judged_sets(data: Data) -> list[Table]:
    """Who is judged: people on photos, and rendered ones."""
    photos = [
        {"name": name, "annotations": str(data.photos / name / "judge.json"),
         "images": str(data.photos / name)}
        for name in ("lspe", "coco-mini")
    ]  # fmt: skip
    return [*photos, {"name": "rendered", "annotations": str(data.held_out)}]


def shares(wanted: int | None, there: Sequence[int]) -> list[int]:
    """How many of so many people each source gives, as large a part of each as can be."""
    if wanted is None:
        return list(there)
    ends = [round(wanted * sum(there[:k]) / sum(there)) for k in range(len(there) + 1)]
    return [end - start for start, end in zip(ends, ends[1:])]


def toml(table: Mapping[str, Any], prefix: str = "") -> str:
    """Tables as a TOML file: texts, numbers, lists of these, tables, and lists of tables."""

    def nested(value: Any) -> list[Any]:
        if isinstance(value, dict):
            return [value]
        return value if isinstance(value, list) and value and isinstance(value[0], dict) else []

    text = "".join(
        f"{key} = {json.dumps(value, ensure_ascii=False)}\n"
        for key, value in table.items()
        if not nested(value)
    )
    for key, value in table.items():
        heading = f"[{prefix}{key}]" if isinstance(value, dict) else f"[[{prefix}{key}]]"
        text += "".join(f"\n{heading}\n{toml(each, f'{prefix}{key}.')}" for each in nested(value))
    return text
