"""Points in the world from their pixels in several pictures, written from the textbook alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def triangulated(
    cameras: NDArray[np.float64], pixels: NDArray[np.float64], seen: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Points (N, 3) by the direct linear transform, and which of them two pictures hold (N,).

    ``cameras`` (P, 3, 4) are K [R t], ``pixels`` (P, N, 2), ``seen`` (P, N) which of them count.
    """
    points, known = np.full((pixels.shape[1], 3), np.nan), seen.sum(axis=0) >= 2
    for n in np.flatnonzero(known):
        rows = []
        for camera, (x, y), counts in zip(cameras, pixels[:, n], seen[:, n]):
            if counts:
                equations = np.stack([x * camera[2] - camera[0], y * camera[2] - camera[1]])
                rows.append(equations / np.linalg.norm(equations[:, :3], axis=1, keepdims=True))
        homogeneous = np.linalg.svd(np.concatenate(rows))[2][-1]
        points[n] = homogeneous[:3] / homogeneous[3]
    return points, known
