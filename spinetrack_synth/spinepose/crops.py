"""Crops: what a top-down pose network sees of a picture, and the way back to the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

ColorOrder = Literal["rgb", "bgr"]
Floats = NDArray[np.float64]

PADDING: Final = 1.25
"""A crop's size over its box's (mmpose's ``GetBBoxCenterScale``)."""

MEAN_RGB: Final = np.array([123.675, 116.28, 103.53], np.float32)
STD_RGB: Final = np.array([58.395, 57.12, 57.375], np.float32)
"""ImageNet's mean and deviation, which most of these networks were trained with."""


@dataclass(frozen=True)
class Normalisation:
    """What is taken off red, green, blue (0 to 255), and what the rest is divided by."""

    mean_rgb: tuple[float, ...]
    std_rgb: tuple[float, ...]


IMAGENET: Final = Normalisation(tuple(MEAN_RGB.tolist()), tuple(STD_RGB.tolist()))
RAW: Final = Normalisation((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
"""Colours from 0 to 255 as they are."""
UNIT: Final = Normalisation((0.0, 0.0, 0.0), (255.0, 255.0, 255.0))
"""Colours from 0 to 1."""


def crop_frames(boxes_xywh: Floats, size_hw: tuple[int, int], padding: float = PADDING) -> Floats:
    """The crops of boxes (P, 4) as (P, 3): left, top, and picture pixels for a pixel of the crop.

    A box is padded and its shorter side grows to the crop's aspect; its middle becomes the crop's.
    """
    height, width = size_hw
    boxes = np.asarray(boxes_xywh, np.float64).reshape(-1, 4)
    centre = boxes[:, :2] + boxes[:, 2:] / 2
    sides = np.maximum(boxes[:, 2:], 1.0) * padding
    scale = np.maximum(sides[:, 0] / width, sides[:, 1] / height)
    corner = centre - scale[:, None] * np.array([width, height]) / 2
    return np.column_stack([corner, scale])


def cut(
    image: NDArray[np.uint8],
    frame: Floats,
    out: NDArray[np.floating],
    *,
    normalisation: Normalisation = IMAGENET,
    image_order: ColorOrder = "rgb",
    network_order: ColorOrder = "rgb",
) -> None:
    """Write the normalised crop of an image (H, W, 3) into ``out`` (3, height, width).

    Bilinear, black beyond the border. Every colour has its own mean and deviation wherever it
    stands.
    """
    import cv2

    left, top, scale = frame
    _, height, width = out.shape
    to_crop = np.array([[1 / scale, 0, -left / scale], [0, 1 / scale, -top / scale]])
    crop = cv2.warpAffine(image, to_crop, (width, height), flags=cv2.INTER_LINEAR)
    for channel, plane in enumerate(cv2.split(crop)):
        color = channel if image_order == "rgb" else 2 - channel
        target = out[color if network_order == "rgb" else 2 - color]
        mean, std = normalisation.mean_rgb[color], normalisation.std_rgb[color]
        np.multiply(plane, np.float32(1 / std), out=target, casting="same_kind")
        target -= np.float32(mean / std)


def to_picture(points_crop: NDArray[np.floating], frames: Floats) -> Floats:
    """Points (P, K, 2) in crops to points in the picture."""
    return points_crop * frames[:, None, 2:] + frames[:, None, :2]
