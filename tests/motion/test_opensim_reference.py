"""OpenSim as the reference: our fits read back by it, and its own of the same markers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from spinetrack_synth.anatomy.ik.setup_files import read_setup, read_tasks
from spinetrack_synth.anatomy.model import Tree, fullbody_path, load_model
from spinetrack_synth.cli.ik import command
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion import models, opensim_reference
from spinetrack_synth.motion.data import MarkerMotion
from spinetrack_synth.motion.fitting import fit
from spinetrack_synth.motion.opensim_reference import solution_at, tool_input
from spinetrack_synth.motion.storage import read_coordinates
from spinetrack_synth.motion.trc import write_trc
from spinetrack_synth.motion.trial import Request, prepare

PUBLISHED = Path(__file__).parents[3] / "shared/data/opensim-ik"
needs_published = pytest.mark.skipif(
    not PUBLISHED.is_dir(), reason="OpenSim's published example (../shared) is not here"
)

Ik = Callable[..., str]


@pytest.fixture
def files(tmp_path: Path, recording: MarkerMotion) -> tuple[object, ...]:
    """A recording that ends after 2 s: numbers of numpy's are not written as its types then."""
    times_s = recording.times_s + 2.0
    write_trc(tmp_path / "in.trc", MarkerMotion(recording.names, times_s, recording.positions_m))
    return ("--markers", tmp_path / "in.trc", "--out", tmp_path / "out.mot")


@pytest.mark.slow
def test_a_fit_is_checked_and_read_back_by_opensim(run_ik: Ik, files: tuple[object, ...]) -> None:
    pytest.importorskip("opensim")
    said = run_ik(*files, "--check", 2)
    assert "OpenSim on frames 6 to 7" in said and "0 frames fit worse" in said
    assert float(said.split("puts markers within ")[1].split()[0]) < 1e-4  # mm
    assert "OpenSim holds all 63 constraints" in said


def test_a_failed_check_does_not_cost_the_fit(
    tmp_path: Path, files: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("opensim")

    def fail(*_: object) -> None:
        raise UserError("OpenSim: its tool failed: no idea")

    monkeypatch.setattr(opensim_reference, "run_tool", fail)
    result = CliRunner().invoke(command, [*map(str, files), "--check", "2"])
    assert isinstance(result.exception, UserError)
    assert "the fit is written, but could not be checked: OpenSim: its tool" in str(
        result.exception
    )
    assert "wrote" in result.output
    assert {"out.mot", "out_marker_errors.csv"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.slow
def test_a_model_that_we_refuse_is_solved_by_opensim(
    run_ik: Ik, tmp_path: Path, files: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("opensim")
    usual = run_ik(*files, "--engine", "opensim")
    as_usual = (tmp_path / "out.mot").read_text()

    def refuse(path: Path) -> Tree:
        raise UserError(f"{path}: joint hip is a WormJoint, which is not supported")

    monkeypatch.setattr(models, "load_model", refuse)
    with pytest.raises(UserError, match=r"WormJoint.*not supported.*: --engine opensim$"):
        run_ik(*files)
    said = run_ik(*files, "--engine", "opensim")
    assert "12 frames, 37 markers: RMS" in said and "holds all 63 constraints" in said
    assert said.splitlines()[:1] == usual.splitlines()[:1]

    def numbers(text: str) -> tuple[list[str], np.ndarray]:
        labels, *rows = text.partition("endheader\n")[2].splitlines()
        return labels.split(), np.array([row.split() for row in rows], dtype=float)

    labels, table = numbers(as_usual)
    again = (tmp_path / "out.mot").read_text()
    stiff_labels, stiff = numbers(again)
    assert stiff_labels == labels
    if "inDegrees=yes" in again:  # ours are in radians, for the sake of the regional masters
        types = load_model(fullbody_path()).motion_type
        turning = np.array([False, *(kind == "Rotational" for kind in types)])
        stiff[:, turning] = np.radians(stiff[:, turning])
    np.testing.assert_allclose(stiff, table, atol=1e-6)


@needs_published
def test_the_published_motion_is_reproduced() -> None:
    pytest.importorskip("opensim")
    setup = read_setup(PUBLISHED / "subject01_Setup_InverseKinematics.xml")
    assert setup.model and setup.markers and setup.tasks
    trial = prepare(
        Request(setup.model, setup.markers, setup.tasks, time_range_s=setup.time_range_s)
    )
    published = read_coordinates(PUBLISHED / "std_subject01_walk1_ik.mot", trial.tree)
    found = fit(trial)
    columns = [trial.tree.coordinate_index[name] for name in published.names]
    apart = np.degrees(found.coordinates[:, columns] - published.values)[:, published.rotational]
    assert np.sqrt((apart**2).mean(axis=0)).mean() < 0.01


@needs_published
@pytest.mark.parametrize("tasks", ["gait2354_IK_Tasks.xml", "gait2354_IK_Tasks_uniform.xml"])
def test_no_frame_fits_worse_than_opensims(tasks: str) -> None:
    pytest.importorskip("opensim")
    from spinetrack_synth.motion.opensim_tool import run_tool

    setup = read_setup(PUBLISHED / "subject01_Setup_InverseKinematics.xml")
    assert setup.model and setup.markers
    request = Request(
        setup.model, setup.markers, read_tasks(PUBLISHED / tasks), time_range_s=(0.4, 0.7)
    )
    trial = prepare(request)
    ours = fit(trial)
    theirs = solution_at(trial, run_tool(tool_input(trial, setup.model)))
    assert np.all(ours.objective <= theirs.objective + 1e-12)
