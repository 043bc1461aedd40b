"""The command stats."""

from __future__ import annotations

import json
from pathlib import Path

from commands import Run
from made_people import make_coco, project_people


def labels(path: Path) -> Path:
    coco = make_coco(project_people(4, 1))
    data = {"images": coco.images, "annotations": coco.annotations, "categories": coco.categories}
    path.write_text(json.dumps(data))
    return path


def test_tables_json_and_page(run: Run, tmp_path: Path) -> None:
    path = labels(tmp_path / "a.json")
    code, out, err = run(
        "stats", path, "--json", tmp_path / "s.json", "--html", tmp_path / "s.html"
    )
    assert (code, err) == (0, "")
    assert f"{path}: 4 people in 4 pictures" in out
    figures = json.loads((tmp_path / "s.json").read_text())
    assert figures["people"] == 4
    assert sum(bar["count"] for bar in figures["tables"]["view"]["bars"]) <= 4
    assert (tmp_path / "s.html").read_text().startswith("<!doctype html>")


def test_json_to_the_terminal_is_json_alone(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("stats", labels(tmp_path / "a.json"), "--json", "-")
    assert code == 0
    assert json.loads(out)["pictures"] == 4


def test_a_folder_is_all_its_files(run: Run, tmp_path: Path) -> None:
    labels(tmp_path / "a.json"), labels(tmp_path / "b.json")
    assert "8 people in 8 pictures" in run("stats", tmp_path).out


def test_bad_input_is_one_line_and_nothing_is_written(run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("[1, 2]")
    for argument, told in (
        (bad, "bad.json: holds a list"),
        (tmp_path / "none.json", "none.json: cannot be read"),
        (tmp_path / "empty", "empty: holds no annotation files"),
    ):
        if argument.name == "empty":
            argument.mkdir()
        code, out, err = run("stats", argument, "--html", tmp_path / "page.html")
        assert (code, out) == (2, "")
        assert err.startswith("Error: ") and told in err and err.count("\n") == 1
    assert not (tmp_path / "page.html").exists()
