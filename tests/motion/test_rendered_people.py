"""Rows of ground truth as markers of the people they are of."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from spinetrack_synth.anatomy.kinematics import body_transforms, marker_positions
from spinetrack_synth.anatomy.model import fullbody
from spinetrack_synth.avatars.rig import Rig, bent
from spinetrack_synth.avatars.spines import Spine
from spinetrack_synth.motion.rendered_people import read_rendered_people
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.sampling import pose_coordinates
from spinetrack_synth.skeleton import NAMES


def test_shaped_spines_are_those_of_the_frames(tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    tree = fullbody()
    rest, ones = tree.default_coordinates, np.ones((len(tree.bodies), 3))
    straight = Rig(tree, ones, rest, body_transforms(tree, rest))
    shapes = {
        "anna": bent(straight, Spine("scoliosis", ("T12", "T5"), (45.0,))).tree,
        "bert": tree,
    }
    markers = [tree.marker_index[name] for name in NAMES]
    columns: dict[str, list] = {}
    for number, pose in enumerate(("navasana", "uttanasana", "utkatasana", "tadasana")):
        name = ("anna", "bert")[number % 2]
        q = pose_coordinates(tree, library()[pose])
        row = {
            "annotation_id": number,
            "subject": name,
            "keypoints_world": marker_positions(shapes[name], q)[markers].ravel().tolist(),
            "scale_factors": ones.ravel().tolist(),
            "keypoint_offsets": tree.marker_offset_m[markers].ravel().tolist(),
            "coordinates": q.tolist(),
            "body2world": body_transforms(shapes[name], q).ravel().round(7).tolist(),
        }
        for key, value in row.items():
            columns.setdefault(key, []).append(value)
    table = pa.table(columns).replace_schema_metadata(
        {"bodies": json.dumps(tree.bodies), "keypoints": json.dumps(NAMES)}
    )
    pq.write_table(table, tmp_path / "train.parquet")
    people = read_rendered_people(tmp_path / "train.parquet", tree)
    for number, name in enumerate(people.subject):
        q = np.array(columns["coordinates"][number])
        found = marker_positions(people.trees[name], q)[markers]
        np.testing.assert_allclose(people.markers.positions_m[number], found, atol=1e-5)
