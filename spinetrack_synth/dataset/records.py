"""What a dataset writes about a shot: COCO records and rows of ground truth."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite, log2
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spinetrack_synth import skeleton
from spinetrack_synth.anatomy.model import fullbody
from spinetrack_synth.anatomy.spine import RegionalAngles, angles_between, regional_angles
from spinetrack_synth.coco import PERSON, Record
from spinetrack_synth.dataset.licences import LICENCE_ID
from spinetrack_synth.dataset.skeleton_truth import skeleton_row
from spinetrack_synth.distortion import Distortion
from spinetrack_synth.labels import PersonLabel
from spinetrack_synth.shot import Film, PosedPerson, Shot

JPEG_QUALITY: Final = 92
PEOPLE_PER_SHOT: Final = 1000
"""Annotation ids are ``image id * PEOPLE_PER_SHOT + person``: stable however a dataset grows."""

FILM_COLUMNS: Final = {
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
        **{name: film.get(name) for name in FILM_COLUMNS},
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
