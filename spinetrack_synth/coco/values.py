"""What single values of a JSON file are, and how messages show them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeGuard


def is_number(value: object) -> TypeGuard[float]:
    """A JSON number: neither true nor false."""
    return type(value) is int or type(value) is float


def is_numbers(value: object) -> TypeGuard[list[Any]]:
    """A list of JSON numbers."""
    return isinstance(value, list) and set(map(type, value)) <= {int, float}


def in_threes(value: object) -> TypeGuard[list[list[Any]]]:
    """Keypoints as [[x, y, v], ...], as some exporters write them."""
    return (
        isinstance(value, list)
        and bool(value)
        and type(value[0]) is list
        and all(is_numbers(point) and len(point) == 3 for point in value)
    )


def flat_points(value: object) -> object:
    """The keypoints of a record as the flat list that COCO means; anything else as it is."""
    return [number for point in value for number in point] if in_threes(value) else value


def is_id(value: object) -> bool:
    """A number or a text, which may name a record."""
    return isinstance(value, int | float | str)


def is_crowd(value: object) -> bool:
    """Does ``iscrowd`` say that there are several? Also where it is a text, made of a table."""
    return bool(value) and value not in ("0", "false", "False")


def flattened(value: Sequence[Any]) -> list[Any]:
    """A list of numbers, whether its points lie in lists of their own or not."""
    if value and isinstance(value[0], list):
        return [number for point in value for number in (point if isinstance(point, list) else [])]
    return value if isinstance(value, list) else list(value)


def is_not_finite(value: object) -> TypeGuard[float]:
    """NaN or infinity."""
    return isinstance(value, float) and not math.isfinite(value)


def as_float(value: object) -> float:
    """A finite number as float, nan for everything else."""
    if not is_number(value):
        return math.nan
    try:
        number = float(value)
    except OverflowError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def kind_of(value: object) -> str:
    """What a value is, in words."""
    if value is None:
        return "null"
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    return kinds.get(type(value), "a number")


def shown(value: Any, limit: int = 60) -> str:
    """A value as a short text of one line that every terminal and XML file can hold."""
    try:
        if isinstance(value, int) and abs(value) >= 10**20:
            text = f"a number of more than {20} digits"
        else:
            text = ascii(value) if not isinstance(value, str) else plain(repr(value))
    except (RecursionError, ValueError):
        text = f"a {type(value).__name__}"
    return text if len(text) <= limit else text[: limit - 3] + "..."


def plain(text: str) -> str:
    """A text without control characters, lone surrogates and what else no terminal can show."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
