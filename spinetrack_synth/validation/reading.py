"""From the bytes of a file to a Dataset, however odd the bytes are."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from spinetrack_synth.errors import UserError
from spinetrack_synth.validation.columns import Dataset, is_number
from spinetrack_synth.validation.file import ENCODING, MARK, NOT_FINITE, REPEATED_KEY
from spinetrack_synth.validation.findings import Fault, plain, shown

Quirk = tuple[str, Fault]
Steps = tuple[str | int, ...]

_MARKS: Final = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_EXPONENT: Final = re.compile(r"[eE]\+?\d{3}")


def read(path: Path, *, pictures: Path | None = None, previous: Dataset | None = None) -> Dataset:
    """Read a file; raises UserError, in one line, only where it holds no JSON object at all.

    ``pictures`` is the folder of the images, ``previous`` the file of the release before. Ground
    truth is found beside the file, in the layout that ``render`` writes.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    data, quirks = parse(content, str(path))
    truth = path.parent.parent / "ground_truth"
    truth_path = truth / f"{path.stem.removeprefix('person_keypoints_')}.parquet"
    return Dataset(
        path=path,
        data=data,
        pictures=pictures,
        previous=previous,
        truth_path=truth_path if truth_path.is_file() else None,
        quirks=tuple(quirks),
    )


def with_keypoints(datasets: list[Dataset]) -> tuple[list[Dataset], list[Dataset]]:
    """The files that hold keypoints and the others, which are no splits of the same release:
    COCO puts the captions and the boxes of a split beside its keypoints. Where none holds any, all
    are judged."""
    having = [
        dataset
        for dataset in datasets
        if any("keypoints" in record for record in (*dataset.categories, *dataset.annotations))
    ]
    having = having or datasets
    return having, [dataset for dataset in datasets if dataset not in having]


def find_files(argument: Path) -> list[Path]:
    """The file that is named, or the annotation files of the folder that is."""
    if not argument.is_dir():
        return [argument]
    for folder in (argument / "annotations", argument):
        found = sorted(folder.glob("*.json"))
        found = [path for path in found if path.name != "manifest.json"]
        objects = [path for path in found if not _is_list(path)]
        if objects:
            return objects
    raise UserError(f"{argument}: holds no annotation files (*.json); name one")


def _is_list(path: Path) -> bool:
    """Does the file hold a list, such as results of a detector?"""
    with path.open("rb") as file:
        return file.read(64).lstrip().startswith(b"[")


def parse(content: bytes, name: str) -> tuple[dict[str, Any], list[Quirk]]:
    """The object in a file's content, and what is wrong with how it is written.

    Raises UserError, beginning with ``name``, where there is no object.
    """
    text, quirks = _decode(content)
    if not text.strip():
        raise UserError(f"{name}: the file is empty; expected COCO keypoint annotations")
    repeated: list[tuple[dict[str, Any], str]] = []
    constants: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(items)
        if len(made) < len(items):
            seen: set[str] = set()
            again = [key for key, _ in items if key in seen or seen.add(key)]  # type: ignore[func-returns-value]
            repeated.append((made, again[0]))
        return made

    def constant(literal: str) -> float:
        constants.append(literal)
        return float(literal.replace("Infinity", "inf"))

    try:
        data = json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except json.JSONDecodeError as error:
        raise UserError(f"{name}: {_what_stopped(error, text)}") from error
    except RecursionError as error:
        raise UserError(f"{name}: lists or objects are nested too deep to be read") from error
    except ValueError as error:  # whole numbers of more than 4300 digits
        raise UserError(f"{name}: not JSON that can be read: {plain(str(error))}") from error
    if not isinstance(data, dict):
        kinds: dict[type, str] = {list: "a list", str: "a text"}
        kind = kinds.get(type(data), shown(data))
        hint = "; is it a file of results?" if isinstance(data, list) else ""
        raise UserError(
            f"{name}: holds {kind}, expected an object with images, annotations and categories"
            + hint
        )
    if repeated:
        places = {id(value): steps for steps, value in _walk(data)}
        for record, key in repeated:
            where = _path(places.get(id(record), ()))
            quirks.append((REPEATED_KEY, _fault(where, f"the key {shown(key)} stands twice")))
    if constants or _maybe_huge(text):
        quirks += [
            (NOT_FINITE, _fault(_path(steps), f"{shown(value)} is no number that JSON can hold"))
            for steps, value in _walk(data)
            if is_number(value) and not _finite(value)
        ]
    return data, quirks


def _fault(where: str, message: str) -> Fault:
    return Fault(where or "file", where or "file", message)


def _decode(content: bytes) -> tuple[str, list[Quirk]]:
    """The text, whatever its encoding."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            message = f"encoded in {encoding.upper()}, expected UTF-8"
            return content.decode(encoding, errors="replace"), [(ENCODING, _fault("", message))]
    quirks: list[Quirk] = []
    if content.startswith(b"\xef\xbb\xbf"):
        content = content[3:]
        quirks.append((MARK, _fault("", "begins with a byte order mark; save it without")))
    if len(content) > 1 and 0 in content[:2]:
        encoding = "utf-16-be" if content[0] == 0 else "utf-16-le"
        message = "encoded in UTF-16, expected UTF-8"
        return content.decode(encoding, errors="replace"), [
            *quirks,
            (ENCODING, _fault("", message)),
        ]
    try:
        return content.decode(), quirks
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"line {line}: byte {content[error.start]:#04x} is not UTF-8; read as Latin-1"
        return content.decode("latin-1"), [*quirks, (ENCODING, _fault("", message))]


def _what_stopped(error: json.JSONDecodeError, text: str) -> str:
    where = f"line {error.lineno}, column {error.colno}"
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
        return f"the JSON ends in the middle ({where}): the file is cut off"
    return f"no JSON: {where}: {error.msg}"


def _walk(data: Any) -> Iterator[tuple[Steps, Any]]:
    """Every value with the way to it, in the order of the file."""
    stack: list[tuple[Steps, Any]] = [((), data)]
    while stack:
        steps, value = stack.pop()
        yield steps, value
        if isinstance(value, dict):
            stack += [((*steps, key), child) for key, child in reversed(value.items())]
        elif isinstance(value, list):
            stack += [((*steps, index), child) for index, child in reversed(list(enumerate(value)))]


def _path(steps: Steps) -> str:
    text = "".join(f"[{s}]" if isinstance(s, int) else f".{plain(s)[:60]}" for s in steps)
    return text.removeprefix(".")


def _maybe_huge(text: str) -> bool:
    """Could there be a number that no double holds: a large exponent, or 309 digits?"""
    step = 150  # so many digits in a row contain a whole step of nothing else
    long = any(text[at : at + step].isdigit() for at in range(0, len(text), step))
    return long or _EXPONENT.search(text) is not None


def _finite(value: float | int) -> bool:
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False
