"""Datasets on disk: layout, resumable making, manifest, ground truth and contact sheet."""

from spinetrack_synth.dataset.config import DatasetConfig
from spinetrack_synth.dataset.run import run_dataset

__all__ = ["DatasetConfig", "run_dataset"]
