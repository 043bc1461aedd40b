"""Motion as arrays: markers over time and coordinates over time, whatever file they came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

RATES_HZ: Final = (0.9, 5000.0)
"""Frames a second of recordings."""


@dataclass(frozen=True)
class MarkerMotion:
    """Points in the world over time.

    ``names`` (M,); ``times_s`` (F,), ascending; ``positions_m`` (F, M, 3) in OpenSim's ground frame
    (X forward, Y up, Z right), NaN where a marker is missing; ``source`` the file, for messages;
    ``notes`` what was found out in reading it, or is odd about it.
    """

    names: tuple[str, ...]
    times_s: Array
    positions_m: Array
    source: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        expected = (len(self.times_s), len(self.names), 3)
        if self.positions_m.shape != expected:
            raise ValueError(f"positions_m: shape {self.positions_m.shape}, expected {expected}")

    @property
    def columns(self) -> tuple[str, ...]:
        """What tables (F, 3 M) of it call their columns."""
        return tuple(f"{name}_{axis}_m" for name in self.names for axis in "xyz")

    def to_frame(self) -> pd.DataFrame:
        """A table (F, 3 M) in metres by time in s, NaN where a marker is missing."""
        import pandas as pd

        rows = self.positions_m.reshape(len(self.times_s), -1)
        times_s = pd.Index(self.times_s, name="time_s")
        return pd.DataFrame(rows, index=times_s, columns=self.columns)


@dataclass(frozen=True)
class Residuals:
    """How well the points of a recording were met by the model whose coordinates came of it.

    ``points`` how many, as those of which ``skeleton``; over all frames ``rms_mm``, in the worst
    frame ``worst_rms_mm`` at ``worst_rms_time_s``; the largest of all, ``largest_mm``, at
    ``largest_point`` and ``largest_time_s``. ``spine`` says where the spine is a guess.
    """

    points: int
    skeleton: str
    rms_mm: float
    worst_rms_mm: float
    worst_rms_time_s: float
    largest_mm: float
    largest_point: str
    largest_time_s: float
    spine: str = ""

    @classmethod
    def of_fit(
        cls, points: Sequence[str], errors_m: Array, times_s: Array, skeleton: str, spine: str = ""
    ) -> Residuals:
        """The residuals of points (P,) whose errors (F, P) are NaN where one is missing."""
        errors_mm = 1000 * errors_m
        seen: NDArray[np.bool_] = np.isfinite(errors_mm)
        squares = np.where(seen, errors_mm, 0.0) ** 2
        of_frame = np.sqrt(squares.sum(axis=1) / np.maximum(seen.sum(axis=1), 1))
        frame = int(np.argmax(of_frame))
        row, column = divmod(int(np.argmax(squares)), len(points))
        return cls(
            points=len(points),
            skeleton=skeleton,
            rms_mm=float(np.sqrt(squares.sum() / max(seen.sum(), 1))),
            worst_rms_mm=float(of_frame[frame]),
            worst_rms_time_s=float(times_s[frame]),
            largest_mm=float(np.sqrt(squares[row, column])),
            largest_point=points[column],
            largest_time_s=float(times_s[row]),
            spine=spine,
        )


@dataclass(frozen=True)
class CoordinateMotion:
    """Coordinates of a model over time.

    ``names`` (n,); ``times_s`` (F,), ascending; ``values`` (F, n) in rad where ``rotational`` (n,),
    else in m; ``source`` the file, for messages; ``notes`` as in `MarkerMotion`; ``residuals``
    where the coordinates were fitted to points and that is known.
    """

    names: tuple[str, ...]
    times_s: Array
    values: Array
    rotational: NDArray[np.bool_]
    source: str = ""
    notes: tuple[str, ...] = ()
    residuals: Residuals | None = None

    def __post_init__(self) -> None:
        expected = (len(self.times_s), len(self.names))
        if self.values.shape != expected:
            raise ValueError(f"values: shape {self.values.shape}, expected {expected}")
        if self.rotational.shape != (len(self.names),):
            raise ValueError(
                f"rotational: shape {self.rotational.shape}, expected ({expected[1]},)"
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """What tables (F, n) of it call their columns: coordinates with their units."""
        units = ("deg" if turns else "m" for turns in self.rotational)
        return tuple(f"{name}_{unit}" for name, unit in zip(self.names, units))

    @property
    def values_deg(self) -> Array:
        """The values (F, n) as tables have them, in degrees and metres."""
        return np.where(self.rotational, np.degrees(self.values), self.values)

    def to_frame(self) -> pd.DataFrame:
        """A table (F, n) in degrees (``*_deg``) and metres (``*_m``) by time in s."""
        import pandas as pd

        times_s = pd.Index(self.times_s, name="time_s")
        return pd.DataFrame(self.values_deg, index=times_s, columns=self.columns)


@dataclass(frozen=True)
class JointMotion:
    """A skeleton of bones that turn: where its joints are over time, and how they are turned.

    ``names`` (J,); ``times_s`` (F,), ascending; ``positions_m`` (F, J, 3) in OpenSim's ground
    frame; ``turns`` (F, J, 3, 3) each bone's rotation in the world since the skeleton's pose of
    rest; ``rest_m`` (J, 3) the joints in that pose; ``source`` the file, for messages; ``notes`` as
    in `MarkerMotion`.
    """

    names: tuple[str, ...]
    times_s: Array
    positions_m: Array
    turns: Array
    rest_m: Array
    source: str = ""
    notes: tuple[str, ...] = ()

    @property
    def markers(self) -> MarkerMotion:
        """The joints as points."""
        return MarkerMotion(self.names, self.times_s, self.positions_m, self.source, self.notes)


Motion = MarkerMotion | JointMotion | CoordinateMotion


def odd_rate(times_s: Array) -> tuple[str, ...]:
    """A note where nobody records so many frames a second, or so few."""
    if len(times_s) < 3:
        return ()
    rate_hz = 1.0 / max(float(np.median(np.diff(times_s))), 1e-12)
    if RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        return ()
    return (f"its times make {rate_hz:.3g} frames a second: are they seconds?",)
