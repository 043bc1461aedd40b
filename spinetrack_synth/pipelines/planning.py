"""A pipeline file as steps in order: what each reads and writes, and which come before it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from itertools import combinations
from pathlib import Path

from spinetrack_synth.errors import UserError
from spinetrack_synth.pipelines.config import STATE, PipelineConfig, StepConfig
from spinetrack_synth.pipelines.contents import Contents, is_within
from spinetrack_synth.typed_toml import read_toml


@dataclass(frozen=True)
class Typed:
    """What arguments say: the ``command``, the ``paths`` of files and folders, all ``values``."""

    command: str
    paths: tuple[str, ...]
    values: Mapping[str, object]


Parse = Callable[[Sequence[str]], Typed]
"""Reads the arguments of ``spinetrack-synth``; raises UserError where it would refuse them."""


@dataclass(frozen=True)
class Step:
    """A command with what it reads (``inputs``) and writes (``outputs``), names of the output
    folder or absolute paths; ``makers`` are the steps that write its inputs, by input; ``after``
    others that come before it."""

    name: str
    arguments: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    after: tuple[str, ...]
    makers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def before(self) -> tuple[str, ...]:
        """All steps that come before it."""
        makers = [name for each in self.makers.values() for name in each]
        return tuple(dict.fromkeys([*makers, *self.after]))

    @property
    def command(self) -> str:
        """The command as one types it."""
        return shlex.join(["spinetrack-synth", *self.arguments])


@dataclass(frozen=True)
class Plan:
    """A pipeline's steps in the order in which they are done, and its ``files``: what lies
    elsewhere, by its name in the output folder."""

    path: Path
    out: Path
    files: Mapping[str, Path]
    steps: tuple[Step, ...]


def read_plan(path: Path, out: Path, parse: Parse) -> Plan:
    """The plan of a pipeline file with an output folder.

    Raises UserError for a command that cannot be, two steps with one output, a circle, and an input
    that neither is there nor is made by a step.
    """
    config = read_toml(PipelineConfig, path)
    try:
        files = {_own(name, f"files.{name}"): target for name, target in config.files.items()}
        declared = [_declare(name, step, parse) for name, step in config.steps.items()]
        _check_outputs(files, declared)
        steps = _in_order([_connect(step, declared) for step in declared])
        for name, target in files.items():
            if not target.exists():
                raise UserError(f"files.{name}: {target} is not there")
        contents = Contents(out, files)
        for step in steps:
            for name in step.inputs:
                if not step.makers[name] and not contents.place(name).exists():
                    raise UserError(
                        f"steps.{step.name}: {name} is not there and no step makes it; what this "
                        "step writes stands in its outputs, what lies elsewhere under [files]"
                    )
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    return Plan(path, out, files, steps)


def _declare(name: str, step: StepConfig, parse: Parse) -> Step:
    key = f"steps.{name}"
    try:
        arguments = tuple(shlex.split(step.run))
        typed = parse(arguments)
    except (UserError, ValueError) as error:
        raise UserError(f"{key}.run: {error}") from error
    outputs = tuple(_own(each, f"{key}.outputs") for each in step.outputs)
    read = [_normal(each, f"{key}.inputs") for each in step.inputs]
    typed_paths = [_normal(each, f"{key}.run") for each in typed.paths]
    read += [each for each in typed_paths if not any(is_within(each, its) for its in outputs)]
    if "." in read:
        raise UserError(f"{key}: reads the whole output folder; name what is in it")
    for one in read:
        for its in outputs:
            if is_within(one, its):
                raise UserError(f"{key}: its input {one} is its own output")
            if is_within(its, one):
                raise UserError(f"{key}: its output {its} lies in its input {one}")
    return Step(name, arguments, tuple(dict.fromkeys(read)), outputs, step.after)


def _normal(name: str, key: str) -> str:
    """A name as it is compared with others."""
    if not name:
        raise UserError(f"{key}: an empty name")
    return os.path.normpath(name)


def _own(name: str, key: str) -> str:
    """A name that stands for something in the output folder."""
    normal = _normal(name, key)
    if normal.startswith(("/", "..")) or normal == "." or is_within(normal, STATE):
        raise UserError(f"{key}: {name!r} is no name for something in the output folder")
    return normal


def _check_outputs(files: Mapping[str, Path], declared: Sequence[Step]) -> None:
    """Raises UserError where two write, or are to lie, in one place."""
    places = [(f"steps.{step.name}", each) for step in declared for each in step.outputs]
    places += [(f"files.{each}", each) for each in files]
    for (one, a), (other, b) in combinations(places, 2):
        if a == b:
            raise UserError(f"{one} and {other} both make {a}")
        if is_within(a, b) or is_within(b, a):
            raise UserError(f"{one} and {other}: {max(a, b)} lies in {min(a, b)}")


def _connect(step: Step, declared: Sequence[Step]) -> Step:
    """The step with those that write what it reads."""
    names = [each.name for each in declared]
    for name in step.after:
        if name not in names:
            raise UserError(
                f"steps.{step.name}.after: {name!r} is no step; there are {', '.join(names)}"
            )
    makers = {
        read: tuple(
            other.name
            for other in declared
            if any(is_within(read, made) or is_within(made, read) for made in other.outputs)
        )
        for read in step.inputs
    }
    return replace(step, makers=makers)


def _in_order(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Steps behind those that come before them, else as they stand in the file."""
    places = {step.name: place for place, step in enumerate(steps)}
    sorter = TopologicalSorter({step.name: step.before for step in steps})
    try:
        sorter.prepare()
    except CycleError as error:
        raise UserError(f"steps: go in a circle: {' -> '.join(error.args[1])}") from error
    ordered: list[Step] = []
    ready: list[str] = []
    while sorter.is_active():
        ready = sorted([*ready, *sorter.get_ready()], key=places.__getitem__)
        first = ready.pop(0)
        sorter.done(first)
        ordered.append(steps[places[first]])
    return tuple(ordered)
