"""Spines that are not normal: declared they are no fault, declared wrongly they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spinetrack_synth import skeleton
from spinetrack_synth.anatomy.kinematics import body_transforms, marker_positions
from spinetrack_synth.anatomy.model import fullbody
from spinetrack_synth.avatars.rig import Rig, bent, vertebral_centres
from spinetrack_synth.avatars.spines import LEVELS, Spine, lateral_curve
from spinetrack_synth.camera import look_at
from spinetrack_synth.coco.writing import encode, file_bytes
from spinetrack_synth.dataset.records import record_shot
from spinetrack_synth.dataset.truth_file import TruthFile
from spinetrack_synth.labels.annotate import PersonLabel
from spinetrack_synth.labels.cover import Cover
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.sampling import sample_pose
from spinetrack_synth.shot import Physique, PosedPerson, Shot
from spinetrack_synth.validation.engine import Report, validate
from spinetrack_synth.validation.registry import builtin_rules, choose
from spinetrack_synth.validation.release import read

pytest.importorskip("pyarrow")

SPINES = {
    "right": Spine("scoliosis", ("T12", "T5"), (45.0,)),
    "left": Spine("scoliosis", ("L4", "T11"), (-30.0,)),
    "double": Spine("scoliosis", ("L4", "T12", "T5"), (-35.0, 45.0)),
    "bent": Spine("hyperkyphosis", kyphosis_deg=40.0),
    "hollow": Spine("hyperlordosis", lordosis_deg=24.0),
    "flat": Spine("flat_back", lordosis_deg=-30.0),
    "normal": Spine(),
}
POSES = (
    "tadasana",
    "uttanasana",
    "bhujangasana",
    "walk_mid_stance",
    "utkatasana",
    "lift_stoop_low",
)
EMPTY = np.zeros((0, 3), dtype=np.float32)


@dataclass(frozen=True)
class People:
    """Records and rows of ground truth of everybody of ``SPINES`` in every pose."""

    images: list[dict[str, Any]]
    annotations: list[dict[str, Any]]
    rows: list[dict[str, Any]]


@pytest.fixture(scope="module")
def people() -> People:
    tree = fullbody()
    rest = tree.default_coordinates
    straight = Rig(tree, np.ones((len(tree.bodies), 3)), rest, body_transforms(tree, rest))
    rng = np.random.default_rng(4)
    made = People([], [], [])
    for name, spine in SPINES.items():
        rig = bent(straight, spine)
        physique = declared(spine, rig, straight)
        for pose in POSES:
            q = sample_pose(rig.tree, library()[pose], rng)
            person = posed(name, pose, rig, q, physique)
            add(made, person, rng)
    return made


def declared(spine: Spine, rig: Rig, straight: Rig) -> Physique:
    frames = rig.body2world[[rig.tree.body_index[level] for level in LEVELS]]
    curve = lateral_curve(frames)
    centres = [vertebral_centres(each.tree, each.body2world) for each in (rig, straight)]
    moved = np.linalg.norm(centres[0] - centres[1], axis=1).max()
    return Physique(
        40.0, "male", 1.7, 23.0, spine.condition, curve.cobb_deg, curve.apex_level, curve.side,
        float(moved),
    )  # fmt: skip


def posed(name: str, pose: str, rig: Rig, q: np.ndarray, physique: Physique) -> PosedPerson:
    markers = [rig.tree.marker_index[each] for each in skeleton.NAMES]
    return PosedPerson(
        name, pose, q, rig.scale_factors, body_transforms(rig.tree, q),
        marker_positions(rig.tree, q)[markers], EMPTY, np.zeros(0, dtype=np.int32), (),
        physique=physique,
    )  # fmt: skip


def add(made: People, person: PosedPerson, rng: np.random.Generator) -> None:
    points = person.keypoints_world
    middle = (points.min(0) + points.max(0)) / 2
    azimuth = rng.uniform(0, 2 * np.pi)
    away = 4.0 * np.array([np.cos(azimuth), 0.2, np.sin(azimuth)])
    camera = look_at(middle + away, middle, focal_px=700, width=640, height=480)
    pixels = camera.project(points).round(3)
    low, high = np.floor(pixels.min(0)), np.ceil(pixels.max(0))
    label = PersonLabel(
        1, np.column_stack([pixels, np.full(37, 2)]), (*low.astype(int), *(high - low).astype(int)),
        int(0.5 * (high - low).prod()), {},
        Cover(("nothing",) * 37, ("",) * 37, np.zeros(37, dtype=np.int64), np.zeros(37)),
    )  # fmt: skip
    index = len(made.images)
    shot = Shot(index, 0, "made", "nowhere", camera, (person,), (), ())
    record = record_shot(shot, [label], f"{index:06d}.jpg")
    made.images.append(record.image)
    for annotation in record.annotations:
        del annotation["segmentation"]
        annotation["bbox"] = [float(side) for side in annotation["bbox"]]
        made.annotations.append(annotation)
    made.rows.extend(record.ground_truth)


def judged(people: People, folder: Path, *rules: str) -> Report:
    for name in ("annotations", "ground_truth"):
        (folder / name).mkdir()
    path = folder / "annotations/person_keypoints_made.json"
    path.write_bytes(file_bytes(map(encode, people.images), map(encode, people.annotations)))
    with TruthFile(folder / "ground_truth/made.parquet") as truth:
        truth.add(len(people.images), people.rows)
    return validate([read(path)], choose(builtin_rules(), rules, (), ()))


def test_declared_spines_are_what_the_points_show(people: People, tmp_path: Path) -> None:
    report = judged(people, tmp_path, "ground truth", "spine")
    assert [finding.message for finding in report.findings] == []
    assert not [skip for skip in report.skipped if skip.rule.code == "SPT559"]


@pytest.mark.parametrize(
    ("who", "change", "message"),
    [
        ("right", {"curve_offset_m": 0.0, "cobb_deg": 0.0, "spine_condition": "normal"},
         "declared normal, a vertebra 0 mm from"),
        ("normal", {"curve_offset_m": 0.05, "spine_condition": "flat_back"},
         "declared flat_back, a vertebra 50 mm from"),
        ("bent", {"curve_offset_m": 0.2}, "declared hyperkyphosis, a vertebra 200 mm"),
        ("right", {"curve_side": "left"}, "declared convex to the left at"),
        ("double", {"curve_side": "left"}, "declared convex to the left at"),
        ("left", {"curve_side": "right"}, "declared convex to the right at"),
        ("right", {"cobb_deg": 10.0}, "declared a curve of 10 degrees Cobb, which does not go"),
        ("right", {"apex_level": "S1"}, "declared a curve with apex 'S1'"),
    ],
)  # fmt: skip
def test_a_wrong_declaration_is_found(
    people: People, tmp_path: Path, who: str, change: dict[str, Any], message: str
) -> None:
    rows = [row | change if row["subject"] == who else row for row in people.rows]
    report = judged(replace(people, rows=rows), tmp_path, "ground truth")
    assert {finding.code for finding in report.findings} == {"SPT559"}
    assert len(report.findings) == len(POSES)
    assert all(finding.message.startswith(message) for finding in report.findings)


@pytest.mark.slow
def test_bodies_with_declared_spines_are_no_fault(people: People, tmp_path: Path) -> None:
    report = judged(people, tmp_path, "body")
    assert [(finding.place, finding.message) for finding in report.findings] == []


def moved(people: People, who: str, name: str, by_px: tuple[float, float]) -> People:
    """A point of somebody in the first pose by so much elsewhere."""
    annotations = [dict(annotation) for annotation in people.annotations]
    target = next(a for a in annotations if a["subject"] == who)
    points = list(target["keypoints"])
    at = 3 * skeleton.INDEX[name]
    points[at] += by_px[0]
    points[at + 1] += by_px[1]
    target["keypoints"] = points
    return replace(people, annotations=annotations)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "code"),
    [("spine_03", "SPT401"), ("left_knee", "SPT402"), ("right_shoulder", "SPT402")],
)
def test_a_misplaced_point_of_a_declared_spine_is_found(
    people: People, tmp_path: Path, name: str, code: str
) -> None:
    report = judged(moved(people, "right", name, (60.0, -20.0)), tmp_path, "body")
    assert [finding.code for finding in report.findings] == [code]
    assert name in report.findings[0].message
