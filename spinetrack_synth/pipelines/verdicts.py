"""Whether a step has to be done, how, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, Literal

from spinetrack_synth.errors import UserError
from spinetrack_synth.pipelines.contents import Content, is_within
from spinetrack_synth.pipelines.planning import Parse, Step
from spinetrack_synth.pipelines.records import Record
from spinetrack_synth.version import __version__

GROWS: Final = {"render": "count"}
"""Commands that go on where a value has grown, all else being equal."""

Way = Literal["leave", "go on", "mend", "anew"]


@dataclass(frozen=True)
class Verdict:
    """How a step is done: not at all (``leave``), on what is there (``go on``), so after what is
    ``damaged`` of its outputs was set aside (``mend``), or after all of them were (``anew``)."""

    way: Way
    reasons: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()


def judge(
    step: Step, record: Record | None, inputs: Content, outputs: Content, parse: Parse
) -> Verdict:
    """The verdict over a step, from what is known of it and what is there."""
    if record is None:
        return Verdict("go on", ("has not been done",))
    known = known_outputs(step, record)
    there = {name: outputs[name] for name in known if name in outputs}
    damaged = tuple(_differing(known, there))
    reasons = (*_news(step, record, inputs), *_state(step, record, there))
    if not _is_same(step, record, inputs, parse):
        return Verdict("anew", reasons)
    if damaged:
        return Verdict("mend", reasons, damaged)
    return Verdict("go on" if reasons else "leave", reasons)


def _is_same(step: Step, record: Record, inputs: Content, parse: Parse) -> bool:
    """Whether what is there of the outputs is a part of what the step makes."""
    if record.version != __version__ or dict(record.inputs) != dict(inputs):
        return False
    if record.arguments == step.arguments:
        return True
    try:
        before, now = parse(record.arguments), parse(step.arguments)
    except UserError:
        return False
    key = GROWS.get(now.command, "")
    a, b = before.values.get(key), now.values.get(key)
    grown = isinstance(a, int) and isinstance(b, int) and a <= b
    return grown and before.command == now.command and {**before.values, key: b} == now.values


def _news(step: Step, record: Record, inputs: Content) -> Iterator[str]:
    """What is otherwise than when the step was begun."""
    if record.arguments != step.arguments:
        yield f"its arguments have changed: {_difference(record.arguments, step.arguments)}"
    if record.version != __version__:
        yield f"version {record.version} did it, this is {__version__}"
    yield from _told("input", record.inputs, inputs)


def _state(step: Step, record: Record, outputs: Content) -> Iterator[str]:
    """What its outputs lack."""
    known = known_outputs(step, record)
    if not record.done:
        yield "was begun and not finished"
    yield from _told("output", known, outputs)
    for name in step.outputs:
        if record.done and not any(is_within(each, name) for each in known):
            yield f"its output {name} is not known yet"


def known_outputs(step: Step, record: Record) -> Content:
    """What its outputs held, those that it no longer has left out."""
    return {
        name: checksum
        for name, checksum in record.outputs.items()
        if any(is_within(name, each) for each in step.outputs)
    }


def _differing(before: Content, now: Content) -> list[str]:
    return sorted(name for name in {**before, **now} if before.get(name) != now.get(name))


def _told(kind: str, before: Content, now: Content) -> Iterator[str]:
    """A line about the files that differ, if any do."""
    names = _differing(before, now)
    if names:
        first = names[0]
        what = "is new" if first not in before else "has changed" if first in now else "is gone"
        more = f", and {len(names) - 1} more" if len(names) > 1 else ""
        yield f"its {kind} {first} {what}{more}"


def _difference(before: Sequence[str], now: Sequence[str]) -> str:
    """Where two commands differ: what was there, and what is."""
    changes = [
        f"{' '.join(before[a:b]) or 'nothing'} is now {' '.join(now[c:d]) or 'gone'}"
        for kind, a, b, c, d in SequenceMatcher(a=before, b=now, autojunk=False).get_opcodes()
        if kind != "equal"
    ]
    return ", ".join(changes)
