"""Laboratories' markers on the skin of synthetic people: found again where the tables have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spinetrack_synth.anatomy.kinematics import all_coordinates, marker_positions
from spinetrack_synth.anatomy.markers import with_markers
from spinetrack_synth.anatomy.model import Tree, fullbody_path, load_model
from spinetrack_synth.anatomy.scaling import scale_tree
from spinetrack_synth.avatars.avatar import Avatar, pose_skin
from spinetrack_synth.avatars.body import sample_subject
from spinetrack_synth.avatars.making import bare_avatar
from spinetrack_synth.motion.data import MarkerMotion
from spinetrack_synth.motion.fitting import fit
from spinetrack_synth.motion.marker_sets import load_set
from spinetrack_synth.motion.trc import write_trc
from spinetrack_synth.motion.trial import Request, prepare
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.sampling import blend, pose_coordinates

WORN = (
    "LFHD RFHD LBHD RBHD C7 T10 CLAV STRN LSHO RSHO LELB RELB LWRA RWRA LWRB RWRB LASI RASI LPSI "
    "RPSI LTHI RTHI LKNE RKNE LTIB RTIB LANK RANK LHEE RHEE LTOE RTOE"
).split()


def markers_on(avatar: Avatar, vertices: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Centres (M, 3) m of markers that stand 8 mm above vertices of the skin."""
    skin, faces = pose_skin(avatar, q), avatar.skin_faces
    across = np.cross(skin[faces[:, 2]] - skin[faces[:, 0]], skin[faces[:, 3]] - skin[faces[:, 1]])
    normals = np.zeros_like(skin)
    for corner in range(4):
        np.add.at(normals, faces[:, corner], across)
    outward = normals[vertices] / np.linalg.norm(normals[vertices], axis=1)[:, None]
    return skin[vertices] + 0.008 * outward


def test_markers_on_the_skin_are_near_their_places_and_tell_how_legs_move(
    body_data: object, tmp_path: Path
) -> None:
    tree: Tree = load_model(fullbody_path())
    avatar = bare_avatar(sample_subject(5, 21))
    worn = load_set("plug-in-gait").markers(WORN)
    person = scale_tree(with_markers(tree, worn), avatar.rig.scale_factors)
    places = dict(zip(person.marker_names, marker_positions(person, avatar.rig.coordinates)))
    skin = avatar.binding.rest_world[: len(avatar.skin_body)]
    apart = [np.linalg.norm(skin - places[name], axis=1) for name in WORN]
    assert np.median([row.min() for row in apart]) < 0.015
    assert np.max([row.min() for row in apart]) < 0.035
    vertices = np.array([row.argmin() for row in apart])
    z = tree.default_coordinates[tree.free_index].copy()
    for name, value in (("arm_add_r", -0.5), ("arm_add_l", -0.5)):
        z[tree.free.index(name)] = value
    standing = markers_on(avatar, vertices, all_coordinates(tree, z))
    poses = library("yoga")
    a, b = (pose_coordinates(avatar.tree, poses[n]) for n in ("tadasana", "virabhadrasana_2"))
    truth = np.array([blend(avatar.tree, a, b, s) for s in np.linspace(0, 1, 12)])
    moving = np.array([markers_on(avatar, vertices, q) for q in truth])
    names = tuple(WORN)
    write_trc(tmp_path / "static.trc", MarkerMotion(names, np.zeros(1), standing[None]))
    write_trc(tmp_path / "move.trc", MarkerMotion(names, np.arange(12) / 50, moving))
    request = Request(fullbody_path(), tmp_path / "move.trc", static=tmp_path / "static.trc")
    trial = prepare(request)
    found = fit(trial)
    assert 1000 * found.rms_m < 15
    for name, limit in (("knee_angle_r", 4), ("ankle_angle_l", 5), ("hip_adduction_r", 4)):
        column = tree.coordinate_index[name]
        apart_deg = np.degrees(found.coordinates[:, column] - truth[:, column])
        assert np.sqrt(np.mean(apart_deg**2)) < limit, name
