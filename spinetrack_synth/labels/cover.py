"""What is in front of each keypoint, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.model import fullbody
from spinetrack_synth.anatomy.parts import PARTS, part_rows
from spinetrack_synth.hits import patches
from spinetrack_synth.labels.parts import is_flesh, patch_parts
from spinetrack_synth.labels.visibility import BARE_M, OUTSIDE, Sight, nearest_vertices
from spinetrack_synth.shot import Frame, Shot

NOTHING, BODY, CLOTHES = "nothing", "own_body", "own_clothes"
PERSON, THING, FRAME = "person", "thing", "frame"
COVERS: Final = (NOTHING, BODY, CLOTHES, PERSON, THING, FRAME)


@dataclass(frozen=True)
class Cover:
    """What covers the 37 keypoints of a person.

    ``by`` one of ``COVERS``: the picture's edge where the point is outside; ``part`` the part of
    the body that covers it, of oneself or of somebody else, "" for none; ``person`` (37,) the
    number of that somebody else, 0 for none; ``depth_mm`` (37,) from the surface to the point along
    the line of sight, 0 where nothing covers it, nan outside.
    """

    by: tuple[str, ...]
    part: tuple[str, ...]
    person: NDArray[np.int64]
    depth_mm: NDArray[np.float64]


def covering(shot: Shot, frame: Frame, person_id: int, sight: Sight) -> Cover:
    """What covers the keypoints of a person at the pixels that decided whether they are seen.

    Clothes are told from the body where the renderer tells hits.
    """
    camera, person = shot.camera, shot.people[person_id - 1]
    inside = np.flatnonzero(sight.v != OUTSIDE)
    rows, columns = sight.row[inside], sight.column[inside]
    surface_m = frame.depth_m[rows, columns].astype(float)
    ray = np.linalg.norm(camera.rays(np.stack([columns, rows], axis=-1) + 0.5), axis=-1)
    cover_m = (camera.to_camera(person.keypoints_world[inside])[:, 2] - surface_m) * ray
    owner = frame.ids[rows, columns].astype(np.int64)
    part, flesh = _parts(shot, frame, owner, rows, columns)

    count = len(sight.v)
    by, parts = np.full(count, FRAME, dtype="<U11"), np.full(count, "", dtype="<U15")
    someone, depth_mm = np.zeros(count, dtype=np.int64), np.full(count, np.nan)
    covered = cover_m > BARE_M
    own = np.where(flesh, BODY, CLOTHES)
    whose = np.where(owner == person_id, own, np.where(owner > 0, PERSON, THING))
    by[inside] = np.where(covered, whose, NOTHING)
    parts[inside] = np.where(covered & (part > 0), np.array(["", *PARTS])[part], "")
    someone[inside] = np.where(covered & (owner != person_id), owner, 0)
    depth_mm[inside] = np.where(covered, 1000 * cover_m, 0.0)
    return Cover(tuple(by.tolist()), tuple(parts.tolist()), someone, depth_mm)


def _parts(
    shot: Shot,
    frame: Frame,
    owner: NDArray[np.int64],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The numbers of the parts that pixels (N,) show, 0 for none, and whether they show flesh."""
    part, flesh = np.zeros(len(rows), dtype=np.int64), np.ones(len(rows), dtype=bool)
    if frame.hits is not None:
        for patch in patches(shot, shot.camera, frame.hits, frame.depth_m, rows, columns):
            part[patch.which], flesh[patch.which] = patch_parts(patch), is_flesh(patch)
        return part, flesh
    pixels = np.stack([columns, rows], axis=-1) + 0.5
    for number in np.unique(owner[owner > 0]).tolist():
        who, which = shot.people[number - 1], np.flatnonzero(owner == number)
        points = shot.camera.unproject(pixels[which], frame.depth_m[rows[which], columns[which]])
        body = who.skin_body[nearest_vertices(who.skin_world, points)]
        part[which] = part_rows(fullbody().bodies)[body] + 1
    return part, flesh
