"""The measures of a set of people, each a mean that can be weighed person by person.

Everything is a quotient of two sums over people, so that a stratum is a mask, a matched set are
weights, and a bootstrap counts people several times: no measure has to be computed again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from spinetrack_synth import skeleton
from spinetrack_synth.gap import taxonomy
from spinetrack_synth.gap.baselines import HEAD, INNER, interpolated
from spinetrack_synth.gap.labels import Bools, Floats, Labels
from spinetrack_synth.gap.oks import groups_of, keypoint_similarity
from spinetrack_synth.gap.pairing import Pairs
from spinetrack_synth.gap.spine_shape import SPINE, curvatures, level_slips, spine_length

PCK_BOX: Final = 0.05
"""A keypoint within this share of the box's diagonal is correct (PCK)."""
AUC_BOX: Final = 0.10
"""Area under the PCK curve from 0 to this share."""
PCK_TORSO: Final = 0.2
LEAST_TORSO: Final = 0.1
"""Torsos shorter than this share of the box's diagonal are seen end on and measure nothing."""


@dataclass(frozen=True, eq=False)
class Table:
    """Measures of N people: ``above`` and ``below`` (N, M), the value of a measure is the sum of
    the one over the sum of the other. ``better`` is +1 where more is better, -1 where less is,
    0 where it is neither."""

    names: tuple[str, ...]
    above: Floats
    below: Floats
    better: tuple[int, ...]

    def values(self, weights: Floats | Bools | None = None) -> Floats:
        """The measures (M,) with people weighed (N,); nan where nobody has one."""
        w = np.ones(len(self.above)) if weights is None else weights.astype(np.float64)
        return quotient(w @ self.above, w @ self.below)

    def column(self, name: str) -> Floats:
        """A measure of each person (N,), nan where they have none."""
        at = self.names.index(name)
        return quotient(self.above[:, at], self.below[:, at])


def quotient(above: Floats, below: Floats) -> Floats:
    """above / below, nan where below is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, above / below, np.nan)


@dataclass(frozen=True, eq=False)
class Errors:
    """Single errors: ``px`` (N, 37) distance to the label, nan where not judged; ``box`` and
    ``torso`` the same over box diagonal and torso; ``similarity`` (N, 37); ``kinds`` (N, 37) of
    ``taxonomy``; ``offset`` (N, 37, 2) of the prediction from the label over the box diagonal."""

    px: Floats
    box: Floats
    torso: Floats
    similarity: Floats
    kinds: np.ndarray
    offset: Floats


def errors_of(labels: Labels, pairs: Pairs) -> Errors:
    """The errors of all keypoints that are labelled and predicted."""
    judged = (labels.v > 0) & labels.people[:, None] & pairs.found[:, None]
    offset = np.where(judged[..., None], pairs.points - labels.points, np.nan)
    px = np.linalg.norm(offset, axis=-1)
    diagonal = np.hypot(labels.boxes[:, 2], labels.boxes[:, 3])
    diagonal = np.where(diagonal > 0, diagonal, np.nan)[:, None]
    torso = torso_length(labels)[:, None]
    torso = np.where(torso > LEAST_TORSO * diagonal, torso, np.nan)
    return Errors(
        px=px,
        box=px / diagonal,
        torso=px / torso,
        similarity=np.where(
            judged, keypoint_similarity(pairs.points, labels.points, labels.areas), np.nan
        ),
        kinds=taxonomy.classify(labels, pairs),
        offset=offset / diagonal[..., None],
    )


def torso_length(labels: Labels) -> Floats:
    """Middle of the shoulders to middle of the hips (N,) px; nan where one is not labelled."""
    points = np.where((labels.v > 0)[..., None], labels.points, np.nan)
    shoulders, hips = (
        (points[:, skeleton.INDEX[f"left_{part}"]] + points[:, skeleton.INDEX[f"right_{part}"]]) / 2
        for part in ("shoulder", "hip")
    )
    length: Floats = np.linalg.norm(shoulders - hips, axis=1)
    return length


def table_of(labels: Labels, pairs: Pairs, errors: Errors, judged: Bools) -> Table:
    """All measures of the people; ``judged`` (37,) keypoints that labels and model have."""
    columns: list[tuple[str, Floats, Floats, int]] = []

    def add(name: str, values: Floats, better: int) -> None:
        """A mean over all values (N, ...) that are not nan."""
        flat = values.reshape(len(values), -1)
        columns.append((name, np.nansum(flat, axis=1), np.isfinite(flat).sum(1) * 1.0, better))

    people = labels.people
    add("people.found", np.where(people, pairs.found * 1.0, np.nan), 1)
    for group, indices in groups_of(judged).items():
        rows = list(indices)
        box, torso = errors.box[:, rows], errors.torso[:, rows]
        add(f"{group}.error", box, -1)
        add(f"{group}.error_torso", torso, -1)
        add(f"{group}.similarity", errors.similarity[:, rows], 1)
        add(f"{group}.pck", _share(box, box <= PCK_BOX), 1)
        add(f"{group}.pck_torso", _share(torso, torso <= PCK_TORSO), 1)
        add(f"{group}.auc", np.clip(1 - box / AUC_BOX, 0, 1), 1)
        kinds = errors.kinds[:, rows]
        for number, kind in enumerate(taxonomy.KINDS):
            if kind != "level slip" or set(rows) & set(SPINE):
                share = np.where(kinds == taxonomy.NONE, np.nan, kinds == number)
                add(f"{group}.{kind.replace(' ', '_')}", share, 1 if kind == "good" else -1)
    if judged[SPINE].all():
        columns += _spine(labels, pairs, judged)
    for index in np.flatnonzero(judged):
        scope = f"keypoint.{skeleton.NAMES[index]}"
        box, torso = errors.box[:, index], errors.torso[:, index]
        add(f"{scope}.error", box, -1)
        add(f"{scope}.error_torso", torso, -1)
        add(f"{scope}.pck", _share(box, box <= PCK_BOX), 1)
        add(f"{scope}.auc", np.clip(1 - box / AUC_BOX, 0, 1), 1)
    names, above, below, better = zip(*columns)
    return Table(names, np.stack(above, axis=1), np.stack(below, axis=1), better)


def _share(values: Floats, correct: Bools) -> Floats:
    return np.where(np.isfinite(values), correct * 1.0, np.nan)


def _spine(labels: Labels, pairs: Pairs, judged: Bools) -> list[tuple[str, Floats, Floats, int]]:
    """Measures of the spine as a whole, of people whose nine points are all labelled."""
    labelled = (labels.v[:, SPINE] > 0).all(1) & labels.people & pairs.found
    truth = np.where(labelled[:, None, None], labels.points[:, SPINE], np.nan)
    found = pairs.points[:, SPINE]
    length = spine_length(truth)
    length = np.where(length > 0, length, np.nan)
    error = np.linalg.norm(found - truth, axis=2)
    columns = [_column("spine.error_length", error / length[:, None], -1)]
    slipped, possible = level_slips(found, truth, labels.v[:, SPINE] > 0)
    columns.append(_column("spine.slip_rate", np.where(possible, slipped, np.nan), -1))
    for (name, meant), turned in zip(curvatures(truth).items(), curvatures(found).values()):
        difference = np.abs((turned - meant + 180) % 360 - 180)
        columns.append(_column(f"spine.{name}_deg", difference, -1))
    if judged[HEAD]:
        inner = [SPINE.index(index) for index in INNER]
        for name, ends in (("skill", pairs.points), ("skill_known_ends", labels.points)):
            usable = labels.v[:, HEAD] > 0
            guessed = interpolated(np.where(usable[:, None, None], ends, np.nan))[:, SPINE]
            naive = (np.linalg.norm(guessed - truth, axis=2) / length[:, None])[:, inner]
            own = (error / length[:, None])[:, inner]
            both = np.isfinite(naive) & np.isfinite(own)
            above = np.where(both, naive - own, 0.0).sum(1)
            columns.append((f"spine.{name}", above, np.where(both, naive, 0.0).sum(1), 1))
    return columns


def _column(name: str, values: Floats, better: int) -> tuple[str, Floats, Floats, int]:
    flat = values.reshape(len(values), -1).astype(np.float64)
    return name, np.nansum(flat, axis=1), np.isfinite(flat).sum(1) * 1.0, better


HEADLINES: Final[Sequence[str]] = (
    "people.found", "all.error", "body.error", "feet.error", "spine.error", "all.pck", "body.pck",
    "spine.pck", "all.auc", "body.auc", "spine.auc", "spine.error_length", "spine.slip_rate",
    "spine.lumbar_deg", "spine.thoracic_deg", "spine.skill", "spine.skill_known_ends",
)  # fmt: skip
"""What is told first, as far as it can be judged."""

TITLES: Final[dict[str, str]] = {
    "people.found": "people found",
    "error": "error / box diagonal",
    "error_torso": "error / torso",
    "similarity": "keypoint similarity",
    "pck": f"PCK at {PCK_BOX:g} of the box diagonal",
    "pck_torso": f"PCK at {PCK_TORSO:g} of the torso",
    "auc": f"AUC of PCK up to {AUC_BOX:g}",
    "spine.error_length": "spine: error / spine length",
    "spine.slip_rate": "spine: nearer to the next level",
    "spine.lumbar_deg": "spine: lumbar curvature error, degrees",
    "spine.thoracic_deg": "spine: thoracic curvature error, degrees",
    "spine.skill": "spine: skill over interpolating its own ends",
    "spine.skill_known_ends": "spine: skill over interpolating the true ends",
}


def title(name: str) -> str:
    """A measure's name in words."""
    if name in TITLES:
        return TITLES[name]
    *scope, kind = name.split(".")
    return f"{scope[-1] if scope else ''}: {TITLES.get(kind, kind.replace('_', ' '))}"
