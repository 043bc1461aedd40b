"""The size of a person from a static trial: segment lengths between markers, as OpenSim scales."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.anatomy.kinematics import marker_positions
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.anatomy.scaling import scale_tree
from spinetrack_synth.errors import UserError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Measurement:
    """Bodies that grow along ``axes`` with the mean ratio of distances between marker ``pairs``."""

    name: str
    pairs: tuple[tuple[str, str], ...]
    bodies: tuple[str, ...]
    axes: str = "XYZ"


def _sides(first: str, second: str) -> tuple[tuple[str, str], ...]:
    return tuple((f"{side}_{first}", f"{side}_{second}") for side in ("left", "right"))


def _both(*bodies: str) -> tuple[str, ...]:
    return tuple(f"{body}_{side}" for body in bodies for side in "rl")


_LUMBAR: Final = tuple(f"L{level}" for level in range(5, 0, -1))
_THORACIC: Final = tuple(f"T{level}" for level in range(12, 0, -1))
_CERVICAL: Final = tuple(f"C{level}" for level in range(7, 0, -1))

KEYPOINT_MEASUREMENTS: Final = (
    Measurement("pelvis", (("left_hip", "right_hip"),), ("pelvis",)),
    Measurement(
        "lumbar", (("hip", "spine_01"), ("spine_01", "spine_02"), ("spine_02", "spine_03")),
        ("sacrum", *_LUMBAR),
    ),
    Measurement(
        "thoracic", (("spine_03", "spine_04"), ("spine_04", "spine_05"), ("spine_05", "neck")),
        _THORACIC, "XY",
    ),
    Measurement("chest width", (("left_latissimus", "right_latissimus"),), _THORACIC, "Z"),
    Measurement("cervical", (("neck", "neck_02"), ("neck_02", "neck_03")), _CERVICAL),
    Measurement("skull", (("neck_03", "head"), ("left_ear", "right_ear")), ("skull",)),
    Measurement("clavicles", _sides("clavicle", "shoulder"), _both("clavicle")),
    Measurement("upper arms", _sides("shoulder", "elbow"), _both("humerus")),
    Measurement("forearms", _sides("elbow", "wrist"), _both("ulna", "radius", "hand")),
    Measurement("thighs", _sides("hip", "knee"), _both("femur")),
    Measurement("shanks", _sides("knee", "ankle"), _both("tibia")),
    Measurement("feet", _sides("heel", "big_toe"), _both("talus", "calcn", "toes")),
)  # fmt: skip
"""How the project's own model is scaled to the 37 keypoints; left and right alike."""


def measured_factors(
    tree: Tree,
    markers: Sequence[str],
    positions_m: ArrayLike,
    measurements: Sequence[Measurement] = KEYPOINT_MEASUREMENTS,
) -> Array:
    """Scale factors (B, 3) from a static trial (F, M, 3) m, NaN where a marker is missing.

    Each pair's ratio is its mean distance over the frames to its distance in the model at its
    default coordinates; a measurement is the mean of its pairs (OpenSim's ModelScaler does the
    same). Pairs that the trial lacks are left out; bodies that nothing measures take the mean of
    all measurements. Raises UserError where the trial has no pair at all.
    """
    positions_m = np.asarray(positions_m, dtype=float)
    column = {name: i for i, name in enumerate(markers)}
    at_rest = marker_positions(tree, tree.default_coordinates)
    factors = np.full((len(tree.bodies), 3), np.nan)
    found = []
    for measurement in measurements:
        ratios = []
        for a, b in measurement.pairs:
            if not {a, b} <= column.keys() & tree.marker_index.keys():
                continue
            apart = positions_m[:, column[a]] - positions_m[:, column[b]]
            apart_m = np.linalg.norm(apart, axis=1)
            if np.isfinite(apart_m).any():
                in_model = at_rest[tree.marker_index[a]] - at_rest[tree.marker_index[b]]
                ratios.append(np.nanmean(apart_m) / np.linalg.norm(in_model))
        if ratios:
            found.append(float(np.mean(ratios)))
            for body in measurement.bodies:
                if body in tree.body_index:
                    for axis in measurement.axes:
                        factors[tree.body_index[body], "XYZ".index(axis)] = found[-1]
    if not found:
        pairs = [f"{a}-{b}" for measurement in measurements for a, b in measurement.pairs]
        raise UserError(
            f"the static trial measures nothing of {tree.name}: it needs markers such as "
            f"{', '.join(pairs[:4])}"
        )
    return np.where(np.isnan(factors), np.mean(found), factors)


def scale_to_person(tree: Tree, factors: ArrayLike, mass_kg: float | None = None) -> Tree:
    """The model scaled body by body, its masses in proportion to a person's mass."""
    scaled = scale_tree(tree, factors)
    if mass_kg is None:
        return scaled
    return dataclasses.replace(scaled, mass_kg=tree.mass_kg * (mass_kg / tree.mass_kg.sum()))
