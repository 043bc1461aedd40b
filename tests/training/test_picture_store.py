"""Stores are made once, whole or in parts that are whole, and read alike by everybody."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from spinetrack_synth.errors import UserError
from spinetrack_synth.training.picture_store import PART, Entry, PictureStore

COUNT = 2 * PART + 5


def content(row: int) -> Entry:
    return [b"picture %d" % row, b"" if row % 2 else b"mask", b"12345678"]


def made(folder: Path, seen: list[int] | None = None) -> PictureStore:
    store = PictureStore(folder, COUNT, 3)

    def entries(rows: range) -> Iterator[Entry]:
        for row in rows:
            if seen is not None:
                seen.append(row)
            yield content(row)

    store.make(entries, None)
    return store


def test_entries_come_back_as_they_were_made(tmp_path: Path) -> None:
    store = made(tmp_path / "store")
    travelled = pickle.loads(pickle.dumps(store))
    for row in (0, 1, PART - 1, PART, COUNT - 1):
        for field, expected in enumerate(content(row)):
            assert store.read(row, field).tobytes() == expected
            assert travelled.read(row, field).tobytes() == expected


def test_what_is_there_is_not_made_again_and_what_is_damaged_is(tmp_path: Path) -> None:
    made(tmp_path)
    seen: list[int] = []
    made(tmp_path, seen)
    assert not seen
    part = tmp_path / "00001.part"
    part.write_bytes(part.read_bytes()[:-1])
    store = made(tmp_path, seen)
    assert seen == list(range(PART, 2 * PART))
    assert store.read(PART, 0).tobytes() == content(PART)[0]


def test_of_several_at_once_one_makes_and_the_others_wait(tmp_path: Path) -> None:
    seen: list[int] = []
    with ThreadPoolExecutor(4) as threads:
        stores = list(threads.map(lambda _: made(tmp_path, seen), range(4)))
    assert sorted(seen) == list(range(COUNT))
    assert all(store.read(COUNT - 1, 0).tobytes() == content(COUNT - 1)[0] for store in stores)


def test_a_mistake_on_the_way_leaves_what_is_done(tmp_path: Path) -> None:
    def broken(rows: range) -> Iterator[Entry]:
        for row in rows:
            if row == PART + 3:
                raise UserError("000.png: cannot be read")
            yield content(row)

    store = PictureStore(tmp_path, COUNT, 3)
    with pytest.raises(UserError, match=r"000\.png"):
        store.make(broken, None)
    assert store.missing() == [1, 2]
    seen: list[int] = []
    made(tmp_path, seen)
    assert seen == list(range(PART, COUNT))


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="the cache cannot be written"):
        made(tmp_path / "file" / "store")


def test_a_part_that_is_gone_when_it_is_needed_is_told(tmp_path: Path) -> None:
    store = made(tmp_path)
    (tmp_path / "00000.part").unlink()
    with pytest.raises(UserError, match=r"00000\.part: .*run the same command again"):
        store.read(0, 0)


KILLED = """
import os, signal, sys
from pathlib import Path
from spinetrack_synth.training.picture_store import PART, PictureStore
def entries(rows):
    for row in rows:
        if row == PART + 7:
            os.kill(os.getpid(), signal.SIGKILL)
        yield [b"picture %d" % row, b"" if row % 2 else b"mask", b"12345678"]
PictureStore(Path(sys.argv[1]), 2 * PART + 5, 3).make(entries, None)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_kill_costs_one_part(tmp_path: Path) -> None:
    assert subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)]).returncode == -9
    seen: list[int] = []
    store = made(tmp_path, seen)
    assert seen == list(range(PART, COUNT))
    assert store.read(PART + 7, 0).tobytes() == content(PART + 7)[0]
