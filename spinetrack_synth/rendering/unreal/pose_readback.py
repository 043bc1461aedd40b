"""Poses as the engine drew them: read back from the bones, held against mask and depth.

Nothing here mends anything. What does not fit raises, and the shot is drawn again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.model import fullbody
from spinetrack_synth.camera import Camera
from spinetrack_synth.rendering.unreal.errors import WrongPicture, WrongPose
from spinetrack_synth.shot import PosedPerson
from spinetrack_synth.skeleton import NAMES

TOLERANCE_M: Final = 0.001
TOLERANCE_DEG: Final = 0.1
"""How far a body may stand from where it was told to: Unreal's single-precision bones are a
hundred times as exact, a tenth of a degree moves a hand by 1 mm."""

SKIN_M: Final = 0.05
"""A skin point this much behind what the depth shows may still be the one that is seen: clothes."""

FEWEST_PIXELS: Final = 30
"""People of whom the skin touches fewer pixels prove nothing."""

SHOWN: Final = 0.9
"""Least share of the pixels where somebody's skin comes first that must be theirs in the mask (or
beside a pixel that is): whole people reach 0.98, one without a limb does not."""

AROUND_M: Final = 0.25
"""What is a person's in the mask lies no further than this from their skin: hair, wide clothes."""

BELONGING: Final = 0.95
"""Least share of a person's mask that must do so: pixels at the rim may show the depth behind."""

_SAMPLES: Final = 400


def read_back(person: PosedPerson, bones: Mapping[str, NDArray[np.float64]]) -> PosedPerson:
    """The person with the frames and keypoints of the bones (4, 4) world that the engine drew.

    Bones are found whatever the case of their names, which a packaged engine may change. Raises
    WrongPose where a body is missing or stands elsewhere than ``person`` says.
    """
    tree = fullbody()
    bones = {name.casefold(): frame for name, frame in bones.items()}
    missing = [body for body in tree.bodies if body.casefold() not in bones]
    if missing:
        raise WrongPose(f"{person.subject_id}: the engine's skeleton has no bone '{missing[0]}'")
    drawn = np.array([bones[body.casefold()] for body in tree.bodies])
    apart_m = np.linalg.norm(drawn[:, :3, 3] - person.body2world[:, :3, 3], axis=1)
    turned_deg = _angle_deg(drawn[:, :3, :3], person.body2world[:, :3, :3])
    wrong = np.maximum(apart_m / TOLERANCE_M, turned_deg / TOLERANCE_DEG)
    worst = int(np.argmax(wrong))
    if not wrong[worst] <= 1:
        raise WrongPose(
            f"{person.subject_id}: bone '{tree.bodies[worst]}' was drawn "
            f"{1000 * apart_m[worst]:.1f} mm and {turned_deg[worst]:.2f} degrees from its pose"
        )
    bodies = tree.marker_body[[tree.marker_index[name] for name in NAMES]]
    sent = person.body2world[bodies]
    offsets = np.einsum("kji,kj->ki", sent[:, :3, :3], person.keypoints_world - sent[:, :3, 3])
    there = drawn[bodies]
    keypoints = np.einsum("kij,kj->ki", there[:, :3, :3], offsets) + there[:, :3, 3]
    return replace(person, body2world=drawn, keypoints_world=keypoints)


def check_shown(
    people: tuple[PosedPerson, ...],
    camera: Camera,
    ids: NDArray[np.uint8],
    depth_m: NDArray[np.float32],
) -> None:
    """Raises WrongPicture unless mask and depth show each person where their skin is.

    Of everybody, most pixels where their skin is what the camera meets first must be theirs, and
    most pixels that are theirs must lie about their skin. So a person who is missing, hidden or
    half coloured is noticed, and a mask or a depth of another shot.
    """
    for number, person in enumerate(people, start=1):
        shown, pixels = _share_shown(person, camera, ids == number, depth_m)
        if pixels >= FEWEST_PIXELS and shown < SHOWN:
            raise WrongPicture(
                f"object_mask: shows {shown:.0%} of {person.subject_id} where it should show "
                f"all of {pixels} pixels"
            )
        around = _share_around(person, camera, ids == number, depth_m)
        if around < BELONGING:
            raise WrongPicture(
                f"object_mask: {1 - around:.0%} of what is {person.subject_id} lies elsewhere"
            )


def _share_shown(
    person: PosedPerson, camera: Camera, mask: NDArray[np.bool_], depth_m: NDArray[np.float32]
) -> tuple[float, int]:
    """Share of the pixels where a person's skin comes first that show them, and their number."""
    with np.errstate(invalid="ignore"):
        column, row = np.floor(camera.project(person.skin_world)).T
        inside = (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
    rows, columns = row[inside].astype(int), column[inside].astype(int)
    skin_m = camera.to_camera(person.skin_world[inside])[:, 2]
    first = skin_m <= depth_m[rows, columns] + SKIN_M
    touched = np.zeros_like(mask)
    touched[rows[first], columns[first]] = True
    count = int(np.count_nonzero(touched))
    shown = np.count_nonzero(touched & _spread(mask))
    return (shown / count if count else 1.0), count


def _share_around(
    person: PosedPerson, camera: Camera, mask: NDArray[np.bool_], depth_m: NDArray[np.float32]
) -> float:
    """Share of a person's pixels whose surface lies about their skin."""
    from scipy.spatial import cKDTree

    rows, columns = np.nonzero(mask)
    if not len(rows):
        return 1.0
    some = np.unique(np.linspace(0, len(rows) - 1, _SAMPLES).astype(int))
    rows, columns = rows[some], columns[some]
    seen_m = np.minimum(depth_m[rows, columns], np.float32(1e6))  # the sky is far from any skin
    points = camera.unproject(np.stack([columns, rows], axis=-1) + 0.5, seen_m)
    distance_m, _ = cKDTree(person.skin_world).query(points, distance_upper_bound=AROUND_M)
    return float(np.isfinite(distance_m).mean())


def _spread(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask and all pixels that touch it, corners included."""
    padded = np.pad(mask, 1)
    wide = padded[:, :-2] | padded[:, 1:-1] | padded[:, 2:]
    return wide[:-2] | wide[1:-1] | wide[2:]


def _angle_deg(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angles (B,) between rotations (B, 3, 3), exact for small ones."""
    chord = np.linalg.norm(a - b, axis=(1, 2)) / np.sqrt(8.0)
    return np.asarray(np.degrees(2 * np.arcsin(np.clip(chord, 0, 1))))
