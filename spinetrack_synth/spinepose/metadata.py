"""What an ONNX file says about itself: notes that its maker attached, by name.

``names`` (or ``keypoint_names``) holds the keypoints' names, ``mean`` and ``std`` three numbers for
red, green, blue, of 255 or of 1, ``color_order`` rgb or bgr, ``udp`` true or false, ``metainfo``
mmpose's description of a dataset. Lists are written as JSON, as Python, or between commas.
"""

from __future__ import annotations

import ast
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose.crops import ColorOrder, Normalisation

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


@dataclass(frozen=True)
class Metadata:
    """What is said; None where nothing is."""

    names: tuple[str, ...] | None = None
    normalisation: Normalisation | None = None
    color_order: ColorOrder | None = None
    udp: bool | None = None


def read_metadata(path: Path, session: InferenceSession) -> Metadata:
    """The notes of an open network; raises UserError where one of them makes no sense."""
    notes = {
        key.lower(): _value(text)
        for key, text in session.get_modelmeta().custom_metadata_map.items()
    }
    order = str(notes.get("color_order", "")).lower() or None
    if order not in (None, *get_args(ColorOrder)):
        raise UserError(f"{path}: its metadata says color_order {order!r}, expected rgb or bgr")
    udp = notes.get("udp")
    return Metadata(
        names=_names(notes),
        normalisation=_normalisation(path, notes),
        color_order=cast("ColorOrder | None", order),
        udp=None if udp is None else str(udp).lower() in ("true", "1", "yes"),
    )


def normalisation(mean: object, std: object) -> Normalisation:
    """Numbers of 255, or of 1 where the mean is, as a normalisation; raises ValueError."""
    means, stds = (_three(values) for values in (mean, std))
    if min(stds) <= 0:
        raise ValueError(f"std {std!r}: expected numbers above 0")
    scale = 255.0 if 0 < max(means) <= 1 else 1.0
    return Normalisation(
        tuple(scale * number for number in means), tuple(scale * number for number in stds)
    )


def _normalisation(path: Path, notes: Mapping[str, Any]) -> Normalisation | None:
    if "mean" not in notes or "std" not in notes:
        return None
    try:
        return normalisation(notes["mean"], notes["std"])
    except (TypeError, ValueError) as error:
        raise UserError(f"{path}: its metadata says {error}") from error


def _three(values: object) -> tuple[float, ...]:
    numbers = (values,) * 3 if isinstance(values, int | float) else values
    try:
        found = tuple(float(number) for number in numbers)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        found = ()
    if len(found) != 3:
        raise ValueError(f"mean or std {values!r}: expected three numbers")
    return found


def _names(notes: Mapping[str, Any]) -> tuple[str, ...] | None:
    info = notes.get("metainfo")
    infos = info.get("keypoint_info") if isinstance(info, dict) else None
    for value in (infos, *(notes.get(key) for key in ("keypoint_names", "names", "keypoints"))):
        listed = _listed(value)
        names = [name.get("name") if isinstance(name, dict) else name for name in listed]
        if names and all(isinstance(name, str) for name in names):
            return tuple(map(str, names))
    return None


def _listed(value: object) -> list[Any]:
    """A list, or the values of a dictionary whose keys count them."""
    if isinstance(value, dict) and all(str(key).isdecimal() for key in value):
        return [value[key] for key in sorted(value, key=int)]
    return list(value) if isinstance(value, list | tuple) else []


def _value(text: str) -> Any:
    """A note as what it means; text that is neither JSON nor Python is split at commas."""
    for reader in (json.loads, ast.literal_eval):
        with contextlib.suppress(ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return reader(text)
    return [part.strip() for part in text.split(",")] if "," in text else text
