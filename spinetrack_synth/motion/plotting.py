"""Motions drawn over time."""

from __future__ import annotations

import difflib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import CoordinateMotion, Motion

FORMATS: Final = (".png", ".svg", ".pdf")


def plot_motion(motion: Motion, path: Path, names: Sequence[str] | None = None) -> None:
    """Draw coordinates (degrees, metres) or points (X, Y, Z in metres) over time into a file.

    Without ``names``, what does not move is left out. Raises UserError for an unknown name, an
    unknown ending of the path, and where it cannot be written.
    """
    if path.suffix.lower() not in FORMATS:
        raise UserError(f"{path}: a plot ends in {', '.join(FORMATS)}")
    for name in names or ():
        if name not in motion.names:
            near = difflib.get_close_matches(name, motion.names, n=1, cutoff=0.0)
            raise UserError(f"{motion.source}: has no '{name}', did you mean '{near[0]}'?")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    chosen = [i for i, name in enumerate(motion.names) if names is None or name in names]
    if isinstance(motion, CoordinateMotion):
        moving = [i for i in chosen if names or np.ptp(motion.values[:, i]) > 1e-6]
        panels = []
        for turns, label in ((True, "degrees"), (False, "metres")):
            group = [i for i in moving if motion.rotational[i] == turns]
            for first in range(0, len(group), 8):
                some = group[first : first + 8]
                values = motion.values[:, some]
                panels.append((label, some, np.degrees(values) if turns else values))
    else:
        panels = [
            (f"{a}, m", chosen, motion.positions_m[:, chosen, k]) for k, a in enumerate("XYZ")
        ]
    figure = Figure(figsize=(9, 2.6 * max(len(panels), 1)), layout="constrained")
    FigureCanvasAgg(figure)
    for row, (label, columns, values) in enumerate(panels, start=1):
        axis = figure.add_subplot(len(panels), 1, row)
        axis.plot(motion.times_s, values, linewidth=1.0)
        axis.set_ylabel(label)
        axis.grid(alpha=0.3)
        if len(columns) <= 8:
            axis.legend([motion.names[i] for i in columns], fontsize=7, loc="upper right")
    if panels:
        axis.set_xlabel("s")
    picture = io.BytesIO()
    figure.savefig(picture, format=path.suffix.lower()[1:], dpi=110)
    write_atomic(path, picture.getvalue())
