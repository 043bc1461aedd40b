"""OpenSim's set-ups of inverse kinematics and their tasks, in all the layouts that there are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spinetrack_synth.anatomy.ik.setup_files import read_setup, read_tasks
from spinetrack_synth.errors import UserError

TASKS = (
    "<IKTaskSet><objects><IKMarkerTask name='a'><weight>2</weight></IKMarkerTask></objects>"
    "</IKTaskSet>"
)


def trial(name: str) -> str:
    return (
        f"<IKTrial name='{name}'><marker_file> {name}.trc </marker_file><coordinate_file/>"
        f"<time_range> 0.5 1.5 </time_range><output_motion_file>{name}.mot</output_motion_file>"
        "</IKTrial>"
    )


def old_setup(path: Path, *trials: str) -> Path:
    path.write_text(
        f"<IKTool name='s'><model_file> Unassigned </model_file>{TASKS}<IKTrialSet name=''>"
        f"<objects>{''.join(map(trial, trials))}</objects></IKTrialSet></IKTool>"
    )
    return path


def test_a_setup_of_opensim_2_with_one_trial_is_read(tmp_path: Path) -> None:
    setup = read_setup(old_setup(tmp_path / "ik.xml", "walk"))
    assert setup.model is None
    assert (setup.markers, setup.output) == (tmp_path / "walk.trc", tmp_path / "walk.mot")
    assert setup.time_range_s == (0.5, 1.5) and setup.coordinates is None
    assert setup.tasks and setup.tasks.marker_weights == {"a": 2.0}


def test_of_several_trials_the_one_of_the_markers_is_taken_or_asked_for(tmp_path: Path) -> None:
    path = old_setup(tmp_path / "ik.xml", "walk", "run")
    assert read_setup(path, Path("elsewhere/run.trc")).output == tmp_path / "run.mot"
    assert read_setup(path, Path("other.trc")).time_range_s is None
    with pytest.raises(UserError, match=r"2 trials: give --markers and --out .*walk.trc, run.trc"):
        read_setup(path)


def test_opensim_2s_tool_without_trials_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ik.xml"
    path.write_text(
        f"<OpenSimDocument Version='20302'><IKTool><model_file>m.osim</model_file>{TASKS}"
        "<marker_file>..\\trials\\walk.trc</marker_file></IKTool></OpenSimDocument>"
    )
    setup = read_setup(path)
    assert setup.model == tmp_path / "m.osim"
    assert setup.markers == tmp_path / "../trials/walk.trc"
    assert read_tasks(path).marker_weights == {"a": 2.0}


@pytest.mark.parametrize(
    ("text", "span"),
    [("0.5 1.5", (0.5, 1.5)), ("-1 -1", None), ("-Inf Inf", (-np.inf, np.inf)), ("", None)],
)
def test_time_ranges_as_tools_write_them(
    tmp_path: Path, text: str, span: tuple[float, float] | None
) -> None:
    path = old_setup(tmp_path / "ik.xml", "walk")
    path.write_text(path.read_text().replace(" 0.5 1.5 ", text))
    assert read_setup(path).time_range_s == span


def test_a_time_range_that_ends_before_it_begins_is_told(tmp_path: Path) -> None:
    path = old_setup(tmp_path / "ik.xml", "walk")
    path.write_text(path.read_text().replace(" 0.5 1.5 ", "2 1"))
    with pytest.raises(UserError, match="time_range 2 to 1: ends before it begins"):
        read_setup(path)


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        ("ScaleTool", "a set-up of OpenSim's ScaleTool: give it as --scale-setup"),
        ("MarkerSet", "give it as --markers-on"),
        ("Model", "give it as --model"),
        ("AnalyzeTool", "no <InverseKinematicsTool> in it"),
    ],
)
def test_what_is_given_in_a_setups_place_is_named(tmp_path: Path, tag: str, message: str) -> None:
    path = tmp_path / "a.xml"
    path.write_text(f"<OpenSimDocument Version='40000'><{tag}/></OpenSimDocument>")
    with pytest.raises(UserError, match=message):
        read_setup(path)


def test_tasks_of_opensim_are_read(tmp_path: Path) -> None:
    path = tmp_path / "tasks.xml"
    path.write_text(
        "<IKTaskSet><objects>"
        '<IKMarkerTask name="a"><apply> true </apply><weight>2</weight></IKMarkerTask>'
        '<IKMarkerTask name="b"><apply>false</apply><weight>3</weight></IKMarkerTask>'
        '<IKCoordinateTask name="c"><weight>0.5</weight><value_type>manual_value</value_type>'
        "<value>0.1</value></IKCoordinateTask></objects></IKTaskSet></OpenSimDocument>"
    )
    tasks = read_tasks(path)
    assert tasks.marker_weights == {"a": 2.0}
    assert (tasks.coordinates[0].kind, tasks.coordinates[0].value) == ("manual_value", 0.1)
    task = '<IKMarkerTask name="a"><weight>heavy</weight></IKMarkerTask>'
    path.write_text(f"<IKTaskSet><objects>{task}</objects></IKTaskSet>")
    with pytest.raises(UserError, match="task a: weight: 'heavy' is no number"):
        read_tasks(path)
    with pytest.raises(UserError, match="no <InverseKinematicsTool>"):
        read_setup(path)
