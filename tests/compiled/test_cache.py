"""What is kept of compiled functions: found again, seen to be stale, never in the way."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # starts processes that compile

CALLEE = """
from spinetrack_synth.compiled import {kind}

SHARE = {share}


@{kind}()
def part(x):
    return SHARE * x
"""

CALLER = """
from callee import part
from spinetrack_synth.compiled import njit


@njit()
def whole(x):
    return part(x) + 1.0
"""

RUN = """
import json
from caller import whole
from callee import part
from spinetrack_synth.compiled import cache

made = []
cache._log.info = made.append
value = whole(2.0)
print(json.dumps([value, len(whole.stats.cache_hits), len(whole.stats.cache_misses), made]))
"""


PAIR = """
import numpy as np
from spinetrack_synth.compiled import inner, njit


@inner(fastmath=True)
def part(x, y, n):
    total = 0.0
    for i in range(n):
        total += np.sin(x[i]) * y[i] + x[i] * y[i] / 3.0
    for i in range(n):
        total -= np.exp(x[i] * 0.1) * y[i] / (1.0 + x[i] * x[i])
    for i in range(n):
        for j in range(i):
            total += x[i] * y[j] / 7.0
    return total


@njit()
def whole(x, y):
    total = part(x, y, 31)
    for k in range(2, 6):
        total += part(y, x, 5 * k) * part(x, y, 4 * k)
    return total + part(y, x, 30)
"""

BITS = """
import json
import numpy as np
from pair import whole

values = [whole(*np.random.default_rng(seed).normal(size=(2, 40))).hex() for seed in range(20)]
print(json.dumps([values, len(whole.stats.cache_hits)]))
"""

REAL_BITS = """
import json
import numpy as np
from spinetrack_synth.anatomy.kinematics import marker_positions
from spinetrack_synth.anatomy.model import fullbody
from spinetrack_synth.anatomy.kinematics import _body_transforms

tree = fullbody()
rng = np.random.default_rng(0)
q = tree.default_coordinates + rng.normal(0, 0.3, (20, len(tree.default_coordinates)))
values = [marker_positions(tree, row).tobytes().hex() for row in q]
print(json.dumps([values, len(_body_transforms.stats.cache_hits)]))
"""


def write(folder: Path, kind: str = "inner", share: float = 3.0, comment: str = "") -> None:
    folder.mkdir(exist_ok=True)
    (folder / "callee.py").write_text(comment + CALLEE.format(kind=kind, share=share))
    (folder / "caller.py").write_text(comment + CALLER)


def environment(folder: Path, cache: Path) -> dict[str, str]:
    project = str(Path(__file__).parents[2])
    return os.environ | {
        "NUMBA_CACHE_DIR": str(cache),
        "PYTHONPATH": os.pathsep.join([str(folder), project]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def start(folder: Path, cache: Path) -> subprocess.Popen:
    command = [sys.executable, "-c", RUN]
    return subprocess.Popen(
        command, env=environment(folder, cache), stdout=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen) -> tuple[float, bool, list[str]]:
    """What the function returned, whether it was found in the cache, and what was said."""
    said, _ = process.communicate(timeout=240)
    assert process.returncode == 0
    value, hits, misses, lines = json.loads(said)
    assert hits + misses == 1
    return value, hits == 1, lines


def run(folder: Path, cache: Path) -> tuple[float, bool, list[str]]:
    return finish(start(folder, cache))


@pytest.mark.parametrize("kind", ["inner", "apart"])
def test_functions_are_found_again_until_what_they_follow_from_changes(tmp_path, kind):
    folder, cache = tmp_path / "package", tmp_path / "cache"
    write(folder, kind)
    before = sorted(folder.iterdir())
    folder.chmod(0o555)  # a package that nobody may write in: what is kept lies elsewhere
    value, found, said = run(folder, cache)
    assert (value, found, len(said)) == (7.0, False, 1) and "once" in said[0]
    assert run(folder, cache) == (7.0, True, [])
    assert sorted(folder.iterdir()) == before
    folder.chmod(0o755)
    write(folder, kind, comment="# other lines, another time\n\n\n")
    for file in folder.iterdir():
        os.utime(file, (1e9, 1e9))
    assert run(folder, cache) == (7.0, True, [])
    write(
        folder, kind, share=4.0
    )  # a constant of the callee, and of no function's file but its own
    assert run(folder, cache)[:2] == (9.0, False)
    elsewhere = folder.rename(tmp_path / "upgraded")
    assert run(elsewhere, cache) == (9.0, True, [])


@pytest.mark.parametrize("code", [BITS, REAL_BITS], ids=["small", "real"])
def test_a_compiled_function_gives_the_bits_of_a_loaded_one(tmp_path, code):
    (tmp_path / "pair.py").write_text(PAIR)
    starts = [("cache", 1), ("cache", 2)] + [("another", 3)] * (code == BITS)
    done = []
    for cache, seed in starts:
        env = environment(tmp_path, tmp_path / cache) | {"PYTHONHASHSEED": str(seed)}
        command = [sys.executable, "-c", code]
        said = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
        done.append(json.loads(said.stdout))
    assert [hits for _, hits in done] == [0, 1, 0][: len(done)]
    assert all(values == done[0][0] for values, _ in done)


def test_a_damaged_file_is_made_anew(tmp_path):
    folder, cache = tmp_path / "package", tmp_path / "cache"
    write(folder, "apart")
    run(folder, cache)
    files = [file for file in cache.rglob("*-*") if file.is_file()]
    assert len(files) == 2
    for file in files:
        file.write_bytes(file.read_bytes()[:100])
    assert run(folder, cache)[:2] == (7.0, False)
    assert run(folder, cache)[1]


def test_two_processes_at_once(tmp_path):
    folder, cache = tmp_path / "package", tmp_path / "cache"
    write(folder, "apart")
    both = [start(folder, cache) for _ in range(2)]
    assert [finish(one)[0] for one in both] == [7.0, 7.0]
    assert run(folder, cache) == (7.0, True, [])
    assert not list(cache.rglob("new-*"))


def test_the_longest_unused_are_deleted(tmp_path, monkeypatch):
    from spinetrack_synth.compiled import cache

    for age, name in enumerate(["newest", "older", "oldest"]):
        file = tmp_path / "environment" / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(bytes(100))
        os.utime(file, (2e9 - age, 2e9 - age))
    monkeypatch.setattr(cache, "LIMIT_BYTES", 250)
    cache._prune(tmp_path)
    assert {file.name for file in tmp_path.rglob("*") if file.is_file()} == {"newest", "older"}


def test_without_a_folder_to_write_it_compiles_and_one_line_says_that_nothing_is_kept(tmp_path):
    folder, cache = tmp_path / "package", tmp_path / "file"
    write(folder, "apart")
    cache.write_text("no folder")
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        env=environment(folder, cache),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)[:3] == [7.0, 0, 1]
    assert done.stderr.count("\n") == 1
    assert "cannot be kept" in done.stderr and "NUMBA_CACHE_DIR" in done.stderr
    assert cache.read_text() == "no folder"
