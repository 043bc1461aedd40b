"""Synthetic people with known spines, and tools that tell whether a pose dataset is true.

``import spinetrack_synth as st`` gives the names of ``__all__``, each loaded when first asked for;
docs/api.md shows every one in use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from spinetrack_synth.version import __version__

if TYPE_CHECKING:
    from spinetrack_synth.anatomy.ik import solve as solve_ik
    from spinetrack_synth.api import evaluate, load_model, validate
    from spinetrack_synth.coco import CocoDataset
    from spinetrack_synth.dataset import DatasetConfig
    from spinetrack_synth.dataset import run_dataset as render_dataset
    from spinetrack_synth.dataset.ground_truth import read_ground_truth
    from spinetrack_synth.errors import UserError
    from spinetrack_synth.motion.data import CoordinateMotion, MarkerMotion
    from spinetrack_synth.motion.files import read_motion, write_motion
    from spinetrack_synth.motion.retargeting import retarget
    from spinetrack_synth.spinepose import SpinePoseEstimator as PoseEstimator

__all__ = [
    "CocoDataset",
    "CoordinateMotion",
    "DatasetConfig",
    "MarkerMotion",
    "PoseEstimator",
    "UserError",
    "__version__",
    "evaluate",
    "load_model",
    "read_ground_truth",
    "read_motion",
    "render_dataset",
    "retarget",
    "solve_ik",
    "validate",
    "write_motion",
]

_HOMES: Final = {
    "CocoDataset": "coco:CocoDataset",
    "CoordinateMotion": "motion.data:CoordinateMotion",
    "DatasetConfig": "dataset:DatasetConfig",
    "MarkerMotion": "motion.data:MarkerMotion",
    "PoseEstimator": "spinepose:SpinePoseEstimator",
    "UserError": "errors:UserError",
    "evaluate": "api:evaluate",
    "load_model": "api:load_model",
    "read_ground_truth": "dataset.ground_truth:read_ground_truth",
    "read_motion": "motion.files:read_motion",
    "render_dataset": "dataset:run_dataset",
    "retarget": "motion.retargeting:retarget",
    "solve_ik": "anatomy.ik:solve",
    "validate": "api:validate",
    "write_motion": "motion.files:write_motion",
}
"""Where each public name lives: module and name there. The imports above tell type checkers."""


if not TYPE_CHECKING:  # or type checkers would let every misspelt name pass

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module, _, attribute = _HOMES[name].partition(":")
        found: object = getattr(import_module(f"{__name__}.{module}"), attribute)
        globals()[name] = found  # the next look finds it here
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
