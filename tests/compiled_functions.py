"""Which functions some commands compile or take out of the cache."""

from __future__ import annotations

import json
import subprocess
import sys

RUN = """
import json, sys
from numba.core.dispatcher import Dispatcher
from spinetrack_synth.cli import main

for arguments in json.loads(sys.argv[1]):
    sys.argv[1:] = arguments
    try:
        main()
    except SystemExit as stop:
        assert stop.code in (None, 0, 1), arguments
functions = {
    f"{name}.{function}": [list(map(str, signature)) for signature in value.signatures]
    for name, module in list(sys.modules.items()) if name.startswith("spinetrack_synth.")
    for function, value in vars(module).items()
    if isinstance(value, Dispatcher) and value.py_func.__module__ == name
}
print("FOUND", json.dumps(functions))
"""


def signatures(commands: list[list[object]]) -> dict[str, list[list[str]]]:
    """The signatures of all compiled functions after some commands in one process."""
    text = json.dumps([list(map(str, command)) for command in commands])
    process = subprocess.run(
        [sys.executable, "-c", RUN, text], capture_output=True, text=True, timeout=280
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.rpartition("FOUND")[2])
