"""The public names: what importing them loads, that they are there, and their page."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from made_people import jitter, make_coco, make_labels, make_results, project_people, write
from stage import set_stage

import spinetrack_synth as st
from spinetrack_synth.validation.findings import Finding, Severity

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/api.md").read_text()
EXAMPLES = dict(re.findall(r"^### (\w+)\n.*?^```python\n(.*?)^```", PAGE, re.M | re.S))
NAMES = [name for name in st.__all__ if name != "__version__"]
NEEDS = {"render_dataset": ["mitsuba"], "PoseEstimator": ["onnxruntime", "onnx", "cv2"]}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the examples name."""
    folder = set_stage(tmp_path_factory.mktemp("stage"))
    shutil.copy(folder / "annotations.json", folder / "predictions.json")
    return folder


def test_importing_the_package_loads_nothing_but_itself() -> None:
    script = (
        "import sys; before = set(sys.modules); import spinetrack_synth as st; dir(st); "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(new - set(sys.stdlib_module_names)), "
        "[name for name in sys.modules if name.startswith('spinetrack_synth.')])"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert said.stdout == "['spinetrack_synth'] ['spinetrack_synth.version']\n"


@pytest.mark.parametrize(("name", "left_alone"), [
    ("UserError", ("numpy",)),
    ("load_model", ("numpy",)),
    ("validate", ("numpy",)),
    ("MarkerMotion", ("pandas", "pyarrow", "numba")),
    ("CocoDataset", ("pandas", "pyarrow", "numba", "cv2")),
    ("read_ground_truth", ("pandas", "mitsuba", "onnxruntime")),
])  # fmt: skip
def test_a_name_loads_only_what_it_needs(name: str, left_alone: tuple[str, ...]) -> None:
    script = (
        f"import sys; from spinetrack_synth import {name}; "
        f"print([name for name in {left_alone} if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert said.stdout == "[]\n", said.stderr


def test_every_name_is_there_and_stays_the_same() -> None:
    for name in NAMES:
        assert getattr(st, name) is getattr(st, name), name
        assert getattr(st, name).__doc__, name
    assert set(NAMES) <= set(dir(st))
    with pytest.raises(AttributeError, match="has no attribute 'load_modle'"):
        st.load_modle  # noqa: B018


def test_type_checkers_see_what_is_loaded() -> None:
    (block,) = [
        node
        for node in ast.parse(Path(st.__file__).read_text()).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    told = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom) and node.module
        module = node.module.removeprefix("spinetrack_synth.")
        for alias in node.names:
            told[alias.asname or alias.name] = f"{module}:{alias.name}"
    assert told == st._HOMES
    assert sorted(told) == sorted(NAMES)


def test_nothing_of_ours_imports_the_public_functions() -> None:
    of_api = re.compile(r"spinetrack_synth\.api\b|from spinetrack_synth import (?:\w+, )*api\b")
    for path in (ROOT / "spinetrack_synth").rglob("*.py"):
        assert path.name == "__init__.py" or not of_api.search(path.read_text()), path


def test_the_page_has_an_example_of_every_name() -> None:
    assert sorted(EXAMPLES) == sorted(NAMES)
    for name, block in EXAMPLES.items():
        assert f"st.{name}" in block, name


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=pytest.mark.slow) if name == "render_dataset" else name
    for name in EXAMPLES
])  # fmt: skip
def test_an_example_runs(
    name: str, stage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in NEEDS.get(name, ()):
        pytest.importorskip(module)
    shutil.copytree(stage, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    exec(compile(EXAMPLES[name], f"docs/api.md, {name}", "exec"), {"st": st})


def test_the_snippet_of_the_readme_runs(stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(stage)
    (block,) = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)
    names: dict[str, object] = {}
    exec(compile(block, "README.md", "exec"), names)
    assert isinstance(names["findings"], pd.DataFrame)


def test_motions_as_tables_are_those_of_the_csv_files(stage: Path, tmp_path: Path) -> None:
    model = st.load_model()
    for source in ("walk.mot", "walk.trc"):
        motion = st.read_motion(str(stage / source), model)
        st.write_motion(tmp_path / "table.csv", motion, model)
        file = pd.read_csv(tmp_path / "table.csv", index_col="time")
        frame = motion.to_frame()
        assert list(frame.columns) == list(file.columns)
        np.testing.assert_allclose(frame.index, file.index)
        np.testing.assert_allclose(frame, file, rtol=1e-8, atol=1e-8)


def test_ground_truth_is_shaped_and_named(stage: Path) -> None:
    flat = pd.read_parquet(stage / "OUT/ground_truth/train.parquet")
    truth = st.read_ground_truth(stage / "OUT")
    assert truth.index.tolist() == flat["annotation_id"].tolist()
    row, first = truth.iloc[-1], flat.iloc[-1]
    np.testing.assert_array_equal(row["keypoints_world"].ravel(), first["keypoints_world"])
    np.testing.assert_array_equal(row["world2cam"].ravel(), first["world2cam"])
    names = list(st.load_model().coordinates)
    np.testing.assert_array_equal(row[names].to_numpy(float), first["coordinates"])
    assert len(truth.attrs["keypoints"]) == 37
    with pytest.raises(st.UserError, match="is 'val' a split of"):
        st.read_ground_truth(stage / "OUT", "val")


def test_ground_truth_of_nobody_is_an_empty_table(stage: Path, tmp_path: Path) -> None:
    table = pq.read_table(stage / "OUT/ground_truth/train.parquet")
    (tmp_path / "ground_truth").mkdir()
    pq.write_table(table.slice(0, 0), tmp_path / "ground_truth/train.parquet")
    truth, full = st.read_ground_truth(tmp_path), st.read_ground_truth(stage / "OUT")
    assert len(truth) == 0 and list(truth.columns) == list(full.columns)


@pytest.mark.parametrize("content", [b"", b"nothing of the kind", None])
def test_what_is_no_ground_truth_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ground_truth/train.parquet"
    path.parent.mkdir()
    if content is None:
        pd.DataFrame({"a": [1]}).to_parquet(path)
    else:
        path.write_bytes(content)
    with pytest.raises(st.UserError, match=r"train\.parquet: no ground truth of a dataset"):
        st.read_ground_truth(tmp_path)


def test_findings_as_a_table(tmp_path: Path) -> None:
    coco = make_coco(project_people(3, 0))
    coco.annotations[1]["bbox"] = [0, 0, -5, 10]
    report = st.validate(write(tmp_path / "a.json", coco), select=["schema", "geometry"])
    frame = report.to_frame()
    assert len(frame) == len(report.findings) > 0
    one, row = report.findings[0], frame.iloc[0]
    assert (one.code, str(one.severity), one.key) == (row["code"], row["severity"], row["key"])
    assert set(frame["severity"]) <= {str(severity) for severity in Severity}
    assert set(frame.columns) == set(Finding.__dataclass_fields__) - {"fitted"}
    clean = st.validate(tmp_path / "a.json", select=["SPT001"]).to_frame()
    assert len(clean) == 0 and list(clean.columns) == list(frame.columns)


def test_evaluations_as_tables(tmp_path: Path) -> None:
    people = project_people(6, 1)
    labels = make_labels(people)
    results = make_results(labels, jitter(labels, 0.01, 2))[1:]
    path = write(tmp_path / "gt.json", make_coco(people))
    evaluation = st.evaluate(path, results)
    saved = st.evaluate(str(path), str(write(tmp_path / "p.json", make_coco(people), results)))
    pd.testing.assert_frame_equal(evaluation.people_frame(), saved.people_frame())
    assert evaluation.groups_frame().loc["spine", "AP"] == evaluation.precision["spine"]["AP"]
    found = evaluation.people_frame()["found"]
    assert found.index.tolist() == labels.ids.tolist()
    assert found.tolist() == [False] + [True] * 5
    keypoints = evaluation.keypoints_frame()
    assert keypoints.index.tolist() == list(labels.names)
    mean = evaluation.people_frame()["keypoint.left_hip.error"].mean()
    assert keypoints.loc["left_hip", "error"] == pytest.approx(mean)


def test_mistakes_are_told(tmp_path: Path) -> None:
    for options in ({}, {"predictions": "p.json", "model": "M.onnx"}):
        with pytest.raises(st.UserError, match="give predictions or model, one of them"):
            st.evaluate("gt.json", **options)
    with pytest.raises(st.UserError, match="name at least one file or folder"):
        st.validate()
    with pytest.raises(st.UserError, match="none: no folder"):
        st.validate("gt.json", images=tmp_path / "none")
