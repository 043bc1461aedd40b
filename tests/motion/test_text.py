"""Text files: encodings, line ends, tables of numbers and files that were cut off."""

from __future__ import annotations

import codecs
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.text import (
    check_range,
    ends_with_line_break,
    numbers,
    read_lines,
    read_table,
    said_and_found,
)

TEXT = "Hüfte\tKnie\n1\t2\n\n3\t4\n"
LINES = ["Hüfte\tKnie", "1\t2", "", "3\t4"]


@pytest.mark.parametrize(
    "encoded",
    [
        TEXT.encode("utf-8"),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-32"),
        "Knie\n".encode("utf-16-le"),
        "Knie\n".encode("utf-16-be"),
        TEXT.encode("cp1252"),
        TEXT.replace("\n", "\r\n").encode("utf-8"),
        TEXT.replace("\n", "\r").encode("utf-8"),
        TEXT.replace("\n", "\r\n").encode("utf-16"),
    ],
)
def test_any_encoding_and_line_end_gives_the_same_lines(tmp_path: Path, encoded: bytes) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(encoded)
    assert read_lines(path) in (LINES, ["Knie"])
    assert ends_with_line_break(path)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_without_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("bytes") / "a.txt"
    path.write_bytes(content)
    assert all(isinstance(line, str) for line in read_lines(path))


@pytest.mark.parametrize("end", ["", " ", "\t", "\x1a"])
def test_an_open_end_is_seen(tmp_path: Path, end: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text("1 2\n3 4" + end)
    assert not ends_with_line_break(path)
    path.write_text("1 2\n3 4\n" + end)
    assert ends_with_line_break(path)


def table(path: Path, text: str, blank: float | None = None, columns: int = 5) -> np.ndarray:
    path.write_text(text)
    return read_table(read_lines(path), columns, path, first=1, blank=blank)


ROWS = "".join(
    f"{k}\t{k / 10}\t{1.5 + k / 1000:.6f}\t2.5\t{-1.4207 - k / 1000:.6f}\n" for k in range(5)
)


def test_a_file_that_ends_within_a_row_or_a_number_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    whole = table(path, ROWS)
    last = ROWS.rstrip("\n").rpartition("\n")[2]
    for cut in range(1, len(last)):
        text = ROWS[: -1 - cut]
        for blank in (None, np.nan):
            try:
                found = table(path, text, blank)
            except UserError as error:
                assert "cut off" in str(error)
            else:  # what is lost is finer than the file's own steps
                np.testing.assert_allclose(found, whole, atol=0.003)


def test_a_file_without_a_last_line_break_is_whole_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    np.testing.assert_array_equal(table(path, ROWS[:-1]), table(path, ROWS))


def test_a_row_may_leave_out_whole_points_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    found = table(path, "1\t0\n1\t0\t1\t2\t3\n2\t1\t1\t2\t3\t4\t5\t6\n"[4:], np.nan, columns=8)
    assert np.isnan(found[0, 5:]).all()
    with pytest.raises(UserError, match="line 1: 6 fields, expected 8"):
        table(path, "1\t0\t1\t2\t3\t4\n", np.nan, columns=8)


def test_numbers_beyond_all_range_are_refused() -> None:
    check_range(np.array([[1e8, np.nan]]), ["a", "b"], "f")
    with pytest.raises(UserError, match="f, row 2, b: 1e\\+30 is beyond every length and angle"):
        check_range(np.array([[0.0, 0.0], [0.0, 1e30]]), ["a", "b"], "f")
    with pytest.raises(UserError, match="row 1, a: inf is beyond"):
        check_range(np.array([[float("1e400"), 0.0]]), ["a", "b"], "f")


def test_counts_that_disagree_are_told() -> None:
    assert said_and_found("61", 61) == ()
    assert said_and_found(None, 61) == said_and_found("many", 61) == said_and_found("inf", 1) == ()
    assert said_and_found("61", 40) == (
        "its header says 61 frames, there are 40: the file may be cut off",
    )
    assert said_and_found("2", 3, "columns") == ("its header says 2 columns, there are 3",)


def test_numbers_that_only_python_reads_are_refused() -> None:
    with pytest.raises(UserError, match="line 7, field 2: '1_000' is no number"):
        numbers("0\t1_000", 2, "a.trc, line 7", np.nan)
