"""Tables of a run go on where the run goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from spinetrack_synth.training.log import StepLog, read_rows, write_rows

COLUMNS = ("step", "loss", "labels")


def test_rows_after_the_step_that_is_gone_on_from_are_written_again(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    with StepLog(path, COLUMNS, 0) as log:
        for step in (1, 2, 3):
            log.add({"step": step, "loss": step / 10, "labels": 1.0})
    with StepLog(path, COLUMNS, 2) as log:
        assert [row["step"] for row in read_rows(path)] == ["1", "2"]
        log.add({"step": 3, "loss": 0.5})
        log.flush()
        assert read_rows(path)[-1] == {"step": "3", "loss": "0.5", "labels": ""}


@pytest.mark.parametrize("torn", ["3", "3,0.", "3,0.1,2", "\0\0\0\n", "x,1,1\n"])
def test_a_line_that_a_kill_tore_counts_for_nothing(tmp_path: Path, torn: str) -> None:
    path = tmp_path / "log.csv"
    write_rows(path, COLUMNS, [{"step": step, "loss": 0.5, "labels": 1} for step in (1, 2)])
    with path.open("a") as stream:
        stream.write(torn)
    assert [row["step"] for row in read_rows(path)] == ["1", "2"]


def test_there_is_nothing_in_a_log_that_is_not_there(tmp_path: Path) -> None:
    assert read_rows(tmp_path / "log.csv") == []
