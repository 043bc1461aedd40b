"""The first steps of an ONNX graph: what a network does to its picture before it looks at it.

Only the few fields of the format that this needs are read (onnx.proto, by their numbers).
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from spinetrack_synth.spinepose.crops import RAW, UNIT, Normalisation

Bytes = memoryview
PASSING: Final = {"Cast", "Identity", "Transpose", "Unsqueeze", "Squeeze", "Reshape"}
"""Steps that leave colours as they are."""

USUAL_SPAN: Final = (0.9, 8.0)
"""From black to white, in what networks are trained on: 1 (colours from 0 to 1), 2 (from -1 to 1)
or 4 to 5 (ImageNet's deviations)."""

FLOATS: Final[dict[int, np.dtype[np.floating]]] = {
    1: np.dtype("<f4"),
    10: np.dtype("<f2"),
    11: np.dtype("<f8"),
}
"""Numbers of the types in a tensor."""


def own_normalisation(path: Path, input_name: str) -> Normalisation | None:
    """What is left to do where the graph begins with a normalisation of its own: nothing (colours
    from 0 to 255), or a division by 255; None where it has none."""
    slope = _slope(path, input_name)
    least, most = USUAL_SPAN
    if slope is None or slope == 1:
        return None
    if least <= 255 * slope <= most:
        return RAW
    return UNIT if least <= slope <= most else None


def _slope(path: Path, input_name: str) -> float | None:
    """What a step of the input's colours becomes (the mean over channels) before anything else
    happens to it; None where the file is not read."""
    with path.open("rb") as stream:
        content = memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
    try:
        return _follow(content, input_name)
    except (ValueError, IndexError):
        return None


def _follow(content: Bytes, name: str) -> float | None:
    graph = next((value for number, value in _fields(content) if number == 7), None)
    if not isinstance(graph, memoryview):
        return None
    constants: dict[str, float] = {}
    users: dict[str, tuple[str, list[str], str]] = {}
    for number, value in _fields(graph):
        if number == 1 and isinstance(value, memoryview):
            kind, inputs, outputs, tensor = _node(value)
            if kind == "Constant" and tensor is not None and outputs:
                constants[outputs[0]] = tensor
            for used in inputs:
                users.setdefault(used, (kind, inputs, outputs[0] if outputs else ""))
        elif number == 5 and isinstance(value, memoryview):
            title, size = _tensor(value)
            if size is not None:
                constants[title] = size
    slope = 1.0
    while name in users:
        kind, inputs, output = users[name]
        other = [constants.get(used) for used in inputs if used != name]
        if kind in ("Mul", "Div") and other and other[0]:
            if kind == "Div" and inputs[0] != name:
                break
            slope = slope * other[0] if kind == "Mul" else slope / other[0]
        elif not (kind in PASSING or (kind in ("Add", "Sub") and other and other[0] is not None)):
            break
        name = output
    return slope


def _node(node: Bytes) -> tuple[str, list[str], list[str], float | None]:
    kind, inputs, outputs, size = "", [], [], None
    for number, value in _fields(node):
        if not isinstance(value, memoryview):
            continue
        if number == 1:
            inputs.append(str(value, "utf-8"))
        elif number == 2:
            outputs.append(str(value, "utf-8"))
        elif number == 4:
            kind = str(value, "utf-8")
        elif number == 5:
            for inner, held in _fields(value):
                if inner == 5 and isinstance(held, memoryview):
                    size = _tensor(held)[1]
    return kind, inputs, outputs, size


def _tensor(tensor: Bytes) -> tuple[str, float | None]:
    """Name, and the mean of the magnitudes where it holds a few floats."""
    name, kind, raw, listed = "", 0, None, []
    for number, value in _fields(tensor):
        if number == 2 and isinstance(value, int):
            kind = value
        elif number == 8 and isinstance(value, memoryview):
            name = str(value, "utf-8")
        elif number in (4, 9) and isinstance(value, memoryview) and len(value) <= 64:
            raw = bytes(value)
            kind = kind or 1
        elif number == 4 and isinstance(value, float):
            listed.append(value)
    if raw is not None and kind in FLOATS and len(raw) % FLOATS[kind].itemsize == 0:
        listed = np.frombuffer(raw, FLOATS[kind]).tolist()
    return name, float(np.abs(listed).mean()) if listed else None


def _fields(message: Bytes) -> Iterator[tuple[int, Bytes | int | float]]:
    """Numbers and values of a message of Protocol Buffers."""
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        number, wire = tag >> 3, tag & 7
        value: Bytes | int | float
        if wire == 0:
            value, place = _varint(message, place)
        elif wire == 2:
            length, place = _varint(message, place)
            value, place = message[place : place + length], place + length
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
            value = float(np.frombuffer(message[place : place + length], f"<f{length}")[0])
            place += length
        else:
            raise ValueError(f"wire type {wire}")
        yield number, value


def _varint(message: Bytes, place: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = message[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place
