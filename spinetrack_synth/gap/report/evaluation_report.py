"""An evaluation, perhaps beside that of a second model, as text, as JSON or as a page."""

from __future__ import annotations

import json
from typing import Literal

from spinetrack_synth.gap import agreement_tables, tables
from spinetrack_synth.gap.evaluation import Evaluation
from spinetrack_synth.gap.labels import pictures_folder
from spinetrack_synth.gap.report import evaluation_page
from spinetrack_synth.gap.running import Source
from spinetrack_synth.gap.versus import agreement_of, clusters_of, versus

Form = Literal["text", "json", "html"]


def render(
    form: Form,
    evaluation: Evaluation,
    source: Source,
    rival: tuple[Evaluation, Source] | None = None,
) -> str:
    """The report as one string; ``rival`` is a second model on the same labels and whence it came.
    Raises UserError where a page is asked for and ``source`` names a folder without pictures."""
    agreement = agreement_of(evaluation)
    _, clustered_by = clusters_of(evaluation.labels)
    compared = None if rival is None else versus(evaluation, rival[0])
    other = "" if rival is None else rival[1].name
    if form == "html":
        folder = pictures_folder(evaluation.labels, source.images)
        return evaluation_page.render(
            evaluation, agreement, clustered_by, source.name, folder, compared, other
        )
    if form == "json":
        figures = tables.to_json(evaluation, source.name)
        figures["agreement"] = agreement_tables.agreement_json(agreement, clustered_by)
        if compared is not None:
            figures["against"] = agreement_tables.versus_json(compared, source.name, other)
        return json.dumps(figures, indent=1) + "\n"
    parts = [tables.to_text(evaluation, source.name)]
    if agreement:
        parts.append(agreement_tables.agreement_text(agreement, clustered_by) + "\n")
    if compared is not None:
        parts.append(agreement_tables.versus_text(compared, source.name, other) + "\n")
    return "\n".join(parts)
