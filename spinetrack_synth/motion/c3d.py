"""Marker files of laboratories (.c3d), read by ezc3d."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.axes import AS_TOLD, METRES, Convention, to_world
from spinetrack_synth.motion.data import MarkerMotion

Array = NDArray[np.float64]

_SCREEN: Final = {
    sign + axis: value * np.eye(3)["XYZ".index(axis)]
    for axis in "XYZ"
    for sign, value in (("+", 1.0), ("-", -1.0), ("", 1.0))
}


def read_c3d(path: Path, convention: Convention = AS_TOLD) -> MarkerMotion:
    """Markers over time; points with a negative residual are missing (NaN).

    Units are those of POINT:UNITS (millimetres where it is silent), the vertical that of
    POINT:Y_SCREEN (Z where it is silent), unless the convention overrules them.
    Raises UserError where the file cannot be read or holds no markers.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    import ezc3d

    try:
        content = ezc3d.c3d(str(path))
    except Exception as error:  # ezc3d raises whatever its C++ side throws
        raise UserError(f"{path}: is no C3D file that ezc3d can read: {error}") from None
    point = content["parameters"]["POINT"]
    labels = _all_labels(point)
    points = np.asarray(content["data"]["points"], dtype=float)[:3].transpose(2, 1, 0)
    residuals = np.asarray(content["data"]["meta_points"]["residuals"], dtype=float)
    missing = (residuals[0].T if residuals.ndim == 3 else residuals) < 0
    frames, count = points.shape[:2]
    names = tuple(name.rpartition(":")[2] for name in labels[:count])
    if frames == 0 or count == 0:
        raise UserError(f"{path}: holds no marker positions")
    if len(names) != count or len(set(names)) != count:
        raise UserError(f"{path}: POINT:LABELS does not name its {count} markers, each once")
    rate = float(content["header"]["points"]["frame_rate"])
    if not rate > 0:
        raise UserError(f"{path}: a frame rate of {rate:g} Hz; mend POINT:RATE")
    points = np.where(missing[:, :, None], np.nan, points)
    scale = convention.metres(names, told=_text(point, "UNITS") or "mm")
    world = to_world(convention.axes) if convention.axes else _axes(point)
    return MarkerMotion(names, np.arange(frames) / rate, points @ world.T * scale, str(path))


def _all_labels(point: Any) -> list[str]:
    """LABELS, LABELS2, ...: a C3D parameter holds at most 255 names."""
    labels: list[str] = []
    for key in ("LABELS", *(f"LABELS{k}" for k in range(2, 20))):
        if key in point:
            labels += [str(label).strip() for label in point[key]["value"]]
    return labels


def _text(point: Any, key: str) -> str:
    value = point[key]["value"] if key in point else []
    text = str(value[0]).strip() if len(value) else ""
    if key == "UNITS" and text and text not in METRES:
        return {"meters": "m", "metres": "m", "millimeters": "mm"}.get(text.lower(), text)
    return text


def _axes(point: Any) -> Array:
    x, y = _text(point, "X_SCREEN").upper(), _text(point, "Y_SCREEN").upper()
    if x not in _SCREEN or y not in _SCREEN or x[-1] == y[-1]:
        return to_world("z-up")
    return np.stack([_SCREEN[x], _SCREEN[y], np.cross(_SCREEN[x], _SCREEN[y])])
