"""Markers and coordinates over time without their noise."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import MarkerMotion

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

FILTER_ORDER: Final = 4
"""Butterworth, run forwards and backwards: the usual filter for markers (Winter 2009)."""

SPLINE_ORDER: Final = 3
"""Order of the differences that are kept small: 3 belongs to quintic splines, which Woltring (1986,
Advances in Engineering Software 8) recommends for the kinematics of people."""

SHORTEST: Final = 20
"""Frames without which a stretch says too little about its noise; it stays as it is."""

BRIDGED: Final = 10
"""Frames without a marker that a spline still bridges; a longer gap parts two stretches."""

TIME_GAP: Final = 1.5
"""Frames apart by so many times the usual step do not follow one another."""

WINDOW: Final = 512
"""Frames that are smoothed as stiffly as one another."""

STIFFNESS: Final = np.arange(-2.0, 12.5, 0.5)
"""Decimal logarithms of the stiffness that are tried: from next to none to 0.2 Hz at 100 Hz."""


def low_pass(markers: MarkerMotion, cutoff_hz: float) -> MarkerMotion:
    """The markers without what is faster than ``cutoff_hz``; gaps stay gaps and are not filtered
    across. Stretches too short for the filter stay as they are.

    Raises UserError where the recording is too slow for the frequency.
    """
    from scipy.signal import butter, sosfiltfilt

    rate_hz = _rate_hz(markers)
    if not 0 < cutoff_hz < rate_hz / 2:
        raise UserError(
            f"{markers.source}: a filter of {cutoff_hz:g} Hz needs more than {2 * cutoff_hz:g} "
            f"frames a second, the recording has {rate_hz:.4g}"
        )
    sections = butter(FILTER_ORDER // 2, cutoff_hz, fs=rate_hz, output="sos")
    padding = 3 * (2 * len(sections) + 1)
    positions_m = markers.positions_m.copy()
    for marker, stretch in _stretches(markers):
        if stretch.stop - stretch.start > padding:
            positions_m[stretch, marker] = sosfiltfilt(
                sections, positions_m[stretch, marker], axis=0
            )
    return dataclasses.replace(markers, positions_m=positions_m)


@dataclass(frozen=True)
class Smoothed:
    """Markers as ``recorded`` and without noise; each one's cut-off, (M,) Hz, and the error that is
    left, (M,) m on an axis, standard deviation.

    The cut-off is where half the amplitude passes, of a marker's longest stretch; infinite where
    no stretch is long enough, and the error is not known there (NaN).
    """

    recorded: MarkerMotion
    markers: MarkerMotion
    cutoff_hz: Array
    left_m: Array

    @property
    def taken_m(self) -> float:
        """What was taken off the markers, RMS on one axis."""
        taken = self.markers.positions_m - self.recorded.positions_m
        return float(np.sqrt(np.nanmean(taken**2)))

    @property
    def error_m(self) -> float:
        """Error of the smoothed markers, RMS on one axis."""
        return float(np.sqrt(np.nanmean(self.left_m**2)))


def smooth(markers: MarkerMotion) -> Smoothed:
    """The markers without what is noise by their own showing.

    A penalised discrete spline for every stretch of every marker, as stiff as generalised
    cross-validation asks for (Craven and Wahba 1979; Woltring 1986): each frame is foretold from
    the others, and the stiffness that foretells best is taken. Noise is assumed to be independent
    from frame to frame; what skin and a tracker's delay add slowly is not seen. Gaps stay gaps, but
    what is on both sides of a short one is one stretch.
    """
    positions_m = markers.positions_m.copy()
    cutoff_hz = np.full(len(markers.names), np.inf)
    left_m = np.full(len(markers.names), np.nan)
    longest = np.zeros(len(markers.names), dtype=int)
    for marker, stretch in _stretches(markers, BRIDGED):
        points = positions_m[stretch, marker]
        missing: Bools = np.any(~np.isfinite(points), axis=1)
        length = len(points) - int(missing.sum())
        if length < SHORTEST:
            continue
        fitted, stiffness, variance = _spline(points, missing)
        positions_m[stretch, marker] = np.where(missing[:, None], points, fitted)
        if length > longest[marker]:
            longest[marker] = length
            left_m[marker] = np.sqrt(variance)
            angle = stiffness ** (-0.5 / SPLINE_ORDER)  # 2 sin(pi f / rate), where half passes
            cutoff_hz[marker] = _rate_hz(markers) * np.arcsin(min(angle / 2, 1.0)) / np.pi
    without_noise = dataclasses.replace(markers, positions_m=positions_m)
    return Smoothed(markers, without_noise, cutoff_hz, left_m)


def smooth_trajectory(values: Array, times_s: Array) -> tuple[Array, float]:
    """A coordinate over time (F,), smoothed in the same way, and the error that is left (standard
    deviation, in its unit). Every one of the `pieces` needs `SHORTEST` frames."""
    trajectory, squares = np.empty(len(values)), 0.0
    for piece in pieces(times_s):
        part = values[piece, None]
        fitted, _, variance = _spline(part, np.zeros(len(part), dtype=np.bool_))
        trajectory[piece] = fitted[:, 0]
        squares += variance * len(part)
    return trajectory, float(np.sqrt(squares / len(values)))


def jitter_m(markers: MarkerMotion) -> float:
    """Standard deviation (m, one axis) of what is independent from frame to frame.

    From fifth differences, in which the motions of people are next to nothing; 0 where there are
    too few frames.
    """
    total, count = 0.0, 0
    for marker in range(markers.positions_m.shape[1]):
        fifth = np.diff(markers.positions_m[:, marker], n=5, axis=0)
        known = fifth[np.isfinite(fifth)]
        total += float(known @ known)
        count += len(known)
    return float(np.sqrt(total / (252 * count))) if count else 0.0  # 1 + 25 + 100 + 100 + 25 + 1


def _rate_hz(markers: MarkerMotion) -> float:
    steps = np.diff(markers.times_s)
    return float(1 / np.median(steps)) if len(steps) else 0.0


def _stretches(markers: MarkerMotion, bridged: int = 0) -> Iterator[tuple[int, slice]]:
    """Every marker's runs of frames without a gap longer than ``bridged``, or one in time."""
    for marker in range(markers.positions_m.shape[1]):
        seen: Bools = np.all(np.isfinite(markers.positions_m[:, marker]), axis=1)
        for piece in pieces(markers.times_s):
            there = np.flatnonzero(seen[piece]) + piece.start
            for run in np.split(there, np.flatnonzero(np.diff(there) > bridged + 1) + 1):
                if len(run):
                    yield marker, slice(int(run[0]), int(run[-1]) + 1)


def pieces(times_s: Array) -> list[slice]:
    """Runs of frames between which no time is missing."""
    steps = np.diff(times_s)
    cuts = np.flatnonzero(steps > TIME_GAP * np.median(steps)) + 1 if len(steps) else steps
    ends = [0, *map(int, cuts), len(times_s)]
    return [slice(begin, end) for begin, end in zip(ends, ends[1:])]


def _spline(points: Array, missing: Bools) -> tuple[Array, float, float]:
    """Points (F, D) smoothed by generalised cross-validation, how stiffly (the median), and the
    variance of the error that is left on an axis. ``missing`` (F,) ones count for nothing.

    Long ones are smoothed in windows that overlap by half and are faded into one another, so that
    quick moments and quiet ones each have their own stiffness.
    """
    frames = len(points)
    if frames <= WINDOW:
        return _spline_at_once(points, missing)
    count = 1 - -(frames - WINDOW) // (WINDOW // 2)
    fade = np.sin(np.pi * (np.arange(WINDOW) + 0.5) / WINDOW) ** 2
    fitted, weight = np.zeros_like(points), np.zeros(frames)
    stiffness, variance = np.empty(count), np.empty(count)
    for i, begin in enumerate(np.linspace(0, frames - WINDOW, count).round().astype(int).tolist()):
        window = slice(begin, begin + WINDOW)
        part, stiffness[i], variance[i] = _spline_at_once(points[window], missing[window])
        fitted[window] += fade[:, None] * part
        weight[window] += fade
    return fitted / weight[:, None], float(np.median(stiffness)), float(np.mean(variance))


def _spline_at_once(points: Array, missing: Bools) -> tuple[Array, float, float]:
    from scipy.linalg import solveh_banded

    frames, seen = len(points), int(np.sum(~missing))
    density = seen / frames
    known = np.where(missing[:, None], 0.0, points)
    penalty = _penalty(frames)
    # Eigenvalues of the penalty but for its ends; they give the degrees of freedom left.
    waves = (2 - 2 * np.cos(np.pi * np.arange(frames) / frames)) ** SPLINE_ORDER

    best: tuple[float, Array, float, float] | None = None
    for stiffness in 10.0**STIFFNESS:
        matrix = stiffness * penalty
        matrix[-1] += np.where(missing, 0.0, 1.0)
        fitted = solveh_banded(matrix, known)
        freedom = np.sum((density / (density + stiffness * waves))[:seen])
        taken = float(np.sum((known - fitted)[~missing] ** 2)) / points.shape[1]
        score = taken / (seen - freedom) ** 2
        if best is None or score < best[0]:
            # The noise's variance is what was taken off by the degrees of freedom that took it;
            # of it, a share as large as the others is left (Craven and Wahba 1979).
            variance = taken / (seen - freedom) * freedom / seen
            best = (score, fitted, float(stiffness), float(variance))
    assert best is not None
    return best[1:]


def _penalty(frames: int) -> Array:
    """D'D of the differences D, upper bands as `scipy.linalg.solveh_banded` takes them."""
    row = np.array([1.0])
    for _ in range(SPLINE_ORDER):
        row = np.convolve(row, [-1.0, 1.0])
    bands = np.zeros((SPLINE_ORDER + 1, frames))
    for start in range(len(row)):
        for end in range(start, len(row)):
            offset = end - start
            columns = slice(end, frames - len(row) + 1 + end)
            bands[SPLINE_ORDER - offset, columns] += row[start] * row[end]
    return bands
