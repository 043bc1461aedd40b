"""Labels of a frame: projected keypoints with visibility, boxes and masks."""

from spinetrack_synth.labels.annotate import MIN_MASK_PX, PersonLabel, annotate
from spinetrack_synth.labels.visibility import TISSUE, Tissue

__all__ = ["MIN_MASK_PX", "TISSUE", "PersonLabel", "Tissue", "annotate"]
