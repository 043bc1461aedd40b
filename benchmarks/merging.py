"""Memory and seconds of `merge` for so many people.

    python benchmarks/merging.py [--people 1000000] [--folder DIR]

Half of them are written into a dataset, two in a picture of a byte, which is merged with itself by
the command in a process of its own. Needs ten kilobytes of disk a person, below ``--folder`` (a new
one, which goes in the end) and as much again of scratch files in ``TMPDIR``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from spinetrack_synth.skeleton import NAMES

PEOPLE_IN_A_PICTURE = 2
SIZE = (640, 480)


def write_dataset(folder: Path, people: int) -> int:
    """A dataset in the layout of `render`; returns the bytes of its labels."""
    pictures = folder / "images/train"
    labels = folder / "annotations/person_keypoints_train.json"
    pictures.mkdir(parents=True)
    labels.parent.mkdir()
    count = people // PEOPLE_IN_A_PICTURE
    with labels.open("w") as file:
        file.write('{"images": [\n')
        write_lines(file, (picture(pictures, number) for number in range(count)))
        file.write('],\n"annotations": [\n')
        write_lines(file, (person(number) for number in range(people)))
        category = {"id": 1, "name": "person", "keypoints": list(NAMES)}
        file.write(f'],\n"categories": [{json.dumps(category)}]}}\n')
    return labels.stat().st_size


def write_lines(file: TextIO, lines: Iterable[str]) -> None:
    """One after another, with commas between them."""
    for number, line in enumerate(lines):
        file.write(f",\n{line}" if number else line)


def picture(folder: Path, number: int) -> str:
    """The record of a picture, which is put there."""
    name = f"{number:06d}.jpg"
    (folder / name).write_bytes(b".")
    record = {"id": number, "file_name": name, "width": SIZE[0], "height": SIZE[1],
              "K": [[525.5, 0, 320], [0, 525.5, 240], [0, 0, 1]], "moment": number}  # fmt: skip
    return json.dumps(record)


def person(number: int) -> str:
    """The record of somebody: digits as labels of `render` have them, and a mask of some length."""
    x, y = 1 + number % 500 + 0.25, 1 + number % 300 + 0.125
    points = ", ".join(f"{x + k}, {y + 2 * k}, 2" for k in range(len(NAMES)))
    return (
        f'{{"id": {number + 1}, "image_id": {number // PEOPLE_IN_A_PICTURE}, "category_id": 1, '
        f'"iscrowd": 0, "num_keypoints": {len(NAMES)}, "keypoints": [{points}], '
        f'"bbox": [{x}, {y}, 100.5, 200.25], "area": 11000.5, "subject": "s1-{number % 999:03d}", '
        f'"segmentation": {{"size": [480, 640], "counts": "{"ab3O1O2N" * 50}"}}}}'
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where there is room  [TMPDIR]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        size = write_dataset(folder / "half", options.people // 2)
        print(f"{options.people:,} people, {2 * size / 1e9:.2f} GB of labels", flush=True)
        command = [sys.executable, "-m", "spinetrack_synth", "merge"]
        command += ["half", "half", "--out", "out"]
        begin = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"merge ended with exit code {process.returncode}")
        cpu = usage.ru_utime + usage.ru_stime
        print(f"{usage.ru_maxrss / 1e6:.2f} GB at most, {cpu:.0f} s cpu, {wall:.0f} s wall")


if __name__ == "__main__":
    main()
