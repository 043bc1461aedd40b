"""``infer_image`` and ``infer_video`` where the ``spinepose`` package has them."""

from spinetrack_synth.spinepose.estimator import infer_image, infer_video

__all__ = ["infer_image", "infer_video"]
