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


@dataclass(frozen=True)
class Measured:
    """What a static trial says of a model's size.

    ``factors`` (B, 3), NaN where nothing measures a body along an axis; ``ratios`` those of the
    measurements that the trial makes, in their order; ``pairs_missing`` by the name of a
    measurement: those of its marker pairs that the trial or the model lacks.
    """

    factors: Array
    ratios: tuple[float, ...]
    pairs_missing: dict[str, tuple[tuple[str, str], ...]]


def measure(
    tree: Tree,
    markers: Sequence[str],
    positions_m: ArrayLike,
    measurements: Sequence[Measurement] = KEYPOINT_MEASUREMENTS,
    *,
    whole: bool = False,
) -> Measured:
    """Scale factors from a static trial (F, M, 3) m, NaN where a marker is missing.

    Each pair's ratio is its mean distance over the frames to its distance in the model at its
    default coordinates; a measurement is the mean of its pairs (OpenSim's ModelScaler does the
    same). Pairs that are missing are left out, with ``whole`` their whole measurement, as OpenSim
    has it. Where several measure a body along an axis, the last one counts.
    """
    positions_m = np.asarray(positions_m, dtype=float)
    column = {name: i for i, name in enumerate(markers)}
    at_rest = marker_positions(tree, tree.default_coordinates)
    factors = np.full((len(tree.bodies), 3), np.nan)
    ratios: list[float] = []
    missing: dict[str, tuple[tuple[str, str], ...]] = {}
    for measurement in measurements:
        ratio_of: dict[tuple[str, str], float] = {}
        for a, b in measurement.pairs:
            if not {a, b} <= column.keys() & tree.marker_index.keys():
                continue
            apart = positions_m[:, column[a]] - positions_m[:, column[b]]
            apart_m = np.linalg.norm(apart, axis=1)
            in_model_m = np.linalg.norm(
                at_rest[tree.marker_index[a]] - at_rest[tree.marker_index[b]]
            )
            if np.isfinite(apart_m).any() and in_model_m > 0:
                ratio_of[a, b] = float(np.nanmean(apart_m) / in_model_m)
        lacking = tuple(pair for pair in measurement.pairs if pair not in ratio_of)
        if lacking:
            missing[measurement.name] = lacking
        if not ratio_of or (whole and lacking):
            continue
        factor = float(np.mean([ratio_of[pair] for pair in measurement.pairs if pair in ratio_of]))
        if not factor > 0:
            raise UserError(
                f"measurement {measurement.name}: its markers lie in one place in the static trial"
            )
        ratios.append(factor)
        for body in measurement.bodies:
            if body in tree.body_index:
                for axis in measurement.axes:
                    factors[tree.body_index[body], "XYZ".index(axis)] = factor
    return Measured(factors, tuple(ratios), missing)


def measured_factors(
    tree: Tree,
    markers: Sequence[str],
    positions_m: ArrayLike,
    measurements: Sequence[Measurement] = KEYPOINT_MEASUREMENTS,
) -> Array:
    """The factors (B, 3) of `measure`; bodies that nothing measures take the measurements' mean.

    Raises UserError where the trial has no pair at all.
    """
    measured = measure(tree, markers, positions_m, measurements)
    if not measured.ratios:
        raise measures_nothing(tree, measurements)
    return np.where(np.isnan(measured.factors), np.mean(measured.ratios), measured.factors)


def measures_nothing(tree: Tree, measurements: Sequence[Measurement]) -> UserError:
    """What to say of a static trial that has none of the marker pairs."""
    pairs = [f"{a}-{b}" for measurement in measurements for a, b in measurement.pairs]
    return UserError(
        f"the static trial measures nothing of {tree.name}: it needs markers such as "
        f"{', '.join(pairs[:4])}"
    )


def scale_to_person(
    tree: Tree, factors: ArrayLike, mass_kg: float | None = None, *, preserve_mass: bool = True
) -> Tree:
    """The model scaled body by body, its masses made to add up to a person's mass.

    Bodies keep their shares of it, or without ``preserve_mass`` grow with their volume first.
    """
    scaled = scale_tree(tree, factors)
    of_body = tree.mass_kg * (1.0 if preserve_mass else np.prod(np.asarray(factors), axis=1))
    total_kg = of_body.sum()
    if mass_kg is not None and total_kg > 0:
        of_body = of_body * (mass_kg / total_kg)
    return dataclasses.replace(scaled, mass_kg=of_body)
