"""The clips of a dataset as videos beside its pictures."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import numpy as np
from PIL import Image

from spinetrack_synth import coco
from spinetrack_synth.dataset.layout import annotations_path, images_folder, video_path
from spinetrack_synth.spinepose.video import VideoWriter


def write_videos(root: Path, split: str, rate_hz: float) -> list[Path]:
    """Write an MP4 for each clip and camera of a finished split, over those that are there.

    A clip that the count cuts short is as long as its pictures. Raises UserError where OpenCV is
    missing, with the pip command that brings it, and where a video cannot be written.
    """
    dataset = coco.CocoDataset.read(annotations_path(root, split))
    several = any(image["view"] for image in dataset.images)
    images = sorted(dataset.images, key=lambda i: (i["sequence"], i["view"], i["frame"]))
    written = []
    for (sequence, view), frames in groupby(images, key=lambda i: (i["sequence"], i["view"])):
        path = video_path(root, split, f"{sequence}_{view}" if several else sequence)
        clip = list(frames)
        with VideoWriter(path, rate_hz, (clip[0]["width"], clip[0]["height"])) as video:
            for image in clip:
                with Image.open(images_folder(root, split) / image["file_name"]) as picture:
                    video.write(np.asarray(picture.convert("RGB"))[..., ::-1].copy())
        written.append(path)
    return written
