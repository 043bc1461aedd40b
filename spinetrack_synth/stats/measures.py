"""Everything that is counted, in the order of a report."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from spinetrack_synth.anatomy.spine import RegionalAngles
from spinetrack_synth.gap.person_attributes import VIEWS
from spinetrack_synth.stats.tables import Measure

MOST_PEOPLE: Final = 8
"""People in a picture that are counted one by one."""


def _steps(low: float, high: float, step: float) -> tuple[float, ...]:
    return tuple(low + step * k for k in range(round((high - low) / step) + 1))


_TENTHS: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

PICTURES: Final = (
    Measure(
        "people_in_picture", "people in a picture", "pictures", "pictures",
        order=(*map(str, range(MOST_PEOPLE + 1)), f"over {MOST_PEOPLE}"),
    ),
    Measure("scene", "scene", "pictures", "pictures"),
    Measure("place", "place", "pictures", "pictures"),
    Measure("place_variant", "variant of the place", "pictures", "pictures"),
    Measure("background", "own background", "pictures", "pictures"),
    Measure("light", "light", "pictures", "pictures"),
    Measure("exposure_stops", "exposure against the automatic one", "pictures", "pictures",
            _steps(-3, 3, 0.5), "stops"),
    Measure("focal_mm", "focal length, of 36 mm film", "pictures", "pictures",
            (10, 14, 20, 24, 28, 35, 50, 70, 85, 105, 135, 200, 400), "mm"),
    Measure("lens", "lens", "pictures", "pictures",
            order=("pinhole", "distortion", "aperture", "distortion and aperture")),
    Measure("iso", "ISO", "pictures", "pictures",
            (0, 100, 200, 400, 800, 1600, 3200, 6400, 12800)),
)  # fmt: skip
"""Of pictures, by the image records."""

_SHOWN: Final = "people as the picture shows them"

LABELS: Final = (
    Measure("view", "trunk seen from, by the labels", "people", _SHOWN, order=VIEWS),
    Measure("box_height_px", "height of the box", "people", _SHOWN,
            (0, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048), "px"),
    Measure("box_share", "share of the picture in the box", "people", _SHOWN,
            (0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)),
    Measure("edges", "edges of the picture that the box touches", "people", _SHOWN,
            order=("0", "1", "2", "3", "4")),
    Measure("unlabelled_share", "keypoints outside or not labelled (v = 0)", "people",
            _SHOWN, _TENTHS),
    Measure("hidden_share", "labelled keypoints that are hidden (v = 1)", "people", _SHOWN,
            _TENTHS),
)  # fmt: skip
"""Of people, by their annotations."""

VISIBILITIES: Final = ("seen", "hidden", "outside or not labelled")
"""What v = 2, 1 and 0 are called."""

_CAMERA: Final = "camera against the person"
_POSE: Final = "pose"
_BODY: Final = "body"

JOINTS: Final[dict[str, tuple[str, tuple[float, ...]]]] = {
    "hip_flexion": ("hip flexion", _steps(-40, 150, 10)),
    "hip_adduction": ("hip adduction", _steps(-80, 40, 10)),
    "hip_rotation": ("hip internal rotation", _steps(-80, 50, 10)),
    "knee_angle": ("knee flexion", _steps(0, 160, 10)),
    "ankle_angle": ("ankle dorsiflexion", _steps(-60, 40, 10)),
    "arm_flex": ("shoulder flexion", _steps(-80, 180, 20)),
    "arm_add": ("shoulder adduction", _steps(-180, 60, 20)),
    "arm_rot": ("shoulder internal rotation", _steps(-120, 120, 20)),
    "elbow_flex": ("elbow flexion", _steps(-10, 150, 10)),
    "pro_sup": ("forearm pronation", _steps(-10, 170, 15)),
}
"""Coordinates of the limbs, right and left counted alike: title and bins in degrees."""

TRUTH: Final = (
    Measure("azimuth_deg", "azimuth about the trunk", "people", _CAMERA, _steps(-180, 180, 30),
            "deg"),
    Measure("elevation_deg", "elevation against the trunk", "people", _CAMERA,
            _steps(-90, 90, 15), "deg"),
    Measure("above_horizon_deg", "elevation against the horizon", "people", _CAMERA,
            _steps(-90, 90, 15), "deg"),
    Measure("distance_m", "distance", "people", _CAMERA,
            (0, 1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50), "m"),
    Measure("pose_family", "family of the pose", "people", _POSE),
    Measure("pose", "pose", "people", _POSE),
    Measure("library_distance_m", "distance to the nearest pose of the library", "people", _POSE,
            _steps(0, 0.4, 0.02), "m"),
    *(
        Measure(f"{name}_deg", title, "limbs", "joint angles", edges, "deg")
        for name, (title, edges) in JOINTS.items()
    ),
    *(
        Measure(angle.name, angle.name.removesuffix("_deg").replace("_", " "), "people",
                "spine angles",
                _steps(-60, 120, 10) if "osis" in angle.name else _steps(-60, 60, 10), "deg")
        for angle in fields(RegionalAngles)
    ),
    Measure("spine_condition", "spine", "people", "spine angles"),
    Measure("cobb_deg", "largest lateral curve, where there is one", "people", "spine angles",
            _steps(10, 55, 5), "deg"),
    Measure("sex", "sex", "people", _BODY),
    Measure("age_years", "age", "people", _BODY, _steps(10, 100, 10), "years"),
    Measure("stature_m", "stature", "people", _BODY, _steps(1.3, 2.1, 0.1), "m"),
    Measure("bmi", "body-mass index", "people", _BODY,
            (14, 16, 18.5, 20, 22.5, 25, 27.5, 30, 35, 40, 45), "kg/m2"),
    Measure("clothes", "clothes", "people", _BODY),
    Measure("garments", "garments", "garments", _BODY),
    *(
        Measure(name, name, "people", _BODY)
        for name in ("hair", "beard", "glasses", "headwear", "expression")
    ),
)  # fmt: skip
"""Of people, by the ground truth beside the file. Azimuth: 0 before the trunk, 90 at its right,
180 behind it."""

MEASURES: Final = (*PICTURES, *LABELS, *TRUTH)
