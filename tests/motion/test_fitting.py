"""The command ik: files in, files out, and what it says about bad ones."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from commands import Run

from spinetrack_synth.anatomy.kinematics import marker_positions
from spinetrack_synth.anatomy.measure import measured_factors, scale_to_person
from spinetrack_synth.anatomy.model import Tree, fullbody_path, load_model
from spinetrack_synth.anatomy.scaling import scale_tree, with_marker_offsets
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import MarkerMotion
from spinetrack_synth.motion.marker_matching import is_slip
from spinetrack_synth.motion.storage import Storage, read_coordinates, read_storage, write_storage
from spinetrack_synth.motion.trc import read_trc, write_trc
from spinetrack_synth.skeleton import NAMES

Ik = Callable[..., str]


def test_markers_become_a_motion_that_gives_them_back(
    run_ik: Ik, tmp_path: Path, tree: Tree, truth: np.ndarray, recording: MarkerMotion
) -> None:
    write_trc(tmp_path / "in.trc", recording, "mm")
    said = run_ik("--markers", tmp_path / "in.trc", "--out", tmp_path / "out.mot")
    assert "12 frames, 37 markers: RMS 0.00 mm" in said
    assert "worst markers" in said
    motion = read_coordinates(tmp_path / "out.mot", tree)
    knee = motion.names.index("knee_angle_r")
    np.testing.assert_allclose(motion.values[:, knee], truth[:, knee], atol=1e-4)
    lumbar = motion.names.index("lumbar_extension")
    np.testing.assert_allclose(motion.values[:, lumbar], truth[:, lumbar], atol=1e-4)
    table = (tmp_path / "out_marker_errors.csv").read_text().splitlines()
    assert table[0].split(",")[:5] == ["time_s", "rms_mm", "max_mm", "worst", "nose"]
    assert len(table) == 13


@pytest.mark.parametrize("name", ["", ".", "walk.trc", "folder.mot", "taken.mot", "pipe"])
def test_nothing_but_a_motion_is_overwritten(
    tmp_path: Path, recording: MarkerMotion, monkeypatch: pytest.MonkeyPatch, run: Run, name: str
) -> None:
    import os

    monkeypatch.chdir(tmp_path)
    write_trc(Path("walk.trc"), recording)
    Path("folder.mot").mkdir()
    Path("taken_marker_errors.csv").mkdir()
    os.mkfifo("pipe")
    before = sorted(tmp_path.iterdir()), Path("walk.trc").read_bytes()
    code, out, err = run("ik", "--markers", "walk.trc", "--out", name)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ") and err.count("\n") == 1
    assert (sorted(tmp_path.iterdir()), Path("walk.trc").read_bytes()) == before
    assert Path("pipe").is_fifo()


@pytest.mark.parametrize(
    "option", [("--filter", "0"), ("--filter", "nan"), ("--prior", "inf"), ("--mass", "inf")]
)
def test_numbers_that_mean_nothing_are_told(
    tmp_path: Path, recording: MarkerMotion, run: Run, option: tuple[str, str]
) -> None:
    write_trc(trial := tmp_path / "walk.trc", recording)
    code, _, err = run("ik", "--markers", trial, "--scale", trial, *option, "--out", "walk.mot")
    assert code == 2 and err.startswith("Error: --") and err.count("\n") == 1


def test_times_that_are_no_seconds_are_noted(
    tmp_path: Path, recording: MarkerMotion, run: Run
) -> None:
    slow = dataclasses.replace(recording, times_s=1000 * recording.times_s)
    write_trc(tmp_path / "slow.trc", slow)
    said = run("ik", "--markers", tmp_path / "slow.trc", "--out", tmp_path / "slow.mot")
    assert said.code == 0 and "frames a second: are they seconds?" in said.err


def test_one_frame_is_enough(run_ik: Ik, tmp_path: Path, recording: MarkerMotion) -> None:
    one = MarkerMotion(recording.names, recording.times_s[:1], recording.positions_m[:1])
    write_trc(tmp_path / "in.trc", one)
    said = run_ik("--markers", tmp_path / "in.trc", "--out", tmp_path / "out.mot")
    assert "1 frames" in said


def spoil(recording: MarkerMotion, what: str) -> tuple[MarkerMotion, str]:
    names, positions = list(recording.names), recording.positions_m.copy()
    if what == "misspelt":
        names[names.index("left_knee")] = "left_kne"
    elif what == "strange":
        names = [f"point{i}" for i in range(len(names))]
    elif what == "empty":
        positions[:] = np.nan
    elif what == "units":
        positions *= 1000
    return MarkerMotion(tuple(names), recording.times_s, positions), what


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("misspelt", "marker 'left_kne' is not in the model .* nearest: 'left_knee'"),
        ("strange", r"none of its 37 markers \(point0, .*\) is in the model"),
        ("empty", "every marker is missing in every frame"),
        ("units", "numbers are millimetres but the file says m"),
    ],
)
def test_bad_markers_are_told_in_one_line(
    run_ik: Ik, tmp_path: Path, recording: MarkerMotion, what: str, message: str
) -> None:
    write_trc(tmp_path / "in.trc", spoil(recording, what)[0])
    with pytest.raises(UserError, match=message) as caught:
        run_ik("--markers", tmp_path / "in.trc", "--out", tmp_path / "out.mot")
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["in.trc"]


def write_tasks(path: Path, names: list[str]) -> Path:
    tasks = "".join(
        f'<IKMarkerTask name="{name}"><weight>1</weight></IKMarkerTask>' for name in names
    )
    path.write_text(f"<IKTaskSet><objects>{tasks}</objects></IKTaskSet>")
    return path


def test_a_misspelt_task_is_told_and_an_absent_marker_remarked_on(
    run_ik: Ik, tmp_path: Path, recording: MarkerMotion
) -> None:
    write_trc(tmp_path / "in.trc", recording)
    files = ("--markers", tmp_path / "in.trc", "--out", tmp_path / "out.mot", "--tasks")
    names = list(recording.names)
    names[names.index("left_knee")] = "left_knne"
    with pytest.raises(UserError, match=r"want marker 'left_knne'.* nearest: 'left_knee'"):
        run_ik(*files, write_tasks(tmp_path / "slip.xml", names))
    assert not (tmp_path / "out.mot").exists()
    said = run_ik(*files, write_tasks(tmp_path / "more.xml", [*recording.names, "Offset.Shank"]))
    assert "wanted by the tasks, not in" in said and "Offset.Shank" in said


def test_markers_at_nought_are_remarked_on(
    run_ik: Ik, tmp_path: Path, recording: MarkerMotion
) -> None:
    positions_m = recording.positions_m.copy()
    positions_m[3:5, 2] = 0.0
    write_trc(tmp_path / "in.trc", MarkerMotion(recording.names, recording.times_s, positions_m))
    said = run_ik("--markers", tmp_path / "in.trc", "--out", tmp_path / "out.mot")
    assert f"at 0 0 0, where some programs put a missing marker: {recording.names[2]}" in said


@pytest.mark.parametrize(
    ("line", "text", "message"),
    [
        (0, "Nonsense", "line 1: expected 'PathFileType'"),
        (2, "50\t50\t12\t37\tmiles\t50\t1\t12", "Units 'miles', expected m, cm, mm"),
        (2, "50\t50\t12\t36\tm\t50\t1\t12", "line 3 says 36 markers, line 4 names 37"),
        (7, "2\t0.02\tabc", "line 8, field 3: 'abc' is no number"),
        (7, "2\t0.0" + "\t0" * 111, "frame 2: its time does not follow"),
    ],
)
def test_damaged_marker_files_are_told_by_line(
    tmp_path: Path, recording: MarkerMotion, line: int, text: str, message: str
) -> None:
    path = tmp_path / "in.trc"
    write_trc(path, recording)
    lines = path.read_text().splitlines()
    lines[line] = text
    path.write_text("\n".join(lines))
    with pytest.raises(UserError, match=message):
        read_trc(path)


def test_marker_files_keep_gaps_and_numbers(tmp_path: Path, recording: MarkerMotion) -> None:
    positions = recording.positions_m.copy()
    positions[3, 5] = positions[:, -1] = np.nan
    for unit in ("m", "cm", "mm"):
        write_trc(
            tmp_path / "a.trc", MarkerMotion(recording.names, recording.times_s, positions), unit
        )
        back = read_trc(tmp_path / "a.trc")
        assert back.names == recording.names
        np.testing.assert_allclose(back.positions_m, positions, atol=1e-8)
        np.testing.assert_allclose(back.times_s, recording.times_s)


def test_storages_keep_their_numbers(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(4, 2))
    for in_degrees in (True, False):
        stored = Storage(("a", "b"), np.arange(4.0), values, in_degrees)
        write_storage(tmp_path / "a.sto", stored, "name")
        back = read_storage(tmp_path / "a.sto")
        assert (back.labels, back.in_degrees) == (stored.labels, in_degrees)
        np.testing.assert_allclose(back.values, values, rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "meant", "slip"),
    [
        ("R.ASIS", "R_asis", True), ("R.Acromum", "R.Acromium", True), ("Sternmu", "Sternum", True),
        ("RTH1", "RTH2", False), ("L.Knee.Lat", "R.Knee.Lat", False), ("thighA", "thighB", False),
        ("R.Knee.Lat", "R.Knee.Med", False), ("C7", "C6", False),
    ],
)  # fmt: skip
def test_slips_of_the_pen(name: str, meant: str, slip: bool) -> None:
    assert is_slip(name, meant) is slip


def test_a_person_is_measured(tree: Tree) -> None:
    factors = np.ones((len(tree.bodies), 3))
    for name in ("femur_r", "femur_l"):
        factors[tree.body_index[name]] = 1.1
    person = scale_tree(tree, factors)
    static = marker_positions(person, person.default_coordinates)[None]
    measured = measured_factors(tree, tree.marker_names, static)
    np.testing.assert_allclose(measured[tree.body_index["femur_r"]], 1.1)
    np.testing.assert_allclose(measured[tree.body_index["tibia_l"]], 1.0)
    assert scale_to_person(tree, measured, 80.0).mass_kg.sum() == pytest.approx(80.0)
    with pytest.raises(UserError, match="measures nothing"):
        measured_factors(tree, ["nose"], np.zeros((1, 1, 3)))


def test_scaling_equals_opensims_scale_tool(tree: Tree, tmp_path: Path) -> None:
    opensim = pytest.importorskip("opensim")
    from spinetrack_synth.anatomy.measure import KEYPOINT_MEASUREMENTS

    rng = np.random.default_rng(3)
    person = scale_tree(tree, rng.uniform(0.9, 1.1, (len(tree.bodies), 3)))
    static = marker_positions(person, person.default_coordinates)[None].repeat(3, axis=0)
    static += rng.normal(0, 0.002, static.shape)
    write_trc(tmp_path / "static.trc", MarkerMotion(tree.marker_names, np.arange(3) / 10, static))
    sets = ""
    for m in KEYPOINT_MEASUREMENTS:
        pairs = "".join(f"<MarkerPair><markers>{a} {b}</markers></MarkerPair>" for a, b in m.pairs)
        bodies = "".join(
            f'<BodyScale name="{b}"><axes>{" ".join(m.axes)}</axes></BodyScale>' for b in m.bodies
        )
        sets += (
            f'<Measurement name="{m.name}"><apply>true</apply><MarkerPairSet><objects>{pairs}'
            f"</objects></MarkerPairSet><BodyScaleSet><objects>{bodies}</objects></BodyScaleSet>"
            "</Measurement>"
        )
    (tmp_path / "scale.xml").write_text(
        '<?xml version="1.0"?><OpenSimDocument Version="40000"><ScaleTool name="s"><mass>70</mass>'
        f"<GenericModelMaker><model_file>{fullbody_path()}</model_file></GenericModelMaker>"
        "<ModelScaler><apply>true</apply><scaling_order>measurements</scaling_order>"
        f"<MeasurementSet><objects>{sets}</objects></MeasurementSet>"
        "<marker_file>static.trc</marker_file><time_range>0 0.2</time_range>"
        "<preserve_mass_distribution>true</preserve_mass_distribution>"
        "<output_model_file>scaled.osim</output_model_file></ModelScaler>"
        "<MarkerPlacer><apply>false</apply></MarkerPlacer></ScaleTool></OpenSimDocument>"
    )
    opensim.Logger.setLevelString("Off")
    opensim.Logger.removeFileSink()
    opensim.ScaleTool(str(tmp_path / "scale.xml")).run()
    theirs = load_model(tmp_path / "scaled.osim")
    factors = measured_factors(
        tree, tree.marker_names, read_trc(tmp_path / "static.trc").positions_m
    )
    ours = scale_to_person(tree, factors, 70.0)
    np.testing.assert_allclose(
        marker_positions(ours, tree.default_coordinates),
        marker_positions(theirs, tree.default_coordinates),
        atol=1e-5,
    )
    np.testing.assert_allclose(ours.mass_kg, theirs.mass_kg, rtol=1e-5)


def test_rendered_people_give_back_their_coordinates(
    run_ik: Ik, tmp_path: Path, tree: Tree, truth: np.ndarray
) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    rng = np.random.default_rng(2)
    rows = [tree.marker_index[name] for name in NAMES]
    data: dict[str, list] = {
        key: []
        for key in (
            "annotation_id", "subject", "keypoints_world", "scale_factors", "keypoint_offsets",
        )
    }  # fmt: skip
    people = {}
    for name in ("anna", "bert"):
        factors = rng.uniform(0.9, 1.1, (len(tree.bodies), 3))
        scaled = scale_tree(tree, factors)
        offsets = scaled.marker_offset_m[rows] + rng.normal(0, 0.01, (37, 3))
        own = dict(zip(NAMES, offsets))
        people[name] = (factors, offsets, with_marker_offsets(scaled, own))
    for i, q in enumerate(truth):
        name = ("anna", "bert")[i % 2]
        factors, offsets, person = people[name]
        data["annotation_id"].append(100 + i)
        data["subject"].append(name)
        data["keypoints_world"].append(marker_positions(person, q)[rows].ravel().tolist())
        data["scale_factors"].append(factors.ravel().tolist())
        data["keypoint_offsets"].append(offsets.ravel().tolist())
    table = pa.table(data).replace_schema_metadata(
        {"bodies": json.dumps(tree.bodies), "keypoints": json.dumps(NAMES)}
    )
    pq.write_table(table, tmp_path / "train.parquet")
    said = run_ik("--markers", tmp_path / "train.parquet", "--out", tmp_path / "out.mot")
    assert "RMS 0.00 mm" in said
    found = read_coordinates(tmp_path / "out.mot", tree)
    for name in ("knee_angle_l", "lumbar_extension", "thoracic_bending", "hip_flexion_r"):
        column = found.names.index(name)
        np.testing.assert_allclose(found.values[:, column], truth[:, column], atol=1e-4)
    assert (tmp_path / "out_marker_errors.csv").read_text().splitlines()[1].startswith("100,anna,")


def test_coordinates_that_markers_hardly_show_are_named(
    run_ik: Ik, tmp_path: Path, truth: np.ndarray
) -> None:
    free = load_model(fullbody_path(coupled=False))
    exact_m = np.array([marker_positions(free, q) for q in truth])
    noisy_m = exact_m + np.random.default_rng(1).normal(0, 0.005, exact_m.shape)
    write_trc(tmp_path / "in.trc", MarkerMotion(free.marker_names, np.arange(12) / 50, noisy_m))
    where = ("--model", fullbody_path(coupled=False), "--markers", tmp_path / "in.trc")
    said = run_ik(*where, "--out", tmp_path / "out.mot")
    assert "say next to nothing about" in said and "--prior 5" in said
    assert "say next to nothing" not in run_ik(*where, "--out", tmp_path / "o.mot", "--prior", 5)


def test_a_marker_that_comes_and_goes_bends_no_neck(
    run_ik: Ik, tmp_path: Path, tree: Tree, truth: np.ndarray
) -> None:
    """The person's markers lie off the model's; with --filter auto a gap is filled before the fit,
    and what was met is kept in the motion's header."""
    moved = {
        name: tree.marker_offset_m[tree.marker_index[name]] + [0.0, 0.0, 0.012]
        for name in ("left_ear", "neck")
    }
    person = with_marker_offsets(tree, moved)
    still = np.array([marker_positions(person, truth[0])] * 60)
    still += np.random.default_rng(0).normal(0, 0.001, still.shape)
    still[20:40, tree.marker_index["neck"]] = np.nan
    write_trc(tmp_path / "m.trc", MarkerMotion(tree.marker_names, np.arange(60) / 100, still))
    said = run_ik("--markers", tmp_path / "m.trc", "--filter", "auto", "--out", tmp_path / "m.mot")
    assert "gaps filled from neighbouring points: neck 33%" in said
    found = read_coordinates(tmp_path / "m.mot", tree)
    neck = [
        i
        for i, name in enumerate(found.names)
        if name in ("cervical_extension", "cervical_bending")
    ]
    jump = np.abs(found.values[30, neck] - found.values[5, neck])
    assert np.degrees(jump).max() < 1.0
    assert found.residuals is not None and found.residuals.rms_mm < 5
