"""What the package promises to install."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from spinetrack_synth.extras import EXTRAS

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def names(requirements: list[str]) -> set[str]:
    return {re.match(r"[\w.-]+", requirement)[0] for requirement in requirements}


def test_the_table_of_extras_is_that_of_the_project() -> None:
    declared = PROJECT["optional-dependencies"]
    assert set(declared) == {*EXTRAS, "all", "dev", "docs"}
    for extra, packages in EXTRAS.items():
        assert names(declared[extra]) == set(packages)
    assert declared["all"] == [f"spinetrack-synth[{','.join(EXTRAS)}]"]


def test_the_plain_install_needs_no_renderer_no_opensim_no_gui() -> None:
    heavy = {"opensim", "mitsuba", "pyoidn", "onnxruntime", "opencv-python", "unrealcv", "torch"}
    assert not names(PROJECT["dependencies"]) & heavy


def test_cv2_has_one_provider_and_training_alone_brings_torch() -> None:
    lists = {"": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
    everything = set().union(*(names(requirements) for requirements in lists.values()))
    assert {name for name in everything if name.startswith("opencv")} == {"opencv-python"}
    assert [extra for extra, each in lists.items() if "torch" in names(each)] == ["train"]


@pytest.mark.parametrize("requirement", [
    *PROJECT["dependencies"],
    *(r for extra in EXTRAS for r in PROJECT["optional-dependencies"][extra]),
])  # fmt: skip
def test_every_requirement_has_a_lower_bound(requirement: str) -> None:
    assert ">=" in requirement


def test_there_is_no_lock_file() -> None:
    assert not [path for path in ROOT.glob("*lock*") if path.is_file()]


def test_the_wheel_carries_the_model_and_not_its_builder(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="hatchling builds the wheel: pip install hatchling")
    import zipfile

    from hatchling.builders.wheel import WheelBuilder

    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        files = set(archive.namelist())
    models = {name.split("/", 2)[2] for name in files if "/opensim_models/" in name}
    assert "spinetrack_fullbody.osim" in models
    assert all(name.endswith((".osim", ".csv", ".toml")) for name in models)
    assert {"spinetrack_synth/py.typed", "spinetrack_synth/poses/yoga.toml",
            "spinetrack_synth/scenes/yoga.toml",
            "spinetrack_synth/drawing/page.css"} <= files  # fmt: skip
    templates = {str(path.relative_to(ROOT)) for path in ROOT.glob("spinetrack_synth/**/*.html")}
    assert "spinetrack_synth/drawing/page.html" in templates <= files
    assert not any(name.startswith(("tests/", "benchmarks/")) for name in files)


def test_continuous_integration_tries_every_python_that_is_promised() -> None:
    workflow = (ROOT / ".github/workflows/tests.yml").read_text()
    tried = re.search(r"python-version: \[(.*)\]", workflow)
    assert tried
    promised = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    assert re.findall(r"3\.\d+", tried[1]) == promised
