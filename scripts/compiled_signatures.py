"""Write the table of what commands compile, spinetrack_synth/compiled/signatures.txt.

python scripts/compiled_signatures.py

Each command runs on the small inputs of benchmarks/start.py with nothing compiled, some minutes in
all; body data and renderer have to be there.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

COMMANDS = {"render": ["render"], "ik": ["ik --filter auto"], "convert": ["motion convert"]}
"""A word of the table, and the commands of the benchmark that call its functions."""


def recorded(arguments: list[str], path: Path) -> None:
    """Run a command in this process and pickle the rows of what it compiles, callees first."""
    from spinetrack_synth.cli import main
    from spinetrack_synth.compiled import ahead
    from spinetrack_synth.compiled.functions import Own

    compile_, depths = Own.compile, [0]
    rows: dict[ahead.Row, int] = {}

    def compile_and_note(self, sig):
        depths.append(0)
        try:
            return compile_(self, sig)
        finally:
            depth = depths.pop()
            module = self.py_func.__module__.partition(".")[2]
            rows.setdefault(ahead.Row(module, self.py_func.__name__, tuple(sig)), depth)
            depths[-1] = max(depths[-1], depth + 1)

    Own.compile, ahead.begin = compile_and_note, lambda command: None
    sys.argv[1:] = arguments
    try:
        main()
    except SystemExit as stop:
        assert stop.code in (None, 0, 1), arguments
    # By how deep their own calls go, so that those who compile at once seldom wait.
    path.write_bytes(pickle.dumps(sorted(rows, key=rows.__getitem__)))


def table() -> str:
    """The text of the table, made anew."""
    from start import commands

    from spinetrack_synth.compiled.ahead import Row, written

    rows: dict[str, list[Row]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        known = commands(folder)
        for command, titles in COMMANDS.items():
            for number, title in enumerate(titles):
                found, here = folder / "found", folder / f"{command}{number}"
                here.mkdir()
                subprocess.run(
                    [sys.executable, __file__, found, *map(str, known[title])],
                    env=os.environ | {"NUMBA_CACHE_DIR": str(here / "compiled")},
                    cwd=here,
                    check=True,
                )
                its = rows.setdefault(command, [])
                its += [row for row in pickle.loads(found.read_bytes()) if row not in its]
    return "".join(f"{line}\n" for line in written(rows))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        recorded(sys.argv[2:], Path(sys.argv[1]))
    else:
        from spinetrack_synth.compiled.ahead import TABLE

        TABLE.write_text(table(), encoding="utf-8")
