"""A motion in a few lines of text."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np

from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.motion.data import (
    CoordinateMotion,
    JointMotion,
    MarkerMotion,
    Motion,
    Residuals,
)
from spinetrack_synth.motion.gaps import at_zero
from spinetrack_synth.motion.skeletons import known_skeletons, own_skeletons, recognise
from spinetrack_synth.motion.unit_and_axis_detection import landmarks, stature


def describe(motion: Motion, tree: Tree) -> Iterator[str]:
    """What a motion holds, line by line."""
    frames = len(motion.times_s)
    span_s = float(motion.times_s[-1] - motion.times_s[0])
    rate = f", {(frames - 1) / span_s:.4g} a second" if span_s > 0 else ""
    kind = {CoordinateMotion: "coordinates", JointMotion: "joints"}.get(type(motion), "points")
    yield f"{motion.source}: {len(motion.names)} {kind}"
    yield f"  frames    {frames}, {motion.times_s[0]:.6g} to {motion.times_s[-1]:.6g} s{rate}"
    if isinstance(motion, CoordinateMotion):
        yield from _coordinates(motion)
        if motion.residuals is not None:
            yield from ("  " + line for line in residual_lines(motion.residuals))
    else:
        yield from _points(motion, tree)
    for note in motion.notes:
        yield f"  note      {note}"


def residual_lines(residuals: Residuals) -> Iterator[str]:
    """How well the points of a recording were met, line by line."""
    yield (
        f"fitted to {residuals.points} points ({residuals.skeleton}): "
        f"RMS {residuals.rms_mm:.1f} mm, in the worst frame {residuals.worst_rms_mm:.1f} at "
        f"{residuals.worst_rms_time_s:.3f} s, largest {residuals.largest_mm:.1f} mm "
        f"({residuals.largest_point} at {residuals.largest_time_s:.3f} s)"
    )
    if residuals.spine:
        yield residuals.spine


def _coordinates(motion: CoordinateMotion) -> Iterator[str]:
    values = np.where(motion.rotational, np.degrees(motion.values), motion.values)
    width = max(len(name) for name in motion.names)
    for name, turns, column in zip(motion.names, motion.rotational, values.T):
        if np.ptp(column) > 1e-9:
            unit = "deg" if turns else "m"
            yield f"  {name:{width}}  {column.min():9.3f} to {column.max():9.3f} {unit}"
    still = sum(np.ptp(column) <= 1e-9 for column in values.T)
    if still:
        yield f"  {still} others stay where they are"


def _points(motion: MarkerMotion | JointMotion, tree: Tree) -> Iterator[str]:
    positions_m = motion.positions_m
    seen = np.isfinite(positions_m).all(axis=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # frames without any point
        low, high = np.nanmin(positions_m, axis=1), np.nanmax(positions_m, axis=1)
        extent_m = np.nanmedian(high - low, axis=0)
    axes = " ".join(f"{axis} {length:.3f}" for axis, length in zip("XYZ", extent_m))
    yield f"  extent    {axes} m (median over frames; Y is up)"
    found = recognise(motion.names, (*own_skeletons(tree), *known_skeletons()))
    height_m = stature(positions_m, landmarks(motion.names, found)) if found else None
    if height_m is not None:
        yield f"  person    {height_m:.2f} m tall by limbs and trunk"
    if extent_m[1] < 0.6 * extent_m.max():
        longest = "XYZ"[int(np.argmax(extent_m))]
        yield f"            longest along {longest}: if that is the vertical, give --axes"
    nowhere = at_zero(positions_m) if isinstance(motion, MarkerMotion) else np.False_
    gaps = 1.0 - (seen & ~nowhere).mean(axis=0)
    missing = sorted(zip(-gaps, motion.names))[:5]
    told = ", ".join(f"{name} {-gap:.1%}" for gap, name in missing if gap < 0)
    yield f"  missing   {told or 'nothing'}{' (with those at 0 0 0)' if nowhere.any() else ''}"
    if found is None:
        yield "  skeleton  none of the known ones; give --skeleton FILE to convert it"
    else:
        count = len(found.found_in(motion.names))
        yield f"  skeleton  {found.name} ({found.title}), {count} of {len(found.points)} points"
    names = ", ".join(motion.names[:40])
    yield f"  names     {names}{' ...' if len(motion.names) > 40 else ''}"
