"""The report of a comparison as files: the page and its figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.gap.comparison import Comparison
from spinetrack_synth.gap.gates import Judged
from spinetrack_synth.gap.report import data, page


def write_report(
    folder: Path, comparison: Comparison, model: str, judged: Sequence[Judged] = ()
) -> Path:
    """Write ``report.html`` and ``report.json`` into a folder; the page's path."""
    figures = data.to_json(comparison, model, judged)
    shown = folder / "report.html"
    write_atomic(shown, page.render(comparison, model, judged).encode())
    write_atomic(folder / "report.json", (json.dumps(figures, indent=1) + "\n").encode())
    return shown
