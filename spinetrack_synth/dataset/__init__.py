"""Datasets on disk: layout, resumable making, manifest, ground truth and contact sheet."""

from spinetrack_synth.dataset.config import DatasetConfig
from spinetrack_synth.dataset.planning import DEFAULT_COUNT, as_begun, as_made, own_folder
from spinetrack_synth.dataset.run import run_dataset

__all__ = ["DEFAULT_COUNT", "DatasetConfig", "as_begun", "as_made", "own_folder", "run_dataset"]
