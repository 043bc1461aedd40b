"""The commands validate and rules: formats, files, exit codes, settings."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from clean import clean, write, write_pictures
from commands import Run


@pytest.fixture
def run(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """The command, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return run


def faulty(path: Path, warning: bool = False) -> Path:
    data = clean()
    if warning:
        data["annotations"][2]["keypoints"][3 * 9] = 620.0
    else:
        data["annotations"][2]["num_keypoints"] = 3
    return write(path, data)


def test_a_clean_file_exits_with_0(run: Run, tmp_path: Path) -> None:
    code, out, err = run("validate", write(tmp_path / "a.json", clean()), "--ignore", "body")
    assert (code, err) == (0, "")
    assert "SpineTrack-37" in out
    assert "clean: " in out


def test_errors_exit_with_1_and_warnings_when_asked(run: Run, tmp_path: Path) -> None:
    path = faulty(tmp_path / "a.json")
    assert run("validate", path, "--ignore", "body").code == 1
    assert run("validate", path, "--ignore", "body", "--fail-on", "never").code == 0
    path = faulty(tmp_path / "a.json", warning=True)
    assert run("validate", path, "--ignore", "body").code == 0
    assert run("validate", path, "--ignore", "body", "--fail-on", "warning").code == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing.json",), "missing.json: cannot be read: No such file"),
        (("empty.json",), "empty.json: the file is empty"),
        (("list.json",), "list.json: holds a list"),
        (("empty",), "empty: holds no annotation files"),
        (("a.json", "--select", "SPT99999"), "no rule is called 'SPT99999'"),
        (("a.json", "--ignore", "geometri"), "did you mean geometry?"),
        (("a.json", "--images", "nowhere"), "nowhere: no folder"),
        (("a.json", "--previous", "old.json"), "old.json: cannot be read"),
        (("a.json", "--baseline", "b.json"), "b.json: cannot be read"),
        (("a.json", "--fail-on", "sometimes"), "'sometimes' is not one of"),
        (("a.json", "--output-format", "pdf"), "'pdf' is not one of"),
        (("a.json", "--output-format", "json", "--output-format", "sarif"),
         "2 output formats but 0 output files"),
        (("a.json", "--output-file", "x", "--output-file", "y"),
         "1 output formats but 2 output files"),
        (("a.json", "--max-findings", "-1"), "-1 is not in the range"),
        ((), "Missing argument"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_one_line_and_exit_code_2(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    write(tmp_path / "a.json", clean())
    write(tmp_path / "list.json", [])
    (tmp_path / "empty.json").touch()
    (tmp_path / "empty").mkdir()
    code, out, err = run("validate", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert message in err
    assert err.count("\n") == 1


def test_formats_and_files_go_in_pairs_and_text_to_the_terminal(run: Run, tmp_path: Path) -> None:
    path = faulty(tmp_path / "a.json")
    code, out, _ = run(
        "validate", path, "--ignore", "body",
        "--output-format", "sarif", "--output-file", "out/a.sarif",
        "--output-format", "text",
        "--output-format", "junit", "--output-file", "a.xml",
        "--output-format", "html", "--output-file", "a.html",
    )  # fmt: skip
    assert code == 1
    assert "SPT353" in out
    assert json.loads((tmp_path / "out/a.sarif").read_text())["version"] == "2.1.0"
    assert (tmp_path / "a.xml").read_text().startswith("<?xml")
    assert (tmp_path / "a.html").read_text().startswith("<!doctype html>")


def test_a_folder_stands_for_its_annotation_files(run: Run, tmp_path: Path) -> None:
    (tmp_path / "OUT/annotations").mkdir(parents=True)
    for split in ("train", "val"):
        write(tmp_path / f"OUT/annotations/person_keypoints_{split}.json", clean())
    code, out, _ = run("validate", "OUT", "--output-format", "json", "--ignore", "body")
    data = json.loads(out)
    assert [Path(file["path"]).name for file in data["files"]] == [
        "person_keypoints_train.json",
        "person_keypoints_val.json",
    ]
    assert code == 1
    assert {finding["code"] for finding in data["findings"]} == {"SPT755"}


def test_pictures_are_checked_where_they_are_given(run: Run, tmp_path: Path) -> None:
    data = clean()
    folder = write_pictures(tmp_path / "pictures", data)
    (folder / "000002.png").unlink()
    code, out, _ = run(
        "validate", write(tmp_path / "a.json", data), "--images", folder, "--ignore", "body"
    )
    assert code == 1
    assert "SPT601" in out


def test_settings_hold_and_options_win(run: Run, tmp_path: Path) -> None:
    path = faulty(tmp_path / "a.json")
    (tmp_path / "pyproject.toml").write_text('[tool.spinetrack]\nignore = ["SPT353", "body"]\n')
    assert run("validate", path).code == 0
    (tmp_path / "spinetrack.toml").write_text('fail-on = "never"\nignore = ["body"]\n')
    assert run("validate", path).code == 0
    assert run("validate", path, "--fail-on", "error").code == 1


def test_a_baseline_is_written_and_then_accepts(run: Run, tmp_path: Path) -> None:
    path = faulty(tmp_path / "a.json")
    written = run("validate", path, "--ignore", "body", "--write-baseline", "base.json")
    assert written.code == 0
    assert "1 findings accepted for 90 days in base.json" in written.out
    code, out, _ = run("validate", path, "--ignore", "body", "--baseline", "base.json")
    assert code == 0
    assert "1 accepted by the baseline" in out


def test_rules_lists_all_and_explains_one(run: Run) -> None:
    listing = run("rules").out
    assert "SPT301  error    box-not-positive: A box has no positive width or height" in listing
    assert "geometry:" in listing
    explained = run("rules", "SPT301")
    assert explained.code == 0
    assert "SPT301 box-not-positive (geometry, error)" in explained.out
    assert "two corners" in explained.out
    assert 'Example: `"bbox": [100, 50, -20, 80]`' in explained.out
    assert "Runs only when selected" in run("rules", "SPT905").out
    code, _, err = run("rules", "SPT9999")
    assert code == 2
    assert err.count("\n") == 1


@pytest.mark.slow
def test_the_plain_install_is_enough(tmp_path: Path) -> None:
    """No renderer, no OpenSim, no OpenCV, no drawing library: what only extras bring is absent."""
    data = clean()
    path = write(tmp_path / "a.json", data)
    folder = write_pictures(tmp_path / "pictures", data)
    absent = ("mitsuba", "drjit", "pyoidn", "opensim", "cv2", "onnxruntime", "unrealcv",
              "matplotlib", "jsonschema", "hypothesis")  # fmt: skip
    script = (
        f"import sys; sys.modules.update(dict.fromkeys({absent})); "
        "from spinetrack_synth.cli import main; main()"
    )
    said = subprocess.run(
        [sys.executable, "-c", script, "validate", str(path), "--images", str(folder),
         "--output-format", "text", "--output-format", "html",
         "--output-file", str(tmp_path / "a.html")],
        capture_output=True, text=True,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    assert "clean: " in said.stdout
