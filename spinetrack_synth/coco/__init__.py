"""COCO keypoint files: the one door through which they are read and written."""

from spinetrack_synth.coco.dataset import CocoDataset
from spinetrack_synth.coco.document import Document
from spinetrack_synth.coco.writing import PERSON, Record, encode, file_bytes

__all__ = ["PERSON", "CocoDataset", "Document", "Record", "encode", "file_bytes"]
