"""Videos with frames at any times: Matroska files of JPEG pictures, written by hand."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

EBML, DOC_TYPE = 0x1A45DFA3, 0x4282
SEGMENT, INFO, TIME_SCALE, DURATION = 0x18538067, 0x1549A966, 0x2AD7B1, 0x4489
TRACKS, ENTRY, NUMBER, UID, KIND, CODEC = 0x1654AE6B, 0xAE, 0xD7, 0x73C5, 0x83, 0x86
VIDEO, WIDTH, HEIGHT = 0xE0, 0xB0, 0xBA
CLUSTER, CLUSTER_TIME, BLOCK = 0x1F43B675, 0xE7, 0xA3


def write_timed_video(path: Path, frames: Sequence[np.ndarray], times_ms: Sequence[int]) -> Path:
    """Frames (RGB), each shown from a time on; the last for as long as the one before."""
    height, width = frames[0].shape[:2]
    clusters = []
    for frame, time_ms in zip(frames, times_ms):
        done, jpeg = cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 98])
        assert done
        block = b"\x81" + struct.pack(">hB", 0, 0x80) + jpeg.tobytes()
        clusters.append(element(CLUSTER, whole(CLUSTER_TIME, time_ms) + element(BLOCK, block)))
    duration = float(2 * times_ms[-1] - times_ms[-2])
    info = whole(TIME_SCALE, 1_000_000) + element(DURATION, struct.pack(">d", duration))
    track = whole(NUMBER, 1) + whole(UID, 1) + whole(KIND, 1) + element(CODEC, b"V_MJPEG")
    track += element(VIDEO, whole(WIDTH, width) + whole(HEIGHT, height))
    body = element(INFO, info) + element(TRACKS, element(ENTRY, track)) + b"".join(clusters)
    path.write_bytes(element(EBML, element(DOC_TYPE, b"matroska")) + element(SEGMENT, body))
    return path


def element(number: int, content: bytes) -> bytes:
    name = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return name + (len(content) | 1 << 56).to_bytes(8, "big") + content


def whole(number: int, value: int) -> bytes:
    return element(number, value.to_bytes(8, "big"))
