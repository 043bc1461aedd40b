"""The features by which people are matched: pose, scale, view, and how the trunk lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from spinetrack_synth.gap import person_attributes
from spinetrack_synth.gap.labels import Floats, Ints, Labels

COMPONENTS: Final = 6
"""Main components of the poses: nine tenths of the spread of the pose library."""
TRUNKS: Final = ("upright", "leaning", "lying", "upside down", "end on")
TRUNK_EDGES_DEG: Final = (25.0, 60.0, 120.0)
"""From upright to leaning, to lying, to upside down: angle of the trunk with the picture's up."""
LEAST_SPREAD: Final = 0.2
"""Of unit vectors: where all trunks point one way, a few degrees make nobody unlike."""


@dataclass(frozen=True, eq=False)
class MatchingFeatures:
    """People of one side: ``features`` (N, d) by whose distance they are alike, ``trunk`` (N, 2)
    unit vectors up the trunk, 0 where it is seen end on; ``covariates`` (N,) by name, whose means
    matching has to make equal. nan where not known."""

    features: Floats
    trunk: Floats
    covariates: dict[str, Floats]

    @property
    def known(self) -> Ints:
        return np.flatnonzero(np.isfinite(self.features).all(1))


def trunk_direction(labels: Labels) -> Floats:
    """Unit vectors (N, 2) up the trunk, in the picture (y down); 0 where it is seen end on."""
    names = [name for name, _, _ in person_attributes.SEGMENTS]
    torso = person_attributes.segment_vectors(labels)[:, names.index("torso")]
    length = np.linalg.norm(torso, axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        direction = np.where(length < person_attributes.END_ON_M, 0.0, torso / length)
    return np.where(np.isfinite(length) & labels.people[:, None], direction, np.nan)


def lean_deg(direction: Floats) -> Floats:
    """Angle (N,) of the trunk with the picture's up, 0 upright to 180 upside down; nan end on."""
    seen = np.abs(direction).sum(1) > 0
    return np.where(seen, np.degrees(np.arccos(np.clip(-direction[:, 1], -1, 1))), np.nan)


def trunk_strata(labels: Labels) -> Ints:
    """How each trunk (N,) lies, as a number of ``TRUNKS``; -1 where it is not known."""
    direction = trunk_direction(labels)
    lean = lean_deg(direction)
    number = np.digitize(np.nan_to_num(lean), TRUNK_EDGES_DEG)
    number = np.where(np.isfinite(lean), number, TRUNKS.index("end on"))
    return np.where(np.isfinite(direction).all(1), number, -1)


def matching_features(
    labels: tuple[Labels, Labels], poses: tuple[Floats, Floats]
) -> tuple[MatchingFeatures, MatchingFeatures]:
    """Both sides' people by main components of the pose (together), logarithm of the height in
    pixels, direction of the trunk and how far it is turned: each with a spread of 1 over all."""
    sizes = [len(each) for each in poses]
    trunk = np.concatenate([trunk_direction(each) for each in labels])
    height = np.log(np.concatenate([person_attributes.height_px(each) for each in labels]))[:, None]
    view = np.concatenate([person_attributes.view(each) for each in labels])
    # 1 front, -1 back, 0 from the side or end on: what tells one view from another.
    turned = np.select([view < 0, view == 0, view == 1], [np.nan, 1.0, -1.0], 0.0)[:, None]
    pose = np.concatenate(poses)
    rows = np.isfinite(np.column_stack([pose, height, trunk, turned])).all(1)
    count = min(COMPONENTS, pose.shape[1])
    features = np.full((len(pose), count + 4), np.nan)
    main = np.full((len(pose), count), np.nan)
    if rows.sum() > count:
        centred = pose[rows] - pose[rows].mean(0)
        _, _, axes = np.linalg.svd(centred, full_matrices=False)
        main[rows] = centred @ axes[:count].T
        features[rows] = np.column_stack(
            [
                _even(main[rows], 1e-9),
                _even(height[rows], 1e-9),
                _even(trunk[rows], LEAST_SPREAD),
                _even(turned[rows], LEAST_SPREAD),
            ]
        )
    kind = np.concatenate([trunk_strata(each) for each in labels])
    covariates = {f"pose {n + 1}": main[:, n] for n in range(count)}
    covariates["height"] = height[:, 0]
    covariates["lean"] = lean_deg(trunk)
    covariates |= {
        f"trunk {name}": np.where(rows, kind == n, np.nan) for n, name in enumerate(TRUNKS)
    }
    covariates |= {
        f"view {name}": np.where(rows, view == n, np.nan)
        for n, name in enumerate(person_attributes.VIEWS)
        if name not in TRUNKS
    }
    parts = (slice(0, sizes[0]), slice(sizes[0], None))
    first, second = (
        MatchingFeatures(features[s], trunk[s], {name: v[s] for name, v in covariates.items()})
        for s in parts
    )
    return first, second


def _even(block: Floats, least: float) -> Floats:
    """A block (N, k) of features, centred, with a spread of 1 in all."""
    centred = block - block.mean(0)
    even: Floats = centred / max(float(np.sqrt((centred**2).sum(1).mean())), least)
    return even
