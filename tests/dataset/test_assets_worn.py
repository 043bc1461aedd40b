"""Datasets of people in the user's assets: what is remembered, recorded and told of terms."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from community_assets import write_asset
from PIL import Image

from spinetrack_synth.avatars import assets
from spinetrack_synth.cli import main
from spinetrack_synth.dataset import DatasetConfig, run_dataset
from spinetrack_synth.dataset.licences import MOST_NAMED, coco_licences, ingredients
from spinetrack_synth.dataset.state import describe
from spinetrack_synth.errors import UserError


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    try:
        assets.ensure()
    except UserError as error:
        pytest.skip(f"no body data: {error}")
    root = tmp_path_factory.mktemp("assets")
    write_asset(root, assets.load(), "suit")
    return root


def test_a_run_knows_what_is_worn(folder: Path) -> None:
    plain = describe(DatasetConfig(scene="yoga", count=1))
    told = describe(DatasetConfig(scene="yoga", count=1, assets=f"{folder}:0.3"))
    assert not {"asset_share", "asset_sha256", "asset_terms"} & set(plain)
    assert told["asset_share"] == 0.3
    assert told["asset_terms"] == {"suit.mhclo": "CC-BY 4.0, A. Tailor"}
    Image.fromarray(np.full((16, 16, 3), 90, np.uint8)).save(folder / "suit.png")
    again = describe(DatasetConfig(scene="yoga", count=1, assets=f"{folder}:0.3"))
    assert again["asset_sha256"] != told["asset_sha256"]
    assert plain["assets"] == told["assets"]  # the body data's


def test_terms_are_told_as_the_files_have_them() -> None:
    split = {
        "asset_sha256": {"a.mhclo": "1", "b.mhclo": "2"},
        "asset_terms": {"a.mhclo": "CC0, Me"},
    }
    own = [(part.source, part.licence) for part in ingredients(split) if part.what == "own asset"]
    assert own == [("a.mhclo", "CC0, Me"), ("b.mhclo", "to be filled in")]
    assert "own files by their terms: a.mhclo, b.mhclo" in coco_licences(split)[0]["name"]
    many = {f"{k}.mhclo": "1" for k in range(MOST_NAMED + 1)}
    split = {"asset_sha256": many, "asset_terms": dict.fromkeys(many, "CC0")}
    assert ("21, named in manifest.json", "CC0") in {
        (p.source, p.licence) for p in ingredients(split)
    }


def test_engines_do_not_draw_them(folder: Path) -> None:
    with pytest.raises(UserError, match="--assets goes with --backend embedded"):
        DatasetConfig(scene="yoga", count=1, backend="unreal", assets=str(folder))


def run(*arguments: object) -> int:
    import sys
    from unittest.mock import patch

    with patch.object(sys, "argv", ["spinetrack-synth", *map(str, arguments)]):
        try:
            main()
        except SystemExit as stop:
            return int(stop.code or 0)
    return 0


def test_a_folder_is_looked_through(folder: Path, tmp_path: Path, capsys) -> None:
    assert run("assets", "check", folder) == 0
    assert "whole" in (told := capsys.readouterr().out) and "CC-BY 4.0, A. Tailor" in told
    (tmp_path / "bad.mhclo").write_text("basemesh hm08\nobj_file nowhere.obj\n")
    assert run("assets", "check", tmp_path) == 2
    told = capsys.readouterr().err
    assert "bad.mhclo:2: obj_file names 'nowhere.obj'" in told and "Traceback" not in told
    code = run("render", "--scenes", "yoga", "--assets", tmp_path, "--out", tmp_path / "OUT")
    assert code == 2 and not (tmp_path / "OUT").exists()
    assert capsys.readouterr().err.count("\n") <= 2


@pytest.mark.slow
def test_people_wear_them_in_pictures_and_records(folder: Path, tmp_path: Path) -> None:
    config = DatasetConfig(
        scene="yoga", count=1, size=(96, 72), quality="draft", subjects=(1, 1), format="png",
        assets=f"{folder}:1",
    )  # fmt: skip
    run_dataset(config, tmp_path / "OUT")
    (path,) = (tmp_path / "OUT/annotations").glob("*.json")
    (annotation,) = json.loads(path.read_text())["annotations"]
    assert annotation["assets"] == ["suit.mhclo"]
    assert annotation["area"] > 50
    assert "CC-BY 4.0, A. Tailor" in (tmp_path / "OUT/README.md").read_text()
