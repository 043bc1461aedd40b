"""Locks on files: one holder at a time, and the dead hold nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from spinetrack_synth.errors import UserError
from spinetrack_synth.locking import file_lock

HOLDER = """
import sys
from pathlib import Path
from spinetrack_synth.locking import file_lock
with file_lock(Path(sys.argv[1]), "taken"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_has_one_holder_and_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    for _ in range(2):
        with file_lock(path, "first"):
            assert path.exists()
            with pytest.raises(UserError, match=r"^taken: wait$"), file_lock(path, "taken: wait"):
                pass
        assert not path.exists()


def test_the_lock_of_a_dead_process_is_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(UserError, match="taken"), file_lock(path, "taken"):
            pass
        holder.kill()
        holder.wait()
        assert path.exists()
        with file_lock(path, "taken"):
            pass
    assert not path.exists()


def test_a_lock_is_let_go_where_its_holder_fails(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with pytest.raises(ZeroDivisionError), file_lock(path, "taken"):
        raise ZeroDivisionError
    with file_lock(path, "taken"):
        pass


def test_a_folder_that_is_not_there_or_refuses_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError) as error, file_lock(tmp_path / "file" / ".lock", "taken"):
        pass
    assert error.value.strerror
