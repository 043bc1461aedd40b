"""What is in picture files, as far as it tells them apart: sizes, digests, looks."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.coco.picture_paths import locate
from spinetrack_synth.coco.values import plain

HASH_SIDE: Final = 16
ALIKE_LEVELS: Final = 4
"""Re-encoding and scaling change the cells of a thumbnail by a few grey levels of 255."""
BLANK_LEVELS: Final = 2
"""A thumbnail whose grey values lie this close together shows nothing."""


@dataclass(frozen=True)
class Picture:
    """A picture file: where, its pixel size, EXIF orientation, format, digests.

    ``path`` is None where there is no file; ``problem`` tells why a file cannot be decoded.
    ``cells`` (16, 17) grey values of a thumbnail; ``look`` (32,) bytes: 256 comparisons of
    neighbouring cells.
    """

    path: Path | None = None
    size: tuple[int, int] | None = None
    orientation: int = 1
    format: str = ""
    digest: bytes = b""
    cells: NDArray[np.int16] | None = None
    look: NDArray[np.uint8] | None = None
    blank: bool = False
    problem: str | None = None


def inspect(name: object, folders: tuple[Path, ...]) -> Picture:
    """Read and decode one file."""
    from PIL import Image

    path = locate(name, folders)
    if path is None:
        return Picture()
    try:
        content = path.read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content)) as image:
                kind, size = image.format or "", image.size
                orientation = int(image.getexif().get(0x0112, 1) or 1)
                image.load()
                grey = image.convert("L").resize((HASH_SIDE + 1, HASH_SIDE), Image.Resampling.BOX)
        cells = np.asarray(grey, dtype=np.int16)
        return Picture(
            path=path,
            size=size,
            orientation=orientation,
            format=kind,
            digest=hashlib.sha256(content).digest(),
            cells=cells,
            look=np.packbits(cells[:, 1:] > cells[:, :-1]),
            blank=int(np.ptp(cells)) <= BLANK_LEVELS,
        )
    except Exception as error:  # Pillow's plugins raise whatever they like at damaged files
        return Picture(path=path, problem=plain(str(error))[:120] or type(error).__name__)


def alike(a: Picture, b: Picture) -> bool:
    """Do two different files show the same, but for overall brightness? Flat pictures share most
    of their look; their cells tell them apart."""
    if a.cells is None or b.cells is None or a.digest == b.digest:
        return False
    difference = a.cells.astype(np.float64) - b.cells
    return bool(np.abs(difference - np.median(difference)).max() <= ALIKE_LEVELS)


Pair = tuple[int, int, int]


def near_pairs(
    looks: NDArray[np.uint8], most_bits: int, wanted: Callable[[int, int], bool]
) -> list[Pair]:
    """Pairs of looks (n, 32) that differ by at most ``most_bits`` < 8 bits, and by how many.

    Of eight bands of 32 bits at least one is then equal: only those pairs are compared.
    """
    bands = np.ascontiguousarray(looks).view(np.uint32)
    found: dict[tuple[int, int], int] = {}
    for band in range(bands.shape[1]):
        order = np.argsort(bands[:, band], kind="stable")
        values = bands[order, band]
        edges = np.flatnonzero(np.diff(values)) + 1
        for group in np.split(order, edges):
            if len(group) < 2:
                continue
            # Flat pictures fill a band with the same bits: look at neighbours only.
            reach = len(group) if len(group) <= 64 else 8
            for lag in range(1, reach):
                a, b = group[:-lag], group[lag:]
                bits = np.bitwise_count(looks[a] ^ looks[b]).sum(1)
                for index in np.flatnonzero(bits <= most_bits):
                    pair = (int(min(a[index], b[index])), int(max(a[index], b[index])))
                    if pair not in found and wanted(*pair):
                        found[pair] = int(bits[index])
    return [(a, b, bits) for (a, b), bits in sorted(found.items())]
