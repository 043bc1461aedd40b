"""Which markers of a recording fit a model, and whether names and units can be right."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence

import numpy as np

from spinetrack_synth.anatomy.kinematics import marker_positions
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import MarkerMotion


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
        raise UserError(
            f"{where}: none of its {len(unknown)} markers is in the model {tree.name}: "
            f"{_nearest(unknown, tree.marker_names)}"
        )
    for name in unknown:
        meant = next((other for other in idle if is_slip(name, other)), None)
        if meant is not None:
            raise UserError(
                f"{where}: marker '{name}' is not in the model {tree.name}; nearest: '{meant}': "
                "rename it in the file"
            )
    remarks = []
    if unknown:
        remarks.append(
            f"not in the model, left out: {', '.join(unknown[:8])}{_more(unknown, 8)}"
            f" (nearest: {_nearest(unknown, tree.marker_names)})"
        )
    absent = [name for name in wanted if name not in motion.names]
    unwanted = [name for name in motion.names if name not in wanted]
    for name in absent:
        meant = next((other for other in unwanted if is_slip(name, other)), None)
        if meant is not None:
            raise UserError(
                f"{where}: the tasks want marker '{name}', which is not in it; nearest: '{meant}': "
                "rename it in the tasks or in the file"
            )
    if absent:
        remarks.append(
            f"wanted by the tasks, not in {where}: {', '.join(absent[:8])}{_more(absent, 8)}"
            f" (nearest: {_nearest(absent, motion.names)})"
        )
    return tuple(remarks)


def _nearest(names: Sequence[str], among: Sequence[str], count: int = 3) -> str:
    pairs = []
    for name in names[:count]:
        near = difflib.get_close_matches(name, among, n=1, cutoff=0.0)
        pairs.append(f"'{name}' - '{near[0]}'" if near else f"'{name}' - nothing")
    return ", ".join(pairs) + _more(names, count)


def _more(names: Sequence[str], count: int) -> str:
    return f" and {len(names) - count} more" if len(names) > count else ""


def is_slip(name: str, meant: str) -> bool:
    """Whether two names differ by case and punctuation, or by one slip in a longer word.

    A letter left out, added, exchanged with its neighbour or, inside the word, another one; never
    a digit and never the last letter for another one, by which series of markers are numbered.
    """
    a, b = (_bare(text) for text in (name, meant))
    if a == b:
        return True
    if min(len(a), len(b)) < 5 or abs(len(a) - len(b)) > 1:
        return False
    if [c for c in a if c.isdigit()] != [c for c in b if c.isdigit()] or a[0] != b[0]:
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
