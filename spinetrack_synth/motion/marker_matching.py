"""Which markers of a recording fit a model, and whether names and units can be right."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Final

import numpy as np

from spinetrack_synth.anatomy.kinematics import marker_positions
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import MarkerMotion

NEAR: Final = 0.75
"""Likeness of two names (difflib's ratio) from which one may be meant by the other."""

LONG: Final = 5
"""Letters from which likeness says something: many a pair of four-letter names is alike."""

SHOWN: Final = 8
"""So many names stand in a remark."""


def respelt(names: Iterable[str], among: Iterable[str]) -> dict[str, str]:
    """The names that are one of ``among`` but for case or a prefix ("Subject01:LASI"), each with
    the one that is meant. Where that is not clear, or the meant one is there itself, none is."""
    names, among = tuple(names), set(among)
    candidates = _by_core(among - set(names))
    cores = _by_core(name for name in names if name not in among)
    return {
        found[0]: candidates[core][0]
        for core, found in cores.items()
        if len(found) == 1 and len(candidates.get(core, ())) == 1
    }


def as_spelt(names: Iterable[str], among: Iterable[str]) -> set[str]:
    """The names, those that are one of ``among`` but for case or a prefix as it is spelt there."""
    names = tuple(names)
    meant = respelt(names, among)
    return {meant.get(name, name) for name in names}


def as_in_model(tree: Tree, motion: MarkerMotion) -> tuple[MarkerMotion, tuple[str, ...]]:
    """The recording with its markers named as in the model where they are but spelt otherwise,
    and a remark on it."""
    meant = respelt(motion.names, tree.marker_names)
    if not meant:
        return motion, ()
    names = tuple(meant.get(name, name) for name in motion.names)
    said = [f"{name} - {other}" for name, other in meant.items()]
    remark = f"{motion.source or 'markers'}: spelt otherwise in the model and read so: {_few(said)}"
    return dataclasses.replace(motion, names=names), (remark,)


def is_left_out(name: str, patterns: Iterable[str]) -> bool:
    """Whether a marker is one of those named, in full or with ``*`` ("Ben:*")."""
    return any(name == pattern or fnmatchcase(name, pattern) for pattern in patterns)


def without(motion: MarkerMotion, patterns: Collection[str]) -> MarkerMotion:
    """The recording without some of its markers (`is_left_out`).

    Raises UserError where none is left.
    """
    kept = [i for i, name in enumerate(motion.names) if not is_left_out(name, patterns)]
    if not kept:
        raise UserError(f"{motion.source}: no marker is left")
    left = tuple(motion.names[i] for i in kept)
    return dataclasses.replace(motion, names=left, positions_m=motion.positions_m[:, kept])


def without_nought(motion: MarkerMotion) -> tuple[MarkerMotion, tuple[str, ...]]:
    """The recording without the markers that are at exactly 0 0 0 in every frame in which they are
    anywhere, where programs put what they never saw, and a remark on them."""
    somewhere = np.any(np.nan_to_num(motion.positions_m), axis=(0, 2))
    seen = np.any(np.isfinite(motion.positions_m), axis=(0, 2))
    nought = [name for i, name in enumerate(motion.names) if seen[i] and not somewhere[i]]
    if not nought or len(nought) == len(motion.names):
        return motion, ()
    remark = f"{motion.source or 'markers'}: at 0 0 0 in every frame, left out: {_few(nought)}"
    return without(motion, nought), (remark,)


def check_left_out(patterns: Iterable[str], motion: MarkerMotion) -> None:
    """Raises UserError for a name to be left out that is none of the recording's markers."""
    for name in patterns:
        if not any(is_left_out(other, [name]) for other in motion.names):
            near = _nearest([name], motion.names)
            hint = f"; nearest: {near[0][1]}" if near else ""
            raise UserError(f"--leave-out {name}: {motion.source} has no such marker{hint}")


def check_names(tree: Tree, motion: MarkerMotion, wanted: Collection[str] = ()) -> tuple[str, ...]:
    """Remarks on markers that are left out: not in the model, or wanted and not in the recording.

    Raises UserError where no marker is in the model, or where a name is that of one of the
    model's markers but for a slip of the pen, or a wanted name that of one of the recording's.
    A wanted marker that is nowhere near is only remarked on: published tasks list markers of
    recordings other than the one at hand.
    """
    where = motion.source or "markers"
    unknown = [name for name in motion.names if name not in tree.marker_index]
    idle = [name for name in tree.marker_names if name not in motion.names]
    if len(unknown) == len(motion.names):
        if people := _people(unknown):
            raise UserError(
                f"{where}: holds markers of {len(people)} people ({_few(people)}): fit one at a "
                f"time, with --leave-out '{people[-1]}:*'"
            )
        has = f"it has {_few(tree.marker_names, 4)}" if tree.marker_names else "it has none"
        raise UserError(
            f"{where}: none of its {len(unknown)} markers ({_few(unknown, 4)}) is in the model "
            f"{tree.name}: {has}{_hint(unknown, tree.marker_names)}: give the model of these "
            "markers, or a marker set that has them (--markers-on)"
        )
    for name in unknown:
        if (meant := _slip_of(name, idle)) is not None:
            raise UserError(
                f"{where}: marker '{name}' is not in the model {tree.name}; nearest: '{meant}': "
                f"rename it in the file, or give --leave-out '{name}'"
            )
    remarks = []
    if unknown:
        remarks.append(
            f"not in the model, left out: {_few(unknown)}{_hint(unknown, tree.marker_names)}"
        )
    absent = [name for name in wanted if name not in motion.names]
    unwanted = [name for name in motion.names if name not in wanted]
    for name in absent:
        if (meant := _slip_of(name, unwanted)) is not None:
            raise UserError(
                f"{where}: the tasks want marker '{name}', which is not in it; nearest: '{meant}': "
                f"rename it in the tasks or in the file, or give --leave-out '{name}'"
            )
    if absent:
        remarks.append(
            f"wanted by the tasks, not in {where}: {_few(absent)}{_hint(absent, motion.names)}"
        )
    return tuple(remarks)


def _slip_of(name: str, among: Iterable[str]) -> str | None:
    """The first name of which this one is a slip of the pen."""
    return next((other for other in among if is_slip(name, other)), None)


def _by_core(names: Iterable[str]) -> dict[str, list[str]]:
    """Names by what is left of them without a prefix and without case."""
    by_core: dict[str, list[str]] = {}
    for name in names:
        core = name.replace("|", ":").rpartition(":")[2].strip().casefold()
        by_core.setdefault(core, []).append(name)
    return by_core


def _people(names: Iterable[str]) -> list[str]:
    """The prefixes before a colon under which the same markers stand several times."""
    several = [found for found in _by_core(names).values() if len(found) > 1]
    return list(dict.fromkeys(n.rpartition(":")[0] for found in several for n in found if ":" in n))


def _hint(names: Sequence[str], among: Sequence[str]) -> str:
    """The names that may be meant, in brackets; nothing where none is near."""
    pairs = [f"'{name}' - '{near}'" for name, near in _nearest(names, among)]
    return f" (nearest: {_few(pairs, 3)})" if pairs else ""


def _nearest(names: Sequence[str], among: Sequence[str]) -> list[tuple[str, str]]:
    """Each name that has a near one among others, with the nearest."""
    bare = {other: _bare(other) for other in among}
    pairs = []
    for name in names:
        own = _bare(name)
        like = {
            other: difflib.SequenceMatcher(None, own, text).ratio()
            for other, text in bare.items()
            if _digits(own) == _digits(text)
            and not _is_other_side(own, text)
            and (min(len(own), len(text)) >= LONG or text.startswith(own) or own.startswith(text))
        }
        best = max(like, key=lambda other: like[other], default=None)
        if best is not None and like[best] >= NEAR:
            pairs.append((name, best))
    return pairs


def _few(names: Sequence[str], count: int = SHOWN) -> str:
    more = f" and {len(names) - count} more" if len(names) > count else ""
    return ", ".join(names[:count]) + more


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


def _is_other_side(a: str, b: str) -> bool:
    """Whether two names are those of a left and a right marker."""
    a, b = (text.replace("left", "l").replace("right", "r") for text in (a, b))
    unlike = [{x, y} for x, y in zip(a, b) if x != y]
    return len(a) == len(b) and unlike == [{"l", "r"}]


def is_slip(name: str, meant: str) -> bool:
    """Whether two names differ by case and punctuation, or by one slip in a longer word.

    A letter left out, added, exchanged with its neighbour or, inside the word, another one; never
    a digit and never the last letter for another one, by which series of markers are numbered.
    """
    a, b = (_bare(text) for text in (name, meant))
    if a == b:
        return True
    if min(len(a), len(b)) < LONG or abs(len(a) - len(b)) > 1:
        return False
    if _digits(a) != _digits(b) or a[0] != b[0]:
        return False
    if len(a) == len(b):
        unlike = [i for i, (x, y) in enumerate(zip(a, b)) if x != y]
        if len(unlike) == 1:
            return unlike[0] < len(a) - 1
        swapped = len(unlike) == 2 and unlike[1] == unlike[0] + 1
        return swapped and a[unlike[0]] == b[unlike[1]] and a[unlike[1]] == b[unlike[0]]
    short, long = sorted((a, b), key=len)
    return any(short == long[:i] + long[i + 1 :] for i in range(len(long)))


def _bare(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def check_units(tree: Tree, motion: MarkerMotion) -> None:
    """Raises UserError where the recording is a thousand or a hundred times the model's size.

    Compared is how far the markers spread round their centre, in the frame where most are seen.
    """
    names = [name for name in motion.names if name in tree.marker_index]
    columns = [motion.names.index(name) for name in names]
    positions_m = motion.positions_m[:, columns]
    seen: np.ndarray = np.all(np.isfinite(positions_m), axis=2)
    frame = int(np.argmax(seen.sum(axis=1)))
    here = seen[frame]
    if here.sum() < 3:
        return
    at_rest = marker_positions(tree, tree.default_coordinates)
    in_model = at_rest[[tree.marker_index[name] for name in names]][here]
    ratio = _spread(positions_m[frame][here]) / max(_spread(in_model), 1e-9)
    where = motion.source or "markers"
    for factor, found, meant in (
        (1000.0, "millimetres", "m"), (0.001, "metres", "mm"),
        (100.0, "centimetres", "m"), (0.01, "metres", "cm"),
    ):  # fmt: skip
        if factor / 3 < ratio < factor * 3:
            raise UserError(
                f"{where}: the markers are {ratio:.3g} times the model's size: the numbers are "
                f"{found} but the file says {meant}; correct its units"
            )


def _spread(points: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.sum((points - points.mean(axis=0)) ** 2, axis=1))))
