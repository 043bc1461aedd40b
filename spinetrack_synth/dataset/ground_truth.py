"""The ground truth of a dataset as a table for people: arrays in shape, coordinates by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from spinetrack_synth.dataset.layout import ground_truth_path
from spinetrack_synth.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

SHAPES: Final = {
    "keypoints_world": (-1, 3),
    "scale_factors": (-1, 3),
    "keypoint_offsets": (-1, 3),
    "K": (3, 3),
    "world2cam": (4, 4),
    "body2world": (-1, 4, 4),
    "vertebrae_world": (-1, 3),
    "spinous_world": (-1, 3),
}
"""Columns of arrays, which the file holds flat, and their shapes."""


def read_ground_truth(folder: str | Path, split: str = "train") -> pd.DataFrame:
    """The ground truth of a split: a row a person, by annotation id.

    Columns are ``image_id``, ``subject``, ``outfit`` (the number of the clothes), ``pose``,
    ``place``, ``variant``, ``light``; the columns of `shot.Physique` (``age_years``, ``bmi``,
    ``spine_condition``, ``cobb_deg``, ...) and `shot.Face`
    (``hair`` to ``gaze``); arrays ``keypoints_world`` (37, 3) m, ``scale_factors``
    (bodies, 3), ``keypoint_offsets`` (37, 3) m in the keypoints' bodies, ``K`` (3, 3) px,
    ``world2cam`` (4, 4), ``distortion`` (5,) as OpenCV orders it; lens and film (``aperture_m`` to
    ``jpeg_quality``, nan where there is none); angles of the spine in degrees (``*_deg``);
    ``body2world`` (bodies, 4, 4), ``vertebrae_world`` (24, 3) m and ``spinous_world`` (25, 3) m;
    what covers each keypoint (``visibility``, ``cover``, ``cover_part``, ``cover_person``,
    ``cover_mm``, (37,) each); and the model's coordinates by their names, in rad and m. ``attrs``
    names ``keypoints``, ``bodies``, ``vertebrae``, ``spinous`` and ``parts``.

    Raises UserError where the split has no ground truth, or the file is another's.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = ground_truth_path(Path(folder), split)
    try:
        table = pq.read_table(path)
        names = {
            key: json.loads((table.schema.metadata or {})[key.encode()])
            for key in ("keypoints", "coordinates", "bodies")
        }
        more = {
            key: json.loads(table.schema.metadata[key.encode()])
            for key in ("vertebrae", "spinous", "parts")
            if key.encode() in table.schema.metadata
        }
        frame = table.to_pandas().set_index("annotation_id")
        coordinates = np.array(frame.pop("coordinates").to_list(), dtype=np.float64)
        coordinates = coordinates.reshape(len(frame), len(names["coordinates"]))
        for column, shape in SHAPES.items():
            if column in frame:  # files of earlier versions have fewer
                frame[column] = [v if v is None else v.reshape(shape) for v in frame[column]]
        if "distortion" not in frame:  # files of before there were lenses
            frame["distortion"] = [None] * len(frame)
        frame["distortion"] = [np.zeros(5) if k is None else k for k in frame["distortion"]]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; is {split!r} a split of {folder}?") from None
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        raise UserError(f"{path}: no ground truth of a dataset: {error}") from error
    named = pd.DataFrame(coordinates, index=frame.index, columns=names["coordinates"])
    told = pd.concat([frame, named], axis=1)
    told.attrs = {"keypoints": names["keypoints"], "bodies": names["bodies"], **more}
    return told
