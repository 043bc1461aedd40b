"""What a dataset writes about a shot: COCO records and rows of ground truth."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from math import isfinite, log2
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spinetrack_synth import skeleton
from spinetrack_synth.anatomy.model import fullbody
from spinetrack_synth.anatomy.parts import PARTS
from spinetrack_synth.anatomy.spine import RegionalAngles, angles_between, regional_angles
from spinetrack_synth.coco import PERSON, Record
from spinetrack_synth.dataset.licences import LICENCE_ID
from spinetrack_synth.dataset.skeleton_truth import NAMES, skeleton_columns, skeleton_row
from spinetrack_synth.distortion import Distortion
from spinetrack_synth.labels import PersonLabel
from spinetrack_synth.shot import Face, Film, Physique, PosedPerson, Shot

JPEG_QUALITY: Final = 92
PEOPLE_PER_SHOT: Final = 1000
"""Annotation ids are ``image id * PEOPLE_PER_SHOT + person``: stable however a dataset grows."""

_FILM_COLUMNS: Final = {
    "iso": float,
    "temperature_stops": float,
    "tint_stops": float,
    "vignetting_stops": float,
    "jpeg_quality": int,
}
"""Of the ground truth: what a `Film` holds, null where there is none."""


@dataclass(frozen=True)
class ShotRecord:
    """A shot's image and annotation records, and one row of ground truth an annotation."""

    image: Record
    annotations: Sequence[Record]
    ground_truth: Sequence[Record]


def record_shot(shot: Shot, labels: Sequence[PersonLabel], image_name: str) -> ShotRecord:
    """Everything a dataset says about a shot. The image's id is the shot's index."""
    camera = shot.camera
    view = {"K": camera.K.tolist(), "world2cam": camera.world2cam.tolist()}
    image = {
        "id": shot.index,
        "file_name": image_name,
        "width": camera.width,
        "height": camera.height,
        **view,
        **_lens_record(shot),
        "scene": shot.scene,
        "place": shot.place,
        "variant": shot.variant,
        "light": shot.light,
        "seed": shot.seed,
        **({"background": shot.backdrop.name} if shot.backdrop else {}),
        **_capture_record(shot),
        "license": LICENCE_ID,
        **_film_record(shot, image_name),
    }
    annotations, ground_truth = [], []
    for label in labels:
        person = shot.people[label.person_id - 1]
        ids = {
            "id": shot.index * PEOPLE_PER_SHOT + label.person_id,
            "image_id": shot.index,
        }
        track = _track_record(shot, label.person_id)
        annotations.append(ids | _annotation(label, person) | track)
        ground_truth.append(
            _ground_truth(ids, shot, person, image) | skeleton_row(person) | _cover(label, shot)
        )
    return ShotRecord(image, annotations, ground_truth)


def _capture_record(shot: Shot) -> Record:
    """Which of several pictures of the same people it is; nothing where it stands alone."""
    if shot.capture is None:
        return {}
    told = asdict(shot.capture)
    del told["track"]
    return {name: value for name, value in told.items() if value is not None}


def _track_record(shot: Shot, person_id: int) -> Record:
    """The number of a person in all pictures that show this one moment or sequence."""
    if shot.capture is None:
        return {}
    return {"track_id": shot.capture.track * PEOPLE_PER_SHOT + person_id}


def _lens_record(shot: Shot) -> Record:
    """What lens and shutter add to a pinhole's moment, in the image's record."""
    camera = shot.camera
    record: Record = {}
    if camera.distortion is not None:
        record["distortion"] = camera.distortion.record()
    if camera.aperture_m > 0:
        focus_m = camera.focus_m if isfinite(camera.focus_m) else None
        record |= {"aperture_m": camera.aperture_m, "focus_m": focus_m}
    if shot.shutter is not None:
        record["shutter_s"] = shot.shutter.open_s
    return record


def _film_record(shot: Shot, image_name: str) -> Record:
    """What the picture was taken on; nothing where it holds the light as it was."""
    if shot.film is None:
        return {}
    film = asdict(shot.film) | {"exposure_stops": log2(shot.exposure)}
    if not image_name.endswith(".jpg"):
        del film["jpeg_quality"]
    return {"film": film}


def _annotation(label: PersonLabel, person: PosedPerson) -> Record:
    return {
        "category_id": PERSON["id"],
        "iscrowd": 0,
        "num_keypoints": label.num_keypoints,
        "keypoints": [n for x, y, v in label.keypoints.tolist() for n in (x, y, int(v))],
        "bbox": list(label.box),
        "area": label.area,
        "segmentation": label.mask,
        "subject": person.subject_id,
        "outfit": person.outfit,
        "style": person.style,
        "pose": person.pose,
        **({"assets": list(person.assets)} if person.assets else {}),
    }


def _ground_truth(ids: Record, shot: Shot, person: PosedPerson, image: Record) -> Record:
    lens = shot.camera.distortion or Distortion()
    film = image.get("film", {})
    return {
        "image_id": ids["image_id"],
        "annotation_id": ids["id"],
        "subject": person.subject_id,
        "outfit": person.outfit,
        "style": person.style,
        "pose": person.pose,
        "clothes": person.clothes,
        "place": shot.place,
        "variant": shot.variant,
        "light": shot.light,
        **(asdict(person.physique) if person.physique else {}),
        **(asdict(person.face) if person.face else {}),
        "keypoints_world": person.keypoints_world.ravel().tolist(),
        "coordinates": person.coordinates.tolist(),
        "scale_factors": person.scale_factors.ravel().tolist(),
        "keypoint_offsets": _keypoint_offsets(person).ravel().tolist(),
        "K": [n for row in image["K"] for n in row],
        "world2cam": [n for row in image["world2cam"] for n in row],
        "distortion": list(lens.coefficients),
        "aperture_m": image.get("aperture_m", 0.0),
        "focus_m": image.get("focus_m"),
        "shutter_s": image.get("shutter_s", 0.0),
        "exposure_stops": log2(shot.exposure),
        **{name: film.get(name) for name in _FILM_COLUMNS},
        **asdict(_regional_angles(person)),
    }


def _cover(label: PersonLabel, shot: Shot) -> Record:
    """What covers the keypoints; people are named by the ids of their annotations."""
    cover = label.cover
    ids = shot.index * PEOPLE_PER_SHOT + cover.person
    return {
        "visibility": label.keypoints[:, 2].astype(int).tolist(),
        "cover": list(cover.by),
        "cover_part": list(cover.part),
        "cover_person": np.where(cover.person > 0, ids, -1).tolist(),
        "cover_mm": [None if np.isnan(mm) else round(mm, 1) for mm in cover.depth_mm.tolist()],
    }


def _regional_angles(person: PosedPerson) -> RegionalAngles:
    """A spine that is not normal has angles that its coordinates do not tell."""
    if person.physique is None or person.physique.spine_condition == "normal":
        return regional_angles(fullbody(), person.coordinates)
    return angles_between(fullbody(), person.body2world)


def _keypoint_offsets(person: PosedPerson) -> NDArray[np.float64]:
    """Where the keypoints lie in their OpenSim bodies, (37, 3) m: the subject's own markers."""
    tree = fullbody()
    bodies = tree.marker_body[[tree.marker_index[name] for name in skeleton.NAMES]]
    frames = person.body2world[bodies]
    from_origin = person.keypoints_world - frames[:, :3, 3]
    return np.asarray(np.einsum("kji,kj->ki", frames[:, :3, :3], from_origin))


def encode_image(rgb: NDArray[np.uint8], image_format: str, film: Film | None = None) -> bytes:
    """A picture as the content of a jpg or png file; equal pixels give equal bytes.

    A film says how good its JPEG is, and halves the colours' resolution as cameras do.
    """
    buffer = io.BytesIO()
    if image_format == "jpg":
        quality, subsampling = (
            (JPEG_QUALITY, "4:4:4") if film is None else (film.jpeg_quality, "4:2:0")
        )
        Image.fromarray(rgb).save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    else:
        Image.fromarray(rgb).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def ground_truth_bytes(rows: Sequence[Record], earlier: bytes | None, known: int) -> bytes:
    """A Parquet file of ground truth, sorted by annotation.

    ``earlier`` is the content of the file that is extended: of it the first ``known`` images are
    kept, save those that ``rows`` tell anew.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist(list(rows), schema=_schema())
    if earlier is not None:
        kept = pq.read_table(io.BytesIO(earlier), schema=_schema())
        anew = pa.array(sorted({row["image_id"] for row in rows}), pa.int64())
        image_id = kept["image_id"]
        keep = pc.and_(pc.less(image_id, known), pc.invert(pc.is_in(image_id, value_set=anew)))
        table = pa.concat_tables([kept.filter(keep), table])
    table = table.sort_by("annotation_id").combine_chunks()
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", row_group_size=4096)
    return buffer.getvalue()


def _schema() -> Any:
    """Columns of the ground truth; the file's metadata names what the lists hold."""
    import pyarrow as pa

    tree = fullbody()

    def numbers(length: int) -> pa.DataType:
        return pa.list_(pa.float64(), length)

    cover_types = {
        "visibility": pa.int8, "cover": pa.string, "cover_part": pa.string,
        "cover_person": pa.int64, "cover_mm": pa.float64,
    }  # fmt: skip
    columns = {
        "image_id": pa.int64(),
        "annotation_id": pa.int64(),
        "subject": pa.string(),
        "outfit": pa.int64(),
        "style": pa.string(),
        "pose": pa.string(),
        "clothes": pa.string(),
        "place": pa.string(),
        "variant": pa.int64(),
        "light": pa.string(),
        **{
            column.name: pa.string() if column.type == "str" else pa.float64()
            for column in fields(Physique)
        },
        **{column.name: pa.string() for column in fields(Face)},
        "keypoints_world": numbers(3 * len(skeleton.NAMES)),
        "coordinates": numbers(len(tree.coordinates)),
        "scale_factors": numbers(3 * len(tree.bodies)),
        "keypoint_offsets": numbers(3 * len(skeleton.NAMES)),
        "K": numbers(9),
        "world2cam": numbers(16),
        "distortion": numbers(5),
        "aperture_m": pa.float64(),
        "focus_m": pa.float64(),
        "shutter_s": pa.float64(),
        "exposure_stops": pa.float64(),
        **{
            name: pa.int64() if kind is int else pa.float64()
            for name, kind in _FILM_COLUMNS.items()
        },
        **{angle.name: pa.float64() for angle in fields(RegionalAngles)},
        **skeleton_columns(),
        **{name: pa.list_(kind(), len(skeleton.NAMES)) for name, kind in cover_types.items()},
    }
    metadata = {
        "keypoints": json.dumps(skeleton.NAMES),
        "coordinates": json.dumps(tree.coordinates),
        "bodies": json.dumps(tree.bodies),
        **{key: json.dumps(names) for key, names in NAMES.items()},
        "parts": json.dumps(PARTS),
        "units": "metres and radians, world = OpenSim ground; columns *_deg in degrees",
    }
    return pa.schema(list(columns.items()), metadata=metadata)
