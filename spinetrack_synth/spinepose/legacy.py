"""Arguments of the published ``spinepose`` package (2.0 and 2.1) that have another name here, mean
nothing here, or cannot be served: taken, ignored with a warning, or refused."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Final

from spinetrack_synth.drawing.palette import keypoint_color, link_color
from spinetrack_synth.errors import UserError
from spinetrack_synth.skeleton import KEYPOINTS, LINKS, MIRROR, NAMES
from spinetrack_synth.spinepose.session import PROVIDERS

LIFTING: Final = (
    "lifting_thr", "camera_intrinsics", "camera_field_of_view", "estimate_metric_scale",
    "estimate_camera_pose", "estimate_ground_plane", "primary_subject_height", "warmup_frames",
    "show_lifting_panel",
)  # fmt: skip
"""Arguments of lifting to 3D, without meaning where there is none."""

SMOOTHING: Final = ("smoothing_mincutoff", "smoothing_beta", "smoothing_dcutoff")
"""Settings in units of pixels, which are other numbers than those of ``OneEuro``."""

DEVICES: Final = {"cpu": "cpu", "cuda": "cuda", "gpu": "cuda", "mps": "coreml", "auto": None}
BACKENDS: Final = {"onnxruntime": None, "openvino": "openvino", "opencv": None}


def provider_of(
    provider: str | None, hardware_acceleration: bool, others: dict[str, Any]
) -> str | None:
    """The execution provider that ``device``, ``backend`` (both taken out of ``others``) and
    ``hardware_acceleration`` mean; the best there is, with a warning, where theirs is missing."""
    device = str(others.pop("device", None) or "auto").lower().partition(":")[0]
    backend = str(others.pop("backend", None) or "onnxruntime").lower()
    if device not in DEVICES:
        _ignored(f"device={device!r}", "expected one of " + ", ".join(DEVICES))
    if backend not in BACKENDS or backend == "opencv":
        _ignored(f"backend={backend!r}", "onnxruntime computes")
    if provider is not None:
        return provider
    wished = DEVICES.get(device) or BACKENDS.get(backend)
    if not hardware_acceleration:
        wished = "cpu"
    if wished is None or _there(wished):
        return wished
    _ignored(
        f"device={device!r}", "the installed onnxruntime cannot use it; the best it can is taken"
    )
    return None


def drop_unserved(others: dict[str, Any]) -> None:
    """Take out what is ignored, with one warning; raises UserError for lifting to 3D and TypeError
    for what the package does not have either."""
    if others.pop("enable_lifting", False):
        raise UserError(
            "enable_lifting: lifting to 3D is not offered here; leave it out for 2D keypoints"
        )
    dropped = [name for name in (*LIFTING, *SMOOTHING, "tracking_thr") if name in others]
    for name in dropped:
        del others[name]
    if others:
        raise TypeError(f"unexpected arguments: {', '.join(sorted(others))}")
    if set(dropped) & set(LIFTING):
        _ignored(", ".join(n for n in dropped if n in LIFTING), "there is no lifting to 3D")
    if set(dropped) & set(SMOOTHING):
        _ignored(
            ", ".join(n for n in dropped if n in SMOOTHING),
            "it is in pixels; settings in parts of the box are given by one_euro=OneEuro(...)",
        )
    if "tracking_thr" in dropped:
        _ignored("tracking_thr", "people are matched by more than the overlap of boxes")


def metainfo(keypoints: int = len(KEYPOINTS)) -> dict[str, Any]:
    """The first keypoints of the skeleton as mmpose describes one: names, colours (red, green,
    blue), mirror twins, links and sigmas."""
    links = [link for link in LINKS if max(link) < keypoints]
    return {
        "dataset_name": "spinetrack",
        "keypoint_info": {
            index: {
                "name": NAMES[index],
                "id": index,
                "color": list(keypoint_color(NAMES[index])),
                "type": "",
                "swap": NAMES[MIRROR[index]] if MIRROR[index] != index else "",
            }
            for index in range(keypoints)
        },
        "skeleton_info": {
            number: {
                "link": (NAMES[a], NAMES[b]),
                "id": number,
                "color": list(link_color(NAMES[a], NAMES[b])),
            }
            for number, (a, b) in enumerate(links)
        },
        "joint_weights": [1.0] * keypoints,
        "sigmas": [point.sigma for point in KEYPOINTS[:keypoints]],
    }


def _there(provider: str) -> bool:
    import onnxruntime

    names: Mapping[str, str] = PROVIDERS
    return names[provider] in onnxruntime.get_available_providers()


def _ignored(what: str, why: str) -> None:
    warnings.warn(f"{what} is ignored: {why}", UserWarning, stacklevel=4)
