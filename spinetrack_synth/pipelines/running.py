"""Doing what a plan wants: step after step, each command in a process of its own."""

from __future__ import annotations

import os
import shlex
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from spinetrack_synth.errors import UserError
from spinetrack_synth.locking import file_lock
from spinetrack_synth.pipelines.config import STATE
from spinetrack_synth.pipelines.contents import Content, Contents, is_within
from spinetrack_synth.pipelines.planning import Parse, Plan, Step
from spinetrack_synth.pipelines.processes import execute, told
from spinetrack_synth.pipelines.records import (
    Record,
    check_owner,
    read_record,
    write_owner,
    write_record,
)
from spinetrack_synth.pipelines.verdicts import Verdict, judge, known_outputs
from spinetrack_synth.version import __version__

REPLACED: Final = "replaced"
"""Where in the state's folder the last outputs of a step lie that were set aside."""

Ending = Literal["done", "up to date", "failed", "left out"]
Tell = Callable[[str], None]
Execute = Callable[[Sequence[str], Path], int]
"""Given arguments of ours and a folder, runs them there; the exit code."""


def run(plan: Plan, parse: Parse, tell: Tell, execute: Execute = execute) -> bool:
    """Do the steps that have to be done, each by ``execute``; whether all went well.

    A step that fails leaves out those behind it, and no others. Raises UserError where the folder
    is that of another pipeline or run.
    """
    out = plan.out
    check_owner(out, plan.path)
    ways = [*_way_there(plan), *_links(plan)]
    try:
        (out / STATE).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{out}: cannot be used: {error.strerror}") from error
    with file_lock(out / STATE / "lock", f"{out}: another run is at work there"):
        write_owner(out, plan.path)
        for line in ways:
            tell(line)
        _link(plan)
        work = _Work(plan, Contents.open(out, plan.files), parse, tell, execute)
        ended: dict[str, Ending] = {}
        for step in plan.steps:
            ended[step.name] = work.do(step, ended)
    counted = Counter(ended.values())
    tell(f"# {len(ended)} steps: {', '.join(f'{n} {what}' for what, n in counted.items())}")
    return not counted["failed"]


def preview(plan: Plan, parse: Parse) -> Iterator[str]:
    """What ``run`` would do and why, as lines for a shell; nothing is written.

    A step behind one that is to be done may turn out to be up to date: that is known when the
    other has made its outputs.
    """
    check_owner(plan.out, plan.path)
    contents = Contents.open(plan.out, plan.files)
    yield from (*_way_there(plan), *_links(plan))
    wanted: set[str] = set()
    for step in plan.steps:
        record = read_record(plan.out, step.name)
        remade = [name for name in step.inputs if wanted.intersection(step.makers[name])]
        inputs = {
            **_contents_of(contents, [name for name in step.inputs if name not in remade]),
            **_as_recorded(record, remade),
        }
        outputs = _contents_of(contents, step.outputs)
        verdict = judge(step, record, inputs, outputs, parse)
        if verdict.way == "leave" and remade:
            makers = sorted(wanted.intersection(step.makers[remade[0]]))
            verdict = Verdict("go on", (f"perhaps: {makers[0]} makes its input {remade[0]}",))
        if verdict.way != "leave":
            wanted.add(step.name)
        yield from _lines(step, verdict)


def _as_recorded(record: Record | None, names: Sequence[str]) -> Content:
    inputs = record.inputs if record else {}
    return {each: inputs[each] for each in inputs if any(is_within(each, name) for name in names)}


def _contents_of(contents: Contents, names: Sequence[str]) -> dict[str, str]:
    return {file: held for name in names for file, held in contents.of(name).items()}


def _lines(step: Step, verdict: Verdict) -> Iterator[str]:
    """What is to be done with a step, and why."""
    yield f"# {step.name}: {'; '.join(verdict.reasons) or 'up to date'}"
    if verdict.way != "leave":
        yield step.command


def _way_there(plan: Plan) -> Iterator[str]:
    if not plan.out.is_dir():
        yield f"mkdir -p {shlex.quote(str(plan.out))}"
    yield f"cd {shlex.quote(str(plan.out))}"


def _links(plan: Plan) -> Iterator[str]:
    """How what lies elsewhere is brought into the folder, where it is not there yet."""
    for name, target in plan.files.items():
        place = plan.out / name
        if not (place.exists() and place.samefile(target)):
            if "/" in name and not place.parent.is_dir():
                yield shlex.join(["mkdir", "-p", name.rpartition("/")[0]])
            yield shlex.join(["ln", "-sfn", str(target.resolve()), name])


def _link(plan: Plan) -> None:
    """Bring it there."""
    for name, target in plan.files.items():
        place = plan.out / name
        if place.exists() and place.samefile(target):
            continue
        try:
            if place.is_symlink():
                place.unlink()
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(target.resolve())
        except FileExistsError as error:
            raise UserError(
                f"{place}: is in the way of files.{name} ({target}); move it or give that another "
                "name"
            ) from error
        except OSError as error:
            raise UserError(f"{place}: cannot be written: {error.strerror}") from error


@dataclass(frozen=True)
class _Work:
    """What the steps of a run are done with."""

    plan: Plan
    contents: Contents
    parse: Parse
    tell: Tell
    execute: Execute

    def do(self, step: Step, ended: dict[str, Ending]) -> Ending:
        """Do a step, if it has to be done and all before it went well."""
        for name in step.before:
            if ended[name] in ("failed", "left out"):
                what = "failed" if ended[name] == "failed" else "was left out"
                self.tell(f"# {step.name}: left out, for {name} {what}")
                return "left out"
        try:
            inputs = self._inputs(step)
            record = read_record(self.plan.out, step.name)
            outputs = _contents_of(self.contents, step.outputs)
            verdict = judge(step, record, inputs, outputs, self.parse)
            for line in _lines(step, verdict):
                self.tell(line)
            if verdict.way == "leave":
                return "up to date"
            begun = time.monotonic()
            self._make(step, verdict, inputs, record)
        except UserError as error:
            self.tell(f"# {step.name}: failed: {error}")
            return "failed"
        self.tell(f"# {step.name}: done in {time.monotonic() - begun:.0f} s")
        return "done"

    def _inputs(self, step: Step) -> dict[str, str]:
        for name in step.inputs:
            if not self.contents.place(name).exists():
                made = f"; {', '.join(step.makers[name])} did not make it"
                raise UserError(f"{name}: is not there{made if step.makers[name] else ''}")
        return _contents_of(self.contents, step.inputs)

    def _make(self, step: Step, verdict: Verdict, inputs: Content, record: Record | None) -> None:
        """Run the command on what may stay of its outputs, and keep what came of it. Raises
        UserError where that fails."""
        wanted: Content = {}
        if verdict.way == "mend" and record:
            wanted = known_outputs(step, record)
            self._set_aside(step, verdict.damaged)
        elif verdict.way == "anew":
            self._set_aside(step, step.outputs)
        begun = Record(step.arguments, __version__, inputs, wanted, done=False)
        write_record(self.plan.out, step.name, begun)
        code = self.execute(step.arguments, self.plan.out)
        outputs = _contents_of(self.contents, step.outputs)
        if wanted and (code == 2 or (code == 0 and not wanted.keys() <= outputs.keys())):
            self.tell(f"# {step.name}: cannot be mended; begins anew")
            return self._make(step, Verdict("anew"), inputs, None)
        if code:
            raise UserError(told(code))
        for name in step.outputs:
            if not any(is_within(each, name) for each in outputs):
                raise UserError(f"ended well, but wrote no {name}")
        self.contents.save()
        write_record(self.plan.out, step.name, replace(begun, outputs=outputs, done=True))
        return None

    def _set_aside(self, step: Step, names: Sequence[str]) -> None:
        """Move files or folders out of the way, in place of those that were before."""
        out, aside = self.plan.out, self.plan.out / STATE / REPLACED / step.name
        there = [name for name in names if os.path.lexists(out / name)]
        if not there:
            return
        try:
            shutil.rmtree(aside, ignore_errors=True)
            for name in there:
                (aside / name).parent.mkdir(parents=True, exist_ok=True)
                (out / name).rename(aside / name)
        except OSError as error:
            raise UserError(f"{error.filename}: cannot be moved: {error.strerror}") from error
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        self.tell(f"# {there[0]}{more}, as it was: now in {aside.relative_to(out)}")
