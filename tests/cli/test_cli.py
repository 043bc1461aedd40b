"""The command line: help, one-line errors, exit codes, resuming."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import click
import pytest
from commands import Run, contents
from fakes import BallRenderer, ball_source

import spinetrack_synth.dataset
from spinetrack_synth import __version__
from spinetrack_synth.cli import COMMANDS
from spinetrack_synth.dataset import run_dataset
from spinetrack_synth.extras import EXTRAS

HEAVY = ("numpy", "scipy", "numba", "pandas", "pyarrow", "mitsuba", "opensim", "rich", "PIL",
         "jinja2", "markupsafe", "torch", "cv2")  # fmt: skip
RENDER = ("render", "--scenes", "balls", "--count", "3", "--seed", "5", "--size", "64x48")


@pytest.fixture
def balls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `render` draw balls."""
    made_of_balls = partial(
        run_dataset, open_source=ball_source, open_renderer=lambda backend: BallRenderer()
    )
    monkeypatch.setattr(spinetrack_synth.dataset, "run_dataset", made_of_balls)


def test_version(run: Run) -> None:
    assert run("--version") == (0, f"spinetrack-synth, version {__version__}\n", "")


def test_the_module_is_the_same_command() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "spinetrack_synth", "--version"], capture_output=True, text=True
    )
    assert said.stdout == f"spinetrack-synth, version {__version__}\n"


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_shows_examples_and_imports_nothing_heavy(command: str) -> None:
    script = (
        "import sys; from spinetrack_synth.cli import group; "
        "group(sys.argv[1:] + ['--help'], standalone_mode=False); "
        f"print('loaded', [name for name in {HEAVY} if name in sys.modules])"
    )
    arguments = [command] if command else []
    said = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True
    )
    assert "loaded []" in said.stdout
    assert f"spinetrack-synth {command}" in said.stdout.split("Example")[1]


def test_every_command_is_listed_with_a_short_help(run: Run) -> None:
    listing = run("--help").out.split("Commands:")[1].strip().splitlines()
    assert [line.split()[0] for line in listing] == list(COMMANDS)
    assert all(line.endswith(".") for line in listing)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("frobnicate",), "No such command 'frobnicate'."),
        (("render",), "Missing option '--scenes'."),
        ((*RENDER, "--out", "OUT", "--close"), "OUT: holds no picture of split 'train'; nothing"),
        (("render", "--frames", "3"), "--frames"),
        ((*RENDER, "--out", "OUT", "--count", "0"), "count 0: a dataset has at least one picture"),
        ((*RENDER, "--out", "OUT", "--count", "many"), "'many' is not a valid integer"),
        ((*RENDER, "--out", "OUT", "--size", "640"), "'640' is no size such as 640x480"),
        ((*RENDER, "--out", "OUT", "--size", "8x8"), "size 8x8: sides of 32 to 8192 pixels"),
        ((*RENDER, "--out", "OUT", "--subjects", "two"), "'two' is no number or span"),
        ((*RENDER, "--out", "OUT", "--subjects", "3-1"), "subjects 3-1"),
        (
            (*RENDER, "--out", "OUT", "--quality", "best"),
            "'best' is not one of",
        ),
        ((*RENDER, "--out", "OUT", "--format", "gif"), "'gif' is not one of 'jpg', 'png'"),
        ((*RENDER, "--out", "OUT", "--split", "a/b"), "split 'a/b'"),
        ((*RENDER, "--out", "OUT", "--seed", "-1"), "seed -1"),
        ((*RENDER, "--out", "OUT", "--views", "0"), "views 0: 1 to 16 cameras of a moment"),
        ((*RENDER, "--out", "OUT", "--views", "two"), "'two' is not a valid integer"),
        ((*RENDER, "--out", "OUT", "--sequence", "1"), "sequence 1: a clip has at least 2 frames"),
        ((*RENDER, "--out", "OUT", "--sequence", "long"), "'long' is not a valid integer"),
        ((*RENDER, "--out", "OUT", "--sequence", "9000"), "sequence 9000: lasts 300 s"),
        ((*RENDER, "--out", "OUT", "--sequence", "8", "--fps", "0"), "fps 0: 1 to 240 frames"),
        ((*RENDER, "--out", "OUT", "--sequence", "8", "--fps", "nan"), "fps nan: 1 to 240 frames"),
        ((*RENDER, "--out", "OUT", "--fps", "25"), "--fps and --video go with --sequence FRAMES"),
        ((*RENDER, "--out", "OUT", "--maps", "parts,dept"), "maps 'parts,dept': choose from parts"),
        ((*RENDER, "--out", "OUT", "--video"), "--fps and --video go with --sequence FRAMES"),
        (("assets", "fetch", "--wheel", "none.whl"), "none.whl"),
    ],
)
def test_mistakes_get_one_line_and_exit_code_2(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPINETRACK_SYNTH_CACHE", str(tmp_path / "cache"))
    code, out, err = run(*arguments)
    assert code == 2
    assert out == ""
    assert err.startswith("Error: ")
    assert message in err
    assert err.count("\n") == 1
    assert not Path("OUT").exists()


def test_render_makes_a_dataset_and_then_has_nothing_to_do(
    run: Run, balls: None, tmp_path: Path
) -> None:
    out = tmp_path / "OUT"
    first = run(*RENDER, "--out", out)
    assert first.code == 0
    assert first.out == f"3 pictures in {out}; look at {out / 'contact_sheet.jpg'}\n"
    assert "3 of 3 pictures" in first.err
    assert (out / "images/train/000002.jpg").is_file()
    again = run(*RENDER, "--out", out)
    told = f"{out} is complete: 3 pictures; nothing to do; a higher --count extends it\n"
    assert again == (0, told, "")


def test_render_refuses_the_folder_of_another_run(run: Run, balls: None, tmp_path: Path) -> None:
    run(*RENDER, "--out", tmp_path)
    code, _, err = run(*RENDER, "--out", tmp_path, "--seed", "6")
    assert code == 2
    assert err == (
        f"Error: {tmp_path}: holds another run (seed 5 there, 6 here); give another folder\n"
    )


def test_a_full_disk_is_told_in_one_line(
    run: Run, balls: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    code, _, err = run(*RENDER, "--out", tmp_path / "OUT")
    assert code == 2
    assert err.endswith("free some space and run the same command again\n")
    assert err.count("\n") == 1
    assert not (tmp_path / "OUT").exists()


def test_ctrl_c_ends_with_130_and_the_run_goes_on(
    run: Run, balls: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = BallRenderer.render

    def interrupted(self, shot, *, quality=None):
        if shot.index == 1:
            raise KeyboardInterrupt
        return draw(self, shot)

    with monkeypatch.context() as patch:
        patch.setattr(BallRenderer, "render", interrupted)
        code, _, err = run(*RENDER, "--out", tmp_path)
    assert code == 130
    assert err.strip() == (
        f"stopped at 1 of 3 pictures in {tmp_path}; run the same command to go on, or add --close "
        "to finish with what is there"
    )
    assert (tmp_path / "images/train/000000.jpg").is_file()
    assert run(*RENDER, "--out", tmp_path).code == 0


def test_the_scene_alone_is_enough(
    run: Run, balls: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small = ("render", "--scenes", "balls", "--size", "64x48")
    first = run(*small)
    assert first.code == 0
    assert "12 pictures into spinetrack-balls-seed0 (--count and --out change that)\n" in first.err
    assert len(list(Path("spinetrack-balls-seed0/images/train").iterdir())) == 12
    before = contents(tmp_path)
    assert "spinetrack-balls-seed0 is complete: 12 pictures; nothing to do" in run(*small).out
    assert contents(tmp_path) == before
    run(*small, "--count", "13")
    assert "spinetrack-balls-seed0 is complete: 13 pictures" in run(*small).out
    grown = contents(tmp_path)
    Path("spinetrack-balls-seed8").mkdir()
    Path("spinetrack-balls-seed8/thesis.tex").write_text("important")
    assert "12 pictures in spinetrack-balls-seed8-2" in run(*small, "--seed", "8").out
    assert grown.items() < contents(tmp_path).items()
    assert "spinetrack-balls-seed8-2 is complete" in run(*small, "--seed", "8").out


def test_another_split_with_the_same_seed_would_repeat_pictures(
    run: Run, balls: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small = ("render", "--scenes", "balls", "--size", "64x48", "--count", "2")
    run(*small)
    val = run(*small, "--split", "val")
    assert val.code == 2
    assert "would repeat the pictures" in val.err
    assert run(*small, "--split", "val", "--seed", "1").code == 0
    folders = {path.name for path in tmp_path.iterdir()}
    assert folders == {"spinetrack-balls-seed0", "spinetrack-balls-seed1"}


def test_close_finishes_a_stopped_run_by_the_same_command(
    run: Run, balls: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = BallRenderer.render

    def interrupted(self, shot, *, quality=None):
        if shot.index == 2:
            raise KeyboardInterrupt
        return draw(self, shot)

    out = tmp_path / "OUT"
    with monkeypatch.context() as patch:
        patch.setattr(BallRenderer, "render", interrupted)
        assert run(*RENDER, "--out", out).code == 130
    closed = run(*RENDER, "--out", out, "--close")
    assert (closed.code, closed.out) == (
        0, f"2 pictures in {out}; look at {out / 'contact_sheet.jpg'}\n"
    )  # fmt: skip
    labels = out / "annotations/person_keypoints_train.json"
    checked = run("validate", labels, "--images", out / "images/train")
    assert checked.code == 0
    assert "clean: " in checked.out
    run(*RENDER, "--out", out)
    run(*RENDER, "--out", tmp_path / "one_go")
    assert contents(out) == contents(tmp_path / "one_go")


def test_close_finishes_without_pictures_that_fail_every_time(
    run: Run, balls: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = BallRenderer.render

    def failing(self, shot, *, quality=None):
        if shot.index == 1:
            raise RuntimeError("no memory")
        return draw(self, shot)

    out = tmp_path / "OUT"
    with monkeypatch.context() as patch:
        patch.setattr(BallRenderer, "render", failing)
        failed = run(*RENDER, "--out", out)
        closed = run(*RENDER, "--out", out, "--close")
    assert failed.code == 2 and failed.err.splitlines()[-1] == (
        f"Error: {out}: 1 of 3 pictures could not be made in 3 attempts: 000001.jpg (RuntimeError: "
        f"no memory); all causes stand in {out}/.parts/train/failures.jsonl; what is done is safe: "
        "run the same command to try these again, or add --close to finish without them"
    )
    assert (closed.code, closed.out) == (
        0, f"2 pictures in {out}; look at {out / 'contact_sheet.jpg'}\n"
    )  # fmt: skip
    assert closed.err.splitlines()[-1] == (
        "picture 1 failed every time and is left out: RuntimeError: no memory"
    )
    checked = run("validate", out / "annotations/person_keypoints_train.json",
                  "--images", out / "images/train")  # fmt: skip
    assert checked.code == 0 and "clean: " in checked.out
    again = run(*RENDER, "--out", out)
    assert (again.code, again.out.partition(" pictures")[0]) == (0, "3")


@pytest.mark.parametrize(("module", "extra"), [("mitsuba", "render"), ("opensim", "opensim")])
def test_a_missing_extra_names_its_pip_command(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, module: str, extra: str
) -> None:
    def needs(*_: object, **__: object) -> None:
        raise ModuleNotFoundError(f"No module named {module!r}", name=f"{module}.core")

    monkeypatch.setattr(spinetrack_synth.dataset, "run_dataset", needs)
    code, _, err = run(*RENDER, "--out", tmp_path)
    assert code == 2
    assert err == (
        f"Error: this needs {module}, which is not installed: "
        f"pip install 'spinetrack-synth[{extra}]'\n"
    )


def test_a_bug_is_not_dressed_up_as_a_mistake_of_the_user(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("No module named 'spinetrack_synth.gone'",
                                  name="spinetrack_synth.gone")  # fmt: skip

    monkeypatch.setattr(spinetrack_synth.dataset, "run_dataset", broken)
    with pytest.raises(ModuleNotFoundError):
        run(*RENDER, "--out", tmp_path)


def test_poses_are_listed_under_both_names(run: Run) -> None:
    code, out, _ = run("poses")
    assert code == 0
    assert "Vīrabhadrāsana" in out
    assert "Warrior" in out
    assert len([line for line in out.splitlines() if line.startswith("  ")]) >= 40


def test_assets_tells_what_is_missing(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SPINETRACK_SYNTH_CACHE", str(tmp_path))
    shown = run("assets")
    assert shown == run("assets", "show")
    assert str(tmp_path) in shown.out
    assert "missing; run: spinetrack-synth assets fetch" in shown.out
    assert run("assets", "clear").out == "freed 0.0 MB\n"


def test_doctor_names_every_extra_and_the_way_to_get_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from importlib import metadata

    find = metadata.version

    def version(name: str) -> str:
        if name == "unrealcv":
            raise metadata.PackageNotFoundError(name)
        return find(name)

    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setattr("spinetrack_synth.cli.doctor.find_spec", lambda name: None)
    monkeypatch.setenv("SPINETRACK_SYNTH_CACHE", str(tmp_path))
    code, out, _ = run("doctor")
    assert code == 0
    assert f"spinetrack-synth {__version__}" in out
    assert f"numpy {find('numpy')}" in out
    assert all(f"\n{extra}:" in out for extra in EXTRAS)
    assert "missing unrealcv: pip install 'spinetrack-synth[unreal]'" in out
    assert "renderer:      none: pip install 'spinetrack-synth[render]'" in out
    assert "spinetrack_fullbody.osim" in out
    assert "missing; run: spinetrack-synth assets fetch" in out


def test_render_offers_what_there_is() -> None:
    from spinetrack_synth.cli.render import command
    from spinetrack_synth.dataset.config import FORMATS, QUALITIES
    from spinetrack_synth.rendering import BACKENDS

    offered = {p.name: p.type.choices for p in command.params if isinstance(p.type, click.Choice)}
    assert offered == {"quality": QUALITIES, "backend": BACKENDS, "image_format": FORMATS}
