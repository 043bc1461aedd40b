"""SpinePose networks: run on pictures, datasets and videos, with onnxruntime and OpenCV alone."""

from spinetrack_synth.spinepose.estimator import (
    PoseTracker,
    SpinePoseEstimator,
    infer_image,
    infer_video,
)
from spinetrack_synth.spinepose.model import (
    Estimate,
    PoseModel,
    estimate,
    open_pose_model,
    predict_dataset,
)

__all__ = [
    "Estimate",
    "PoseModel",
    "PoseTracker",
    "SpinePoseEstimator",
    "estimate",
    "infer_image",
    "infer_video",
    "open_pose_model",
    "predict_dataset",
]
