"""Functions that other processes compile beside a command: all that it calls, and each once."""

import json
import os
import subprocess
import sys
import threading
from importlib import import_module
from inspect import signature
from pathlib import Path

import pytest
from compiled_functions import signatures
from numba import types
from numba.core import config

from spinetrack_synth.compiled import ahead, njit
from spinetrack_synth.compiled.cache import kept_functions

BEGIN = """
import json, sys, time
from pathlib import Path
from spinetrack_synth.compiled import ahead
from spinetrack_synth.compiled.cache import kept_functions

ahead.begin("few", Path(sys.argv[1]))
wanted = {"support_polygon.ascending", "support_polygon.hull"}
deadline = time.monotonic() + 200
while not wanted <= kept_functions() and time.monotonic() < deadline:
    time.sleep(0.05)
from spinetrack_synth.poses.contact_solver.support_polygon import hull
import numpy as np
print(json.dumps([hull(np.array([[0.0, 0], [1, 0], [0, 1], [0.2, 0.2]])).shape[0],
                  len(hull.stats.cache_hits)]))
"""

FEW = """few poses.contact_solver.support_polygon.gone float64
few poses.contact_solver.support_polygon.hull float64[1] float64 float64
few poses.contact_solver.support_polygon.ascending float64[1]
few poses.contact_solver.support_polygon.hull float64[2]
"""


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    return tmp_path


def commands_of(text: str) -> list[str]:
    """In the order in which they stand in the table."""
    kinds = [line.split()[0] for line in text.splitlines()]
    names = (name for kind in kinds if kind != "record" for name in kind.split(","))
    return list(dict.fromkeys(names))


def test_the_table_says_what_its_script_would_write():
    text = ahead.TABLE.read_text()
    rows = {command: ahead.read_table(command) for command in commands_of(text)}
    assert sorted(ahead.written(rows)) == sorted(text.splitlines())


@pytest.mark.parametrize("command", commands_of(ahead.TABLE.read_text()))
def test_every_row_is_a_function_of_so_many_arguments(command):
    rows = ahead.read_table(command)
    assert rows
    for row in rows:
        module = import_module(f"spinetrack_synth.{row.module}")
        function = getattr(module, row.function).py_func
        assert len(signature(function).parameters) == len(row.args), row


def test_who_needs_a_function_waits_for_the_one_that_compiles_it(empty):
    function = njit()(lambda x: 2 * x)
    args = (types.float64,)
    held, go_on = threading.Event(), threading.Event()

    def compile_slowly():
        with function._cache.alone(args):
            held.set()
            go_on.wait(60)

    assert function._cache.is_free(args)
    other = threading.Thread(target=compile_slowly)
    other.start()
    assert held.wait(60) and not function._cache.is_free(args)
    waiting = threading.Thread(target=function, args=(1.5,))
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive() and not function.signatures
    go_on.set()
    waiting.join(60)
    assert function(2.5) == 5.0
    assert not function._cache.is_free(args)  # it is kept
    assert not list(empty.rglob("new-*"))


def test_what_fails_to_compile_lets_others_go_on(empty):
    function = njit()(lambda x: x.nothing)
    with pytest.raises(Exception, match="nothing"):
        function(1.0)
    assert function._cache.is_free((types.float64,))


def test_where_nothing_can_be_kept_nothing_is_begun(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.write_text("no folder")
    monkeypatch.setattr(config, "CACHE_DIR", str(file))
    monkeypatch.setattr(subprocess, "Popen", None)
    assert kept_functions() is None
    ahead.begin("render")


@pytest.mark.slow
def test_functions_are_compiled_beside_and_found(tmp_path):
    table, cache = tmp_path / "few.txt", tmp_path / "cache"
    table.write_text(FEW)
    done = subprocess.run(
        [sys.executable, "-c", BEGIN, table],
        env=os.environ | {"NUMBA_CACHE_DIR": str(cache)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [3, 1]
    assert not list(cache.rglob("new-*"))


@pytest.mark.slow
def test_the_table_has_all_that_a_picture_calls(tmp_path):
    found = signatures([
        ["render", "--scenes", "yoga", "--count", 1, "--size", "96x72", "--quality", "draft",
         "--out", tmp_path / "out"],
    ])  # fmt: skip
    known = {
        (f"spinetrack_synth.{row.module}.{row.function}", tuple(map(str, row.args)))
        for row in ahead.read_table("render")
    }
    called = {(name, tuple(one)) for name, many in found.items() for one in many}
    assert called, "nothing compiled"
    assert called <= known, "run scripts/compiled_signatures.py: what a picture calls has changed"
