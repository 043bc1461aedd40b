"""SpinePose networks: run on pictures, datasets and videos, with onnxruntime and OpenCV alone."""

from spinetrack_synth.spinepose.model import (
    Estimate,
    PoseModel,
    estimate,
    open_pose_model,
    predict_dataset,
)

__all__ = ["Estimate", "PoseModel", "estimate", "open_pose_model", "predict_dataset"]
