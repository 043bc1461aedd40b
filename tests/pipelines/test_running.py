"""A pipeline does what has to be done, says why, and loses nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from spinetrack_synth.cli.arguments import parse
from spinetrack_synth.errors import UserError
from spinetrack_synth.pipelines import verdicts
from spinetrack_synth.pipelines.planning import Plan, read_plan
from spinetrack_synth.pipelines.running import preview, run

CHAIN = """
[files]
"labels.json" = "mine.json"
[steps.render]
run = "render --scenes yoga --count 3 --seed 7 --out people"
outputs = ["people"]
[steps.check]
run = "validate people --output-format html --output-file check.html"
outputs = ["check.html"]
[steps.stats]
run = "stats labels.json --json stats.json"
outputs = ["stats.json"]
[steps.again]
run = "stats stats.json --json again.json"
outputs = ["again.json"]
"""


@dataclass
class Bench:
    """A pipeline whose commands are stood in for: `render` adds the pictures that are missing,
    others write what they have read into the last file that they name."""

    folder: Path
    text: str = CHAIN
    broken: dict[str, int] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def execute(self, arguments: Sequence[str], folder: Path) -> int:
        self.ran.append(arguments[0])
        if arguments[0] in self.broken:
            return self.broken[arguments[0]]
        typed = parse(arguments)
        if typed.command == "render":
            people = folder / typed.paths[0]
            if people.exists() and not (people / "manifest").exists():
                return 2  # belongs to something else
            people.mkdir(exist_ok=True)
            (people / "manifest").write_text(str(typed.values["seed"]))
            for number in range(int(str(typed.values["count"]))):
                if not (people / f"{number}.jpg").exists():
                    (people / f"{number}.jpg").write_text(f"{typed.values['seed']} {number}")
            return 0
        *read, written = typed.paths
        places = [folder / name for name in read]
        files = [each for place in places for each in (place, *sorted(place.rglob("*")))]
        held = [each.read_text() for each in files if each.is_file()]
        (folder / written).write_text(" ".join(held))
        return 0

    def plan(self) -> Plan:
        (self.folder / "p.toml").write_text(self.text)
        return read_plan(self.folder / "p.toml", self.out, parse)

    def run(self) -> bool:
        self.ran.clear()
        self.told.clear()
        return run(self.plan(), parse, self.told.append, self.execute)

    def preview(self) -> list[str]:
        """The lines of a dry run, each step's reasons."""
        return [line for line in preview(self.plan(), parse) if line.startswith("# ")]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    (tmp_path / "mine.json").write_text("mine")
    return Bench(tmp_path)


def test_all_is_done_once(bench: Bench) -> None:
    assert [line.partition(": ")[2] for line in bench.preview()] == ["has not been done"] * 4
    assert not bench.out.exists()
    assert bench.run() and bench.ran == ["render", "validate", "stats", "stats"]
    assert (bench.out / "again.json").read_text() == "mine"
    assert bench.told[-1] == "# 4 steps: 4 done"
    assert bench.run() and bench.ran == []
    assert bench.told[-1] == "# 4 steps: 4 up to date"
    assert all(line.endswith(": up to date") for line in bench.preview())


def test_what_is_told_are_the_commands_for_a_shell(bench: Bench) -> None:
    lines = list(preview(bench.plan(), parse))
    assert lines[:5] == [
        f"mkdir -p {bench.out}",
        f"cd {bench.out}",
        f"ln -sfn {bench.folder / 'mine.json'} labels.json",
        "# render: has not been done",
        "spinetrack-synth render --scenes yoga --count 3 --seed 7 --out people",
    ]


def test_touching_is_no_change(bench: Bench) -> None:
    bench.run()
    os.utime(bench.folder / "mine.json")
    os.utime(bench.out / "people/1.jpg")
    assert bench.run() and bench.ran == []


def test_a_changed_input_redoes_its_step_and_those_behind(bench: Bench) -> None:
    bench.run()
    (bench.folder / "mine.json").write_text("other")
    assert bench.preview()[2:] == [
        "# stats: its input labels.json has changed",
        "# again: perhaps: stats makes its input stats.json",
    ]
    assert bench.run() and bench.ran == ["stats", "stats"]
    assert (bench.out / "again.json").read_text() == "other"


def test_behind_a_step_that_makes_the_same_again_nothing_is_done(bench: Bench) -> None:
    bench.run()
    bench.text = bench.text.replace("stats labels.json", "stats ./labels.json")
    assert bench.preview()[2:] == [
        "# stats: its arguments have changed: labels.json is now ./labels.json",
        "# again: perhaps: stats makes its input stats.json",
    ]
    assert bench.run() and bench.ran == ["stats"]
    assert "# again: up to date" in bench.told


def test_changed_arguments_begin_anew_and_keep_what_was_there(bench: Bench) -> None:
    bench.run()
    bench.text = bench.text.replace("--seed 7", "--seed 8")
    assert bench.preview()[0] == "# render: its arguments have changed: 7 is now 8"
    assert bench.run() and bench.ran == ["render", "validate"]
    assert (bench.out / "people/0.jpg").read_text() == "8 0"
    assert (bench.out / ".pipeline/replaced/render/people/0.jpg").read_text() == "7 0"
    assert "# people, as it was: now in .pipeline/replaced/render" in bench.told


def test_more_pictures_go_on_where_a_dataset_was(bench: Bench) -> None:
    bench.run()
    before = (bench.out / "people/0.jpg").stat().st_ino
    bench.text = bench.text.replace("--count 3", "--count 5")
    assert bench.run() and bench.ran == ["render", "validate"]
    assert (bench.out / "people/4.jpg").is_file()
    assert (bench.out / "people/0.jpg").stat().st_ino == before
    bench.text = bench.text.replace("--count 5", "--count 2")  # a dataset does not shrink
    assert bench.run() and not (bench.out / "people/2.jpg").exists()


def test_another_version_does_all_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.run()
    monkeypatch.setattr(verdicts, "__version__", "99")
    assert all("did it, this is 99" in line for line in bench.preview())


def test_damaged_outputs_are_mended(bench: Bench) -> None:
    bench.run()
    (bench.out / "people/1.jpg").unlink()
    (bench.out / "people/2.jpg").write_text("scribbled over")
    (bench.out / "people/notes.txt").write_text("my own")
    told = "# render: its output people/1.jpg is gone, and 1 more"
    assert bench.preview()[0] == told
    assert bench.run() and bench.ran == ["render", "validate"]  # the notes are new to the check
    assert (bench.out / "people/2.jpg").read_text() == "7 2"
    kept = bench.out / ".pipeline/replaced/render/people/2.jpg"
    assert kept.read_text() == "scribbled over"
    assert (bench.out / "people/notes.txt").is_file()
    assert bench.run() and bench.ran == []


def test_what_cannot_be_mended_is_made_anew(bench: Bench) -> None:
    bench.run()
    (bench.out / "people/manifest").unlink()
    assert bench.run() and bench.ran == ["render", "render"]
    assert "# render: cannot be mended; begins anew" in bench.told
    assert bench.run() and bench.ran == []


def test_a_failed_step_leaves_out_those_behind_it_alone(bench: Bench) -> None:
    bench.text = bench.text.replace("[steps.again]", '[steps.again]\nafter = ["check"]')
    bench.broken["validate"] = 1
    assert not bench.run() and bench.ran == ["render", "validate", "stats"]
    assert "# check: failed: exit code 1" in bench.told
    assert "# again: left out, for check failed" in bench.told
    assert bench.told[-1] == "# 4 steps: 2 done, 1 failed, 1 left out"
    assert bench.preview()[1] == "# check: was begun and not finished"
    bench.broken.clear()
    assert bench.run() and bench.ran == ["validate", "stats"]


def test_a_killed_command_is_told(bench: Bench) -> None:
    bench.broken["validate"] = -9
    assert not bench.run()
    assert "# check: failed: killed by SIGKILL" in bench.told


def test_a_command_that_leaves_nothing_has_failed(bench: Bench) -> None:
    bench.broken["validate"] = 0
    assert not bench.run()
    assert "# check: failed: ended well, but wrote no check.html" in bench.told


@pytest.mark.parametrize("at", range(4))
def test_stopped_in_any_step_the_same_command_goes_on(bench: Bench, at: int) -> None:
    execute = bench.execute
    half: list[str] = []

    def stopped(arguments: Sequence[str], folder: Path) -> int:
        if len(bench.ran) == at:
            if arguments[0] == "render":
                execute([*arguments, "--count", "1"], folder)
            half.extend(arguments)
            raise KeyboardInterrupt
        return execute(arguments, folder)

    with pytest.raises(KeyboardInterrupt):
        run(bench.plan(), parse, bench.told.append, stopped)
    done = len(bench.ran) - (half[0] == "render")
    assert bench.preview()[at].endswith(": was begun and not finished")
    assert bench.run() and len(bench.ran) == 4 - done
    assert not (bench.out / ".pipeline/replaced").exists()
    assert bench.run() and bench.ran == []


def test_what_was_begun_otherwise_does_not_stay(bench: Bench) -> None:
    bench.broken["render"] = 1
    bench.run()
    (bench.out / "people").mkdir()
    bench.broken.clear()
    bench.text = bench.text.replace("--seed 7", "--seed 8")
    assert bench.run()
    assert (bench.out / ".pipeline/replaced/render/people").is_dir()


def test_a_later_output_is_taken_in(bench: Bench) -> None:
    bench.broken["rules"] = 0
    bench.text = "steps.a = {run = 'rules', outputs = []}"
    bench.run()
    (bench.out / "rules.txt").write_text("rules")
    bench.text = "steps.a = {run = 'rules', outputs = ['rules.txt']}"
    assert bench.preview() == ["# a: its output rules.txt is not known yet"]
    assert bench.run() and bench.ran == ["rules"]
    assert bench.run() and bench.ran == []


def test_a_folder_belongs_to_one_pipeline(bench: Bench) -> None:
    bench.run()
    (bench.folder / "q.toml").write_text(CHAIN)
    other = read_plan(bench.folder / "q.toml", bench.out, parse)
    for attempt in (lambda: run(other, parse, print), lambda: list(preview(other, parse))):
        with pytest.raises(UserError, match=r"out: is the folder of p.toml; give q.toml another"):
            attempt()


def test_what_is_in_the_way_of_a_file_stays(bench: Bench) -> None:
    bench.out.mkdir()
    (bench.out / "labels.json").write_text("somebody's")
    with pytest.raises(UserError, match=r"labels.json: is in the way of files.labels.json"):
        bench.run()
    assert (bench.out / "labels.json").read_text() == "somebody's"


def test_an_output_folder_is_a_folder(bench: Bench) -> None:
    bench.out.write_text("a file")
    with pytest.raises(UserError, match="out: is a file; --out names a folder"):
        bench.run()
