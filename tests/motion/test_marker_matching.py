"""Names of markers that are spelt otherwise, and what is offered for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from spinetrack_synth.anatomy.kinematics import marker_positions
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.cli.ik import command
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import MarkerMotion
from spinetrack_synth.motion.marker_matching import as_in_model, check_names, respelt, without
from spinetrack_synth.motion.trc import write_trc
from spinetrack_synth.skeleton import NAMES


def run_ik(*arguments: object) -> str:
    result = CliRunner().invoke(command, [*map(str, arguments)])
    if result.exception:
        raise result.exception
    return result.output


def standing(tree: Tree, names: list[str]) -> MarkerMotion:
    """Two frames of the 37 keypoints at rest, under other names."""
    at_rest = marker_positions(tree, tree.default_coordinates)
    points = at_rest[[tree.marker_index[name] for name in NAMES]]
    return MarkerMotion(tuple(names), np.arange(2) / 100, np.array([points, points]), "x.trc")


@pytest.mark.parametrize(
    ("names", "among", "meant"),
    [
        (["NOSE", "Neck"], ["nose", "neck"], {"NOSE": "nose", "Neck": "neck"}),
        (["Anna:LASI", "a|b:rasi"], ["LASI", "RASI"], {"Anna:LASI": "LASI", "a|b:rasi": "RASI"}),
        (["A:LASI", "B:LASI"], ["LASI"], {}),
        (["lasi", "LASI"], ["LASI"], {}),
        (["lasi"], ["LASI", "Lasi"], {}),
        (["L.ASI"], ["LASI"], {}),
    ],
)
def test_case_and_prefix_do_not_matter_where_it_is_clear(
    names: list[str], among: list[str], meant: dict[str, str]
) -> None:
    assert respelt(names, among) == meant


@pytest.mark.parametrize("spell", [str.upper, lambda name: f"Subject 01:{name}"])
def test_a_recording_that_is_spelt_otherwise_is_fitted_and_that_is_said(
    tree: Tree, tmp_path: Path, spell
) -> None:
    write_trc(tmp_path / "in.trc", standing(tree, [spell(name) for name in NAMES]))
    tasks = "".join(
        f'<IKMarkerTask name="{spell(name)}"><weight>2</weight></IKMarkerTask>' for name in NAMES
    )
    (tmp_path / "tasks.xml").write_text(f"<IKTaskSet><objects>{tasks}</objects></IKTaskSet>")
    said = run_ik(
        "--markers", tmp_path / "in.trc", "--out", tmp_path / "out.mot",
        "--tasks", tmp_path / "tasks.xml",
    )  # fmt: skip
    assert f"spelt otherwise in the model and read so: {spell('nose')} - nose" in said
    assert "2 frames, 37 markers: RMS 0.00 mm" in said


def test_near_names_are_offered_and_others_are_not(tree: Tree) -> None:
    names = list(NAMES)
    names[NAMES.index("left_knee")] = "l_knee_lateral"
    names[NAMES.index("left_heel")] = "Offset.Shank"
    names[NAMES.index("nose")] = "nose_tip"
    (remark,) = check_names(tree, standing(tree, names))
    assert "left out: nose_tip, l_knee_lateral, Offset.Shank" in remark
    assert "Offset" not in remark.partition("nearest")[2]
    (remark,) = check_names(tree, standing(tree, [*names[:-1], "T99"]))
    assert "T99" not in remark.partition("nearest")[2]


def test_the_other_side_is_never_nearest(tree: Tree) -> None:
    names = ["right_kneecap" if name == "left_knee" else name for name in NAMES]
    (remark,) = check_names(tree, standing(tree, names))
    assert "'right_kneecap' - 'left" not in remark


def test_a_recording_of_another_model_says_what_both_have(tree: Tree) -> None:
    strange = standing(tree, [f"point{i}" for i in range(37)])
    with pytest.raises(UserError, match=r"none of its 37 .*it has nose, left_eye") as caught:
        check_names(tree, strange)
    assert "nearest" not in str(caught.value)


def test_markers_are_left_out_by_name(tree: Tree, tmp_path: Path) -> None:
    names = ["left_kne" if name == "left_knee" else name for name in NAMES]
    write_trc(tmp_path / "in.trc", standing(tree, names))
    files = ("--markers", tmp_path / "in.trc", "--out", tmp_path / "out.mot")
    with pytest.raises(UserError, match=r"'left_kne' .* or give --leave-out 'left_kne'"):
        run_ik(*files)
    said = run_ik(*files, "--leave-out", "left_kne", "--leave-out", "nose")
    assert "2 frames, 35 markers" in said
    with pytest.raises(UserError, match=r"--leave-out Nose: .* no such marker; nearest: nose"):
        run_ik(*files, "--leave-out", "Nose")


def test_of_two_people_one_is_left_out(tree: Tree, tmp_path: Path) -> None:
    one = standing(tree, [f"Ann:{name}" for name in NAMES])
    names = (*one.names, *(f"Ben:{name}" for name in NAMES))
    both = MarkerMotion(names, one.times_s, np.concatenate([one.positions_m] * 2, axis=1))
    write_trc(tmp_path / "in.trc", both)
    files = ("--markers", tmp_path / "in.trc", "--out", tmp_path / "out.mot")
    with pytest.raises(UserError, match=r"2 people \(Ann, Ben\): .* with --leave-out 'Ben:\*'"):
        run_ik(*files)
    assert "2 frames, 37 markers: RMS 0.00 mm" in run_ik(*files, "--leave-out", "Ben:*")
    with pytest.raises(UserError, match=r"--leave-out Tom:\*: .* has no such marker"):
        run_ik(*files, "--leave-out", "Tom:*")


def test_no_marker_left_is_an_error(tree: Tree) -> None:
    with pytest.raises(UserError, match="no marker is left"):
        without(standing(tree, list(NAMES)), NAMES)


def test_names_of_the_model_stay(tree: Tree) -> None:
    recording = standing(tree, list(NAMES))
    assert as_in_model(tree, recording) == (recording, ())
