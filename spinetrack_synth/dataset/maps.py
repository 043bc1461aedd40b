"""Label maps as files: parts of the body, depth and normals, a PNG a picture."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from numpy.typing import NDArray
from PIL import Image

from spinetrack_synth.labels.maps import depth_map, normal_map
from spinetrack_synth.labels.parts import part_map
from spinetrack_synth.shot import Frame, Shot

_MAPS: Final[Mapping[str, Callable[[Shot, Frame], NDArray[Any]]]] = {
    "parts": part_map,
    "depth": depth_map,
    "normals": normal_map,
}


def encode_maps(shot: Shot, frame: Frame, kinds: Sequence[str]) -> dict[str, bytes]:
    """The maps of a frame as PNG files, by their kinds (those of `config.MAPS`)."""
    return {kind: _png(_MAPS[kind](shot, frame)) for kind in kinds}


def _png(pixels: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()
