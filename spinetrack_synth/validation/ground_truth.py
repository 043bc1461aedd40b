"""Rules against ground truth: pixels, camera, joints and sides must be those of the 3D scene
(SPT55x)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth import skeleton
from spinetrack_synth.coco.document import Floats, pairs_where, rows_where
from spinetrack_synth.coco.values import plain, shown
from spinetrack_synth.distortion import Distortion
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.findings import Fault, Severity
from spinetrack_synth.validation.geometry import point_fault
from spinetrack_synth.validation.rules import rule

PROJECTION_PX: Final = 0.05
"""Labels are rounded to 0.001 px; more than this is another point."""
EDGE_PX: Final = 1.0
LIMIT_DEG: Final = 0.1
LIMIT_M: Final = 1e-3
BONE_SHARE: Final = 0.02
"""A bone of one subject keeps its length; the joint centres of flesh and model differ by less."""

PAIRS: Final = (("hip", "pelvis"), ("shoulder", "T3"), ("eye", "skull"))
"""Pair of keypoints and the body across which it lies: its Z axis points to the right."""
BONES: Final = (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))


@dataclass(frozen=True)
class Truth:
    """Ground truth as columns: R rows, in the order of the file.

    ``row`` (R,) of the annotation each belongs to, -1 where there is none; ``image_id`` (R,);
    ``points_world`` (R, 37, 3) m; ``coordinates`` (R, n) rad and m with their ``names``; ``K``
    (R, 3, 3); ``world2cam`` (R, 4, 4); ``distortion`` (R, 5), zero for none; ``subject`` a row;
    ``curve_offset_m`` (R,) as in `shot.Physique`; ``problem`` where it cannot be read.
    """

    row: NDArray[np.int64]
    annotation_id: list[int]
    image_id: NDArray[np.int64]
    points_world: Floats
    coordinates: Floats
    names: tuple[str, ...]
    K: Floats
    world2cam: Floats
    distortion: Floats
    subject: list[Any]
    curve_offset_m: Floats
    problem: str | None = None


def truth_of(dataset: Dataset) -> Truth:
    """The ground truth of a dataset, read once."""
    assert dataset.truth_path is not None
    path = dataset.truth_path
    return dataset.once("truth", lambda: _read(path, dataset))


def declared_offsets_m(dataset: Dataset) -> Floats:
    """How far (A,) a vertebra of each annotated person lies at most from where a normal spine has
    it, by the ground truth; 0 where it declares no such spine or there is none."""
    offsets: Floats = np.zeros(len(dataset.annotations))
    if dataset.truth_path is not None:
        truth = truth_of(dataset)
        known = truth.row >= 0
        offsets[truth.row[known]] = truth.curve_offset_m[known]
    return offsets


def _nothing(problem: str) -> Truth:
    return Truth(
        row=np.empty(0, dtype=np.int64),
        annotation_id=[],
        image_id=np.empty(0, dtype=np.int64),
        points_world=np.empty((0, 37, 3)),
        coordinates=np.empty((0, 0)),
        names=(),
        K=np.empty((0, 3, 3)),
        world2cam=np.empty((0, 4, 4)),
        distortion=np.empty((0, 5)),
        subject=[],
        curve_offset_m=np.empty(0),
        problem=problem,
    )


def _read(path: Path, dataset: Dataset) -> Truth:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
        metadata = table.schema.metadata or {}
        names = json.loads(metadata.get(b"coordinates", b"[]"))
        keypoints = json.loads(metadata.get(b"keypoints", b"[]"))
        if keypoints and tuple(keypoints) != skeleton.NAMES:
            return _nothing("its keypoints are not those of SpineTrack-37")

        def block(name: str, *shape: int) -> Floats:
            column = table[name].combine_chunks()
            flat = np.asarray(column.flatten().to_numpy(zero_copy_only=False), dtype=np.float64)
            return flat.reshape(len(column), *shape)

        ids = table["annotation_id"].to_pylist()
        row_of = {a.get("id"): row for row, a in enumerate(dataset.annotations) if _hashable(a)}
        return Truth(
            row=np.array([row_of.get(value, -1) for value in ids], dtype=np.int64),
            annotation_id=ids,
            image_id=np.array(table["image_id"].to_pylist(), dtype=np.int64),
            points_world=block("keypoints_world", len(skeleton.NAMES), 3),
            coordinates=block("coordinates", len(names)) if names else np.empty((len(ids), 0)),
            names=tuple(names),
            K=block("K", 3, 3),
            world2cam=block("world2cam", 4, 4),
            distortion=_distortion(table, len(ids)),
            subject=table["subject"].to_pylist(),
            curve_offset_m=_curves(table),
        )
    except (OSError, KeyError, TypeError, ValueError, OverflowError, pa.ArrowException) as error:
        return _nothing(f"cannot be used: {shown(str(error), 120)}")


def _distortion(table: Any, rows: int) -> Floats:
    """Coefficients (R, 5), zero where there are none: files of before there were lenses too."""
    told = table["distortion"].to_pylist() if "distortion" in table.column_names else [None] * rows
    return np.array([[0.0] * 5 if k is None else k for k in told], dtype=float).reshape(rows, 5)


def _curves(table: Any) -> Floats:
    """0 where the column is missing (datasets made before it) or empty."""
    if "curve_offset_m" not in table.column_names:
        return np.zeros(table.num_rows)
    column = table["curve_offset_m"].to_numpy()
    return np.nan_to_num(np.asarray(column, dtype=np.float64))


def _hashable(annotation: dict[str, Any]) -> bool:
    return type(annotation.get("id")) is int


@rule(
    "SPT551",
    "truth-mismatch",
    family="ground truth",
    severity=Severity.ERROR,
    reason="""Every annotation of a synthetic dataset has its row of ground truth, with the same
    image and the same subject. Where not, one of the two files is of another run.""",
    example="an annotation deleted from the JSON but not from the Parquet file",
    needs=("ground truth",),
    unless=("SPT101", "SPT102", "SPT103", "SPT104", "SPT201", "SPT202", "SPT209", "SPT210",
            "SPT701"),
)  # fmt: skip
def truth_mismatch(dataset: Dataset) -> Iterator[Fault]:
    """Annotations and rows of ground truth are not the same people."""
    truth = truth_of(dataset)
    if truth.problem:
        yield dataset.file_fault(truth.problem, place=f"ground truth {plain(dataset.split)}")
        return
    if not dataset.annotations:
        return  # SPT101
    lost = [annotation_id for annotation_id, row in zip(truth.annotation_id, truth.row) if row < 0]
    unknown = np.setdiff1d(np.arange(len(dataset.annotations)), truth.row)
    # An annotation whose id changed leaves one row behind: it is told where the annotation is.
    for row in unknown:
        yield dataset.annotation_fault(row, "has no row of ground truth", field=".id")
    if len(lost) > len(unknown):
        message = f"{len(lost)} rows of ground truth have no annotation, the first is {lost[0]}"
        yield dataset.file_fault(message, place="annotations", value=len(lost))
    for row in rows_where(np.bincount(truth.row[truth.row >= 0]) > 1):
        yield dataset.annotation_fault(row, "has more than one row of ground truth", field=".id")
    for number, row in enumerate(truth.row):
        if row < 0:
            continue
        annotation = dataset.annotations[row]
        image_id, subject = annotation.get("image_id"), annotation.get("subject")
        if type(image_id) is int and image_id != truth.image_id[number]:
            message = f"{shown(image_id)}, in the ground truth {truth.image_id[number]}"
            yield dataset.annotation_fault(row, message, field=".image_id")
        elif "subject" in annotation and subject != truth.subject[number]:
            message = f"{shown(subject)}, in the ground truth {shown(truth.subject[number])}"
            yield dataset.annotation_fault(row, message, field=".subject")


@rule(
    "SPT552",
    "truth-projection",
    family="ground truth",
    severity=Severity.ERROR,
    reason="""The pixel of a keypoint is the projection of its 3D place. Half a pixel off is
    another camera, another frame, or somebody's edit.""",
    example="`spine_03` 4 px beside its projection",
    needs=("ground truth", "names"),
    unless=("SPT004", "SPT201", "SPT306", "SPT307", "SPT308", "SPT309", "SPT310", "SPT311",
            "SPT351", "SPT355", "SPT50", "SPT52", "SPT551", "SPT555", "SPT556", "SPT557",
            "SPT704"),
)  # fmt: skip
def truth_projection(dataset: Dataset) -> Iterator[Fault]:
    """Labelled keypoints do not lie at the projection of their 3D points."""
    truth = truth_of(dataset)
    known = np.flatnonzero(truth.row >= 0)
    pixels = _project(truth)[known]
    rows = truth.row[known]
    points = np.stack([dataset.point(name)[rows] for name in skeleton.NAMES], axis=1)
    off: Floats = np.linalg.norm(points[..., :2] - pixels, axis=2)
    behind = np.isnan(pixels[..., 0]) & np.isfinite(points[..., 0])
    off[behind] = np.inf
    for number in rows_where((off > PROJECTION_PX).any(1)):
        row, wrong = int(rows[number]), rows_where(off[number] > PROJECTION_PX)
        worst = int(np.nanargmax(off[number]))
        many = f"; {len(wrong) - 1} more points are off" if len(wrong) > 1 else ""
        mirrored = np.linalg.norm(
            points[number, :, :2] - pixels[number, list(skeleton.MIRROR)], axis=1
        )
        far = (
            "is behind the camera"
            if behind[number, worst]
            else f"lies {off[number, worst]:.4g} px from its projection"
        )
        if (mirrored[wrong] < PROJECTION_PX).all():
            far = "lies at the projection of the same point of the other side: exchanged"
        value = None if behind[number, worst] else round(float(off[number, worst]), 3)
        yield point_fault(dataset, row, worst, far + many, value=value)


@rule(
    "SPT558",
    "truth-point-lost",
    family="ground truth",
    severity=Severity.ERROR,
    reason="""Every point that falls into the picture of a synthetic dataset is labelled, hidden or
    not: v = 0 says that it lies outside.""",
    example="`left_knee` with v = 0 whose projection is the middle of the picture",
    needs=("ground truth", "names"),
    unless=("SPT004", "SPT10", "SPT112", "SPT20", "SPT305", "SPT311", "SPT322", "SPT35", "SPT50",
            "SPT551", "SPT552", "SPT554", "SPT603", "SPT704"),
)  # fmt: skip
def truth_point_lost(dataset: Dataset) -> Iterator[Fault]:
    """A keypoint whose projection lies in the picture is not labelled."""
    truth = truth_of(dataset)
    known = np.flatnonzero(truth.row >= 0)
    rows, pixels = truth.row[known], _project(truth)[known]
    sizes = dataset.sizes[rows][:, None]
    lost: dict[int, list[int]] = {}
    named = [
        name for name in skeleton.NAMES if any(name in (t or ()) for t in dataset.trusted_names)
    ]
    for name in named:
        index = skeleton.INDEX[name]
        inside = ((pixels[:, index] > EDGE_PX) & (pixels[:, index] < sizes[:, 0] - EDGE_PX)).all(1)
        for number in rows_where(inside & np.isnan(dataset.point(name)[rows, 0])):
            lost.setdefault(int(rows[number]), []).append(index)
    for row, indices in sorted(lost.items()):
        if dataset.category_row[row] >= 0:
            more = f"; {len(indices) - 1} more points too" if len(indices) > 1 else ""
            message = f"is not labelled, but its projection lies in the picture{more}"
            yield point_fault(dataset, row, indices[0], message)


def _project(truth: Truth) -> Floats:
    """Pixels (R, 37, 2) of the 3D points, by the lens too; nan behind the camera."""
    rotation, translation = truth.world2cam[:, :3, :3], truth.world2cam[:, None, :3, 3]
    points_cam = truth.points_world @ rotation.transpose(0, 2, 1) + translation
    depth = points_cam[..., 2:]
    with np.errstate(divide="ignore", invalid="ignore"):
        rays = points_cam / np.where(depth > 0, depth, np.nan)
    for coefficients in np.unique(truth.distortion[truth.distortion.any(1)], axis=0):
        same = (truth.distortion == coefficients).all(1)
        if np.isfinite(coefficients).all():
            rays[same, :, :2] = Distortion(*coefficients).distort(rays[same, :, :2])
    return (rays @ truth.K.transpose(0, 2, 1))[..., :2]


@rule(
    "SPT553",
    "truth-joint-limits",
    family="ground truth",
    severity=Severity.ERROR,
    reason="""The ground truth promises poses that a body can take. A coordinate outside its range
    is a pose nobody can hold, and its labels teach it.""",
    example="`knee_angle_r` at -20 degrees",
    needs=("ground truth",),
    unless=("SPT551",),
)
def truth_joint_limits(dataset: Dataset) -> Iterator[Fault]:
    """A coordinate of the body model lies outside its range."""
    from spinetrack_synth.anatomy.model import fullbody

    truth, tree = truth_of(dataset), fullbody()
    if truth.problem:
        return
    if truth.names != tree.coordinates:
        if truth.names:
            message = "the coordinates are not those of the model of this version"
            yield dataset.file_fault(message, place=f"ground truth {plain(dataset.split)}")
        return
    slack = np.where(tree.rotational, np.radians(LIMIT_DEG), LIMIT_M)
    q = truth.coordinates
    outside = tree.clamped & ((q < tree.lower - slack) | (q > tree.upper + slack))
    for number, index in pairs_where(outside):
        row = truth.row[number]
        if row < 0:
            continue
        angle = bool(tree.rotational[index])
        scale, unit = (np.degrees(1.0), "deg") if angle else (1.0, "m")
        value, low, high = scale * np.array(
            [q[number, index], tree.lower[index], tree.upper[index]]
        )
        name = tree.coordinates[index]
        message = f"{name} is {value:.4g} {unit}, its range {low:.4g} to {high:.4g}"
        yield dataset.annotation_fault(row, message, part=name, value=round(float(value), 3))


@rule(
    "SPT554",
    "truth-camera",
    family="ground truth",
    severity=Severity.ERROR,
    reason="""The image's record and the ground truth tell of the same camera. Whoever lifts the
    labels to 3D takes one of them.""",
    example="`K` of the image after a resize that the Parquet file has not seen",
    needs=("ground truth",),
    unless=("SPT004", "SPT113", "SPT201", "SPT551"),
)
def truth_camera(dataset: Dataset) -> Iterator[Fault]:
    """The camera in an image's record is not that of its ground truth."""
    truth = truth_of(dataset)
    told: set[int] = set()
    for number, row in enumerate(truth.row):
        image = int(dataset.image_row[row]) if row >= 0 else -1
        if image < 0 or image in told or dataset.images[image].get("id") != truth.image_id[number]:
            continue
        record = dataset.images[image]
        for name, own in (
            ("K", truth.K[number]),
            ("world2cam", truth.world2cam[number]),
            ("distortion", truth.distortion[number]),
        ):
            value = _stated(record) if name == "distortion" else record.get(name)
            try:
                stated = np.array(value, dtype=np.float64)
            except (TypeError, ValueError, OverflowError):
                continue
            if (
                stated.shape == own.shape
                and np.isfinite(own).all()
                and not np.allclose(stated, own, rtol=1e-6, atol=1e-6)
            ):
                told.add(image)
                message = "differs from the camera in the ground truth"
                yield dataset.image_fault(image, message, field=f".{name}")


def _stated(image: dict[str, Any]) -> object:
    """The coefficients in an image's record, zero where it has no lens; None where it is wrong."""
    try:
        lens = Distortion.of_record(image.get("distortion"))
    except ValueError:
        return None  # SPT113
    return (lens or Distortion()).coefficients


@rule(
    "SPT555",
    "truth-bone-length",
    family="ground truth",
    severity=Severity.ERROR,
    reason="""The bones of one subject are as long in every picture. A length that changes is
    another body under the same name.""",
    example="the left thigh of subject s7-003 12% longer in one picture",
    needs=("ground truth",),
    unless=("SPT551", "SPT556"),
)
def truth_bone_length(dataset: Dataset) -> Iterator[Fault]:
    """A bone of a subject has another length than in its other pictures."""
    truth = truth_of(dataset)
    if not len(truth.row):
        return
    bones = [(f"{side}_{a}", f"{side}_{b}") for a, b in BONES for side in ("left", "right")]
    ends = np.array([[skeleton.INDEX[end] for end in bone] for bone in bones])
    vectors = truth.points_world[:, ends[:, 0]] - truth.points_world[:, ends[:, 1]]
    lengths = np.linalg.norm(vectors, axis=2)
    good = np.isfinite(lengths).all(1) & ~_wrong_sides(truth).any(1)
    _, subject = np.unique([str(name) for name in truth.subject], return_inverse=True)
    for number in range(int(subject.max()) + 1):
        members = np.flatnonzero((subject == number) & good)
        if not len(members):
            continue
        usual = np.sort(lengths[members], axis=0)[(len(members) - 1) // 2]
        change = lengths[members] / np.fmax(usual, 1e-9) - 1
        for index in np.flatnonzero((np.abs(change) > BONE_SHARE).any(1)):
            row, worst = truth.row[members[index]], int(np.argmax(np.abs(change[index])))
            if row >= 0:
                a, b = bones[worst]
                message = f"{a} to {b} is {100 * change[index, worst]:+.1f}% against the same "
                message += f"subject's other pictures ({1000 * usual[worst]:.0f} mm)"
                yield dataset.annotation_fault(row, message, part=f"{a}-{b}")


@rule(
    "SPT556",
    "truth-sides",
    family="ground truth",
    severity=Severity.ERROR,
    reason="""In one picture a mirrored person can look like one seen from behind; in 3D it cannot:
    the right hip lies to the right of the pelvis, whatever the pose.""",
    example="`keypoints_world` with left and right exchanged",
    needs=("ground truth",),
    unless=("SPT551", "SPT553"),
)
def truth_sides(dataset: Dataset) -> Iterator[Fault]:
    """In 3D, left and right keypoints lie on the wrong sides of the body."""
    truth = truth_of(dataset)
    for number, index in pairs_where(_wrong_sides(truth)):
        if truth.row[number] >= 0:
            pair, body = PAIRS[index]
            message = f"left_{pair} and right_{pair} lie on each other's side of the {body}"
            yield dataset.annotation_fault(truth.row[number], message, part=pair)


def _wrong_sides(truth: Truth) -> NDArray[np.bool_]:
    """Which of ``PAIRS`` lie the wrong way across their body, (R, pairs)."""
    from spinetrack_synth.anatomy.model import fullbody

    tree = fullbody()
    wrong = np.zeros((len(truth.row), len(PAIRS)), dtype=bool)
    if truth.names != tree.coordinates or not len(truth.row):
        return wrong
    from spinetrack_synth.anatomy.kinematics import body_transforms_batch

    bodies = body_transforms_batch(tree, np.nan_to_num(truth.coordinates))
    for index, (pair, body) in enumerate(PAIRS):
        right_axis = bodies[:, tree.body_index[body], :3, 2]
        left, right = (skeleton.INDEX[f"{side}_{pair}"] for side in ("left", "right"))
        vector = truth.points_world[:, right] - truth.points_world[:, left]
        wrong[:, index] = (vector * right_axis).sum(1) < 0
    return wrong


@rule(
    "SPT557",
    "truth-not-a-number",
    family="ground truth",
    severity=Severity.ERROR,
    reason="A NaN in the ground truth makes every comparison with it silently false.",
    example="a `keypoints_world` with a missing point",
    needs=("ground truth",),
    unless=("SPT551",),
)
def truth_not_a_number(dataset: Dataset) -> Iterator[Fault]:
    """A row of ground truth holds a number that is not finite."""
    truth = truth_of(dataset)
    columns = {
        "keypoints_world": truth.points_world,
        "coordinates": truth.coordinates,
        "K": truth.K,
        "world2cam": truth.world2cam,
        "distortion": truth.distortion,
    }
    for name, values in columns.items():
        good = np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
        for number in np.flatnonzero(~good):
            if truth.row[number] >= 0:
                message = f"{name} in the ground truth holds numbers that are not finite"
                yield dataset.annotation_fault(truth.row[number], message, part=name)
