"""The model card: what went into a network, under which terms, and what it is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from torch import nn

from spinetrack_synth.gap.bootstrap import Interval
from spinetrack_synth.training.config import Config
from spinetrack_synth.training.judging import FIGURES, Judgement
from spinetrack_synth.training.networks.efficientnet_lite_package import LICENSE as LITE_LICENCE
from spinetrack_synth.training.networks.movenet_package import LICENSE as MOVENET_LICENCE
from spinetrack_synth.training.sources import Source
from spinetrack_synth.version import __version__

CARD: Final = "README.md"
BEGINNINGS: Final = {
    "movenet": ("MoveNet", MOVENET_LICENCE),
    "imagenet": ("EfficientNet-Lite0, of ImageNet", LITE_LICENCE),
}
"""Names and licences of weights that are fetched."""
UNTOLD: Final = "not stated"
"""A licence that the configuration does not tell."""
TOLD: Final = tuple(name for name in FIGURES if name.startswith(("body_", "spine_")))


@dataclass(frozen=True)
class Ingredient:
    """Something that went into a network: ``what`` it is, how it is called, its licence ("" where
    nobody says), and how much of it there was."""

    what: str
    name: str
    licence: str
    amount: str = ""


def write_card(
    config: Config,
    sources: Sequence[Source],
    step: int,
    network: nn.Module,
    judged: Sequence[tuple[Judgement, Mapping[str, Interval]]],
) -> str:
    """The Markdown of the network of a step, with the front matter that Hugging Face reads."""
    plan, (height, width) = config.optimisation, config.network.input_hw
    parameters = sum(each.numel() for each in network.parameters())
    ingredients = ingredients_of(config, sources)
    untold = [each.name for each in ingredients if not each.licence]
    licences = {each.licence for each in ingredients}
    single = licences.pop().lower() if len(licences) == 1 and not untold else "other"
    lines = [
        "---",
        f"license: {single}",
        "tags: [keypoint-detection, human-pose, spine]",
        "---",
        f"# {config.network.name}: 37 keypoints of a person, nine on the spine",
        f"{parameters / 1e6:.2f} M parameters; takes a person's crop of {height} x {width} pixels "
        "(height x width), answers SimCC. The weights are the average over the steps up to "
        f"{step:,} of {plan.steps:,}. Trained by spinetrack-synth {__version__}; `config.toml` has "
        "all settings.",
        "",
        "## What went in",
        *_table(
            ("what", "name", "how much", "licence"),
            [(each.what, each.name, each.amount, each.licence or UNTOLD) for each in ingredients],
        ),
        *_warning(untold),
        "",
        "## How it was trained",
        f"- {plan.steps:,} steps of {plan.batch_size} people, seed {config.seed}, {plan.precision}",
        f"- losses (weight): {_losses(config)}",
        "",
        "## What it is worth",
        *_worth(config, judged),
        "",
        "## What it is not",
        "It sees a picture, not a spine: where vertebrae lie below skin and clothes it guesses as "
        "the labels of its sources say. It is no medical device. On people, cameras and postures "
        "that its sources do not have it has to be tested first.",
        "",
    ]
    return "\n".join(lines)


def ingredients_of(config: Config, sources: Sequence[Source]) -> list[Ingredient]:
    """What goes into a network: where its weights begin, people, photographs, a teacher."""
    network, found = config.network, []
    if network.fetched:
        found.append(Ingredient("weights to begin with", *BEGINNINGS[network.fetched]))
    elif network.start is not None:
        found.append(Ingredient("weights to begin with", network.start.name, network.licence))
    for source in sources:
        amount = f"{len(source):,} people in {len(source.pictures):,} pictures"
        if not source.config.labelled:
            amount += ", without their labels"
        found.append(Ingredient("people", source.config.title, source.config.licence, amount))
    if config.teacher is not None:
        taught = config.teacher.network or config.teacher.predictions
        assert taught is not None
        found.append(Ingredient("teacher", taught.name, config.teacher.licence))
    if config.backgrounds is not None:
        photos = config.backgrounds
        found.append(Ingredient("backgrounds", photos.photos.name, photos.licence))
    return found


def _losses(config: Config) -> str:
    told = [
        f"{name} {term.weight:g}" + ("" if term.schedule == "constant" else f" ({term.schedule})")
        for name, term in config.terms.items()
    ]
    return ", ".join(told) or "none"


def _warning(untold: Sequence[str]) -> list[str]:
    if not untold:
        return []
    return ["", f"The licence of {', '.join(untold)} is not stated: find it out before sharing."]


def _worth(config: Config, judged: Sequence[tuple[Judgement, Mapping[str, Interval]]]) -> list[str]:
    """A table of figures with their intervals, a row a set."""
    if not judged:
        return ["It was judged on nothing: name sets under `[[judging.sets]]`."]
    learnt = {source.annotations.resolve() for source in config.sources}
    rows = []
    for each, intervals in judged:
        labels = each.evaluation.labels
        figures = [_figure(intervals.get(name)) for name in TOLD]
        seen = labels.path.resolve() in learnt
        name = f"{each.name} (trained on)" if seen else each.name
        rows.append((name, f"{each.people:,}", *figures))
    heads = [name.replace("_oks", ": mean OKS").replace("_ap", ": AP") for name in TOLD]
    watched = config.judging.watch
    notes = [
        "",
        "In the boxes of the labels, with flip test, SpineTrack's sigmas, as `spinetrack-synth "
        "evaluate` measures; body: COCO's 17 points, spine: nine. In brackets intervals of 95 % by "
        "drawing pictures again.",
    ]
    if watched:
        notes.append(
            f"The weights are those best in {watched}: that set chose them, so it flatters them."
        )
    return [*_table(("set", "people", *heads), rows), *notes]


def _figure(found: Interval | None) -> str:
    if found is None:
        return "-"
    spread = f" ({found.low:.3f} to {found.high:.3f})" if found.low == found.low else ""
    return f"{found.value:.3f}{spread}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ("---",) * len(head), *rows]
    return ["| " + " | ".join(_cell(value) for value in line) + " |" for line in lines]


def _cell(value: str) -> str:
    """A value in a cell, in one line and without ending it early."""
    return " ".join(value.split()).replace("|", "\\|")
