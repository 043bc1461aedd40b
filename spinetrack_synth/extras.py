"""What each extra of the package installs, and the pip command that brings it."""

from __future__ import annotations

from typing import Final

EXTRAS: Final[dict[str, dict[str, str]]] = {
    "render": {"mitsuba": "mitsuba", "pyoidn": "pyoidn"},
    "opensim": {"opensim": "opensim"},
    "unreal": {"unrealcv": "unrealcv", "opencv-python": "cv2", "pygltflib": "pygltflib"},
    "motion": {"ezc3d": "ezc3d", "matplotlib": "matplotlib"},
    "train": {
        "onnx": "onnx",
        "onnxruntime": "onnxruntime",
        "opencv-python": "cv2",
        "safetensors": "safetensors",
        "torch": "torch",
    },
    "spinepose": {"onnxruntime": "onnxruntime", "opencv-python": "cv2"},
    "meshes": {"trimesh": "trimesh"},
    "convert": {"pyyaml": "yaml"},
    "cluster": {"distributed": "distributed"},
    "heic": {"pi-heif": "pi_heif"},
}
"""Extra -> distribution -> module it is imported as. A test holds it against ``pyproject.toml``.
Of two extras that bring a module the later is named to who lacks it: the smaller one."""

EXTRA_OF_MODULE: Final[dict[str, str]] = {
    module: extra for extra, modules in EXTRAS.items() for module in modules.values()
} | {"drjit": "render"}
"""Import name -> the extra that brings it."""


def pip_command(extra: str) -> str:
    """The command that installs an extra, in quotes that every shell leaves alone."""
    return f"pip install 'spinetrack-synth[{extra}]'"
