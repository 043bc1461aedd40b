"""What there is to say about a fit, line by line, for people who read it on a terminal."""

from __future__ import annotations

from typing import Final

import numpy as np

from spinetrack_synth.anatomy.ik import Solution
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.motion.opensim_reference import Check
from spinetrack_synth.motion.scaling import Person

Lines = tuple[str, ...]

VIOLATED: Final = 1e-4
"""What a constraint may be violated by (rad, m) without a word."""

WORSE_M2: Final = 1e-9
"""By how much an objective must be worse to count: 5 nm at a marker error of 10 cm."""

LEAPS: Final = 3
"""So many leaps are told one by one."""


def said_of_size(person: Person | None) -> Lines:
    """The scale factors of all bodies, those that are alike in one line, and the static pose;
    nothing of nobody."""
    if person is None:
        return ()
    alike: dict[str, list[str]] = {}
    for i in np.unique(person.tree.stands_for[person.tree.stands_for >= 0]):
        body, row, measured = person.tree.bodies[i], person.factors[i], person.measured[i]
        factors = "1" if np.all(row == 1) else " ".join(f"{factor:.4f}" for factor in row)
        said = f"{'' if measured else 'not measured, '}scaled by {factors}"
        alike.setdefault(said, []).append(body)
    lines = tuple(f"{said}: {', '.join(bodies)}" for said, bodies in alike.items())
    if person.static is None:
        return lines
    error_mm = 1000 * person.static.marker_error_m[0]
    worst = int(np.nanargmax(error_mm))
    return (
        *lines,
        f"static pose, before markers are moved: RMS {1000 * person.static.rms_m:.2f} mm, "
        f"largest {error_mm[worst]:.2f} mm ({person.static.markers[worst]})",
    )


def said_of_errors(solution: Solution) -> Lines:
    """How well the markers are met, the worst ones, and what they leave open."""
    error_mm = 1000 * solution.marker_error_m
    frame, marker = np.unravel_index(np.nanargmax(error_mm), error_mm.shape)
    with np.errstate(invalid="ignore"):
        seen = np.isfinite(error_mm)
        of_marker = np.sqrt((np.where(seen, error_mm, 0) ** 2).sum(axis=0) / seen.sum(axis=0))
    worst = np.argsort(-np.nan_to_num(of_marker))[:5]
    named = (f"{solution.markers[i]} {of_marker[i]:.2f}" for i in worst)
    lines = (
        f"{len(error_mm)} frames, {len(solution.markers)} markers: "
        f"RMS {1000 * solution.rms_m:.2f} mm, "
        f"largest {error_mm[frame, marker]:.2f} mm ({solution.markers[marker]}, frame {frame + 1})",
        f"worst markers, RMS mm: {', '.join(named)}",
    )
    if not (opened := solution.open_coordinates):
        return lines
    first = f"{', '.join(opened[:5])}{', ...' if len(opened) > 5 else ''}"
    return (
        *lines,
        f"markers wrong by {1000 * solution.axis_error_m:.2g} mm say next to nothing about "
        f"{len(opened)} coordinates: {first}; --prior 5 draws such to their defaults",
    )


def said_of_leaps(solution: Solution) -> Lines:
    """Where coordinates leap though their bones hardly turn."""
    lines = [
        f"{leap.coordinate} leaps by {np.degrees(leap.change_rad):.0f} deg from frame "
        f"{leap.frame + 1} to {leap.frame + 2}, where its bones turn by "
        f"{np.degrees(leap.turn_rad):.1f} deg"
        for leap in solution.leaps[:LEAPS]
    ]
    if len(solution.leaps) > LEAPS:
        lines.append(f"and {len(solution.leaps) - LEAPS} more such leaps")
    return tuple(lines)


def said_of_constraints(solution: Solution, whose: str) -> Lines:
    """Which constraints a solution (``whose``: "the fit") violates, or that it holds them all."""
    violated = {name: by for name, by in solution.violations.items() if by > VIOLATED}
    if solution.violations and not violated:
        return (f"{whose} holds all {len(solution.violations)} constraints to {VIOLATED:g}",)
    return tuple(
        f"{whose} violates constraint {name} by up to {by:.2g} (rad, m)"
        for name, by in violated.items()
    )


def said_of_check(tree: Tree, ours: Solution, check: Check) -> Lines:
    """How a fit compares with OpenSim's, and how OpenSim reads it back."""
    theirs, apart, rows = check.solution, check.apart, check.frames
    turns = tree.rotational
    said = ""
    if turns.any():
        rms_deg = np.degrees(np.sqrt((apart[:, turns] ** 2).mean(axis=0)))
        names = [name for name, turn in zip(tree.coordinates, turns) if turn]
        worst = int(np.argmax(rms_deg))
        said = (
            f"coordinates differ by {rms_deg.mean():.4f} deg RMS on average, at most "
            f"{rms_deg[worst]:.4f} ({names[worst]}); "
        )
    worse = int(np.sum(ours.objective[rows] > theirs.objective + WORSE_M2))
    return (
        f"OpenSim on frames {rows[0] + 1} to {rows[-1] + 1}: {said}"
        f"weighted marker RMS {1000 * np.nanmean(theirs.frame_weighted_rms_m):.4f} mm, "
        f"ours {1000 * np.nanmean(ours.frame_weighted_rms_m[rows]):.4f}; "
        f"{worse} frames fit worse than OpenSim's",
        f"read back by OpenSim, the motion puts markers within {1000 * check.read_back_m:.2g} mm "
        "of where they are told",
        *said_of_constraints(theirs, "OpenSim"),
    )
