"""TRC files: what headers say and rows hold, units, files that were cut off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.axes import Convention
from spinetrack_synth.motion.trc import read_trc

KEYS = (
    "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame"
    "\tOrigNumFrames"
)
SAID = "100\t100\t3\t2\tmm\t100\t1\t3"
ROWS = "".join(f"{k + 1}\t{k / 100}\t1{k}.25\t950.5\t3.5\t4.25\t5.5\t60{k}.75\n" for k in range(3))


def written(
    tmp_path: Path, said: str = SAID, rows: str = ROWS, names: str = "A\t\t\tB\t\t"
) -> Path:
    path = tmp_path / "a.trc"
    path.write_text(
        f"PathFileType\t4\t(X/Y/Z)\ta.trc\n{KEYS}\n{said}\nFrame#\tTime\t{names}\n"
        f"\t\tX1\tY1\tZ1\tX2\tY2\tZ2\n\n{rows}"
    )
    return path


@pytest.mark.parametrize(
    ("unit", "metres"), [("mm", 1e-3), ("MM", 1e-3), ("meters", 1.0), ("in", 0.0254)]
)
def test_units_go_by_their_names(tmp_path: Path, unit: str, metres: float) -> None:
    motion = read_trc(written(tmp_path, SAID.replace("mm", unit)))
    np.testing.assert_allclose(motion.positions_m[0, 0], np.array([10.25, 950.5, 3.5]) * metres)
    assert motion.notes == ()


def test_the_user_overrules_the_header(tmp_path: Path) -> None:
    path = written(tmp_path, SAID.replace("mm", "furlong"))
    motion = read_trc(path, Convention(unit="cm", axes="z-up"))
    np.testing.assert_allclose(motion.positions_m[0, 0], [0.1025, 0.035, -9.505])
    with pytest.raises(UserError, match="line 3: Units 'furlong', expected m, cm, mm"):
        read_trc(path)


@pytest.mark.parametrize(
    "said",
    [
        "  100\t\t  100\t\t 3\t\t 2\t\t mm\t 100\t 1\t 3",
        "100 100 3 2 mm 100 1 3",
        "100\t100\t3\t2\tmm\t\t\t",
    ],
)
def test_values_of_the_header_stand_anyhow(tmp_path: Path, said: str) -> None:
    motion = read_trc(written(tmp_path, said))
    np.testing.assert_allclose(motion.positions_m[0, 1], [0.00425, 0.0055, 0.60075])
    assert motion.notes == ()


def test_rows_may_begin_with_a_tab_and_names_lie_between_blanks(tmp_path: Path) -> None:
    rows = "".join(f"\t{line}\n" for line in ROWS.splitlines())
    motion = read_trc(written(tmp_path, rows=rows, names="A       B"))
    assert motion.names == ("A", "B")
    assert len(motion.times_s) == 3


def test_commas_may_part_the_fields(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(
        "".join(f"{line},,,\n" for line in path.read_text().splitlines()).replace("\t", ",")
    )
    motion = read_trc(path)
    assert motion.names == ("A", "B")
    np.testing.assert_allclose(motion.positions_m[2, 1], [0.00425, 0.0055, 0.60275])
    assert motion.notes == ()


def test_frames_that_are_not_there_are_noted(tmp_path: Path) -> None:
    motion = read_trc(written(tmp_path, SAID.replace("\t3\t2", "\t61\t2")))
    assert motion.notes == ("its header says 61 frames, there are 3: the file may be cut off",)


@pytest.mark.parametrize("rows", [ROWS[:-9], ROWS[:-25], ROWS[:-5]])
def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, rows: str) -> None:
    with pytest.raises(UserError, match="cut off"):
        read_trc(written(tmp_path, rows=rows))


@pytest.mark.parametrize("number", ["1e400", "-inf", "1e30"])
@pytest.mark.filterwarnings("error")
def test_numbers_beyond_range_are_one_line(tmp_path: Path, number: str) -> None:
    with pytest.raises(UserError, match=r"row 2, A Y: .* is beyond every length"):
        read_trc(written(tmp_path, rows=ROWS.replace("11.25\t950.5", f"11.25\t{number}")))
