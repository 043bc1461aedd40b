"""Datasets on disk: layout, resumable making, manifest, ground truth and contact sheet."""

from spinetrack_synth.dataset.config import MAPS, DatasetConfig
from spinetrack_synth.dataset.planning import as_begun, as_made, default_count, own_folder
from spinetrack_synth.dataset.run import run_dataset

__all__ = [
    "MAPS",
    "DatasetConfig",
    "as_begun",
    "as_made",
    "default_count",
    "own_folder",
    "run_dataset",
]
