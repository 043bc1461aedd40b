"""Motion as arrays: markers over time and coordinates over time, whatever file they came from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class MarkerMotion:
    """Points in the world over time.

    ``names`` (M,); ``times_s`` (F,), ascending; ``positions_m`` (F, M, 3) in OpenSim's ground frame
    (X forward, Y up, Z right), NaN where a marker is missing; ``source`` the file, for messages.
    """

    names: tuple[str, ...]
    times_s: Array
    positions_m: Array
    source: str = ""

    def __post_init__(self) -> None:
        expected = (len(self.times_s), len(self.names), 3)
        if self.positions_m.shape != expected:
            raise ValueError(f"positions_m: shape {self.positions_m.shape}, expected {expected}")


@dataclass(frozen=True)
class CoordinateMotion:
    """Coordinates of a model over time.

    ``names`` (n,); ``times_s`` (F,), ascending; ``values`` (F, n) in rad where ``rotational`` (n,),
    else in m; ``source`` the file, for messages.
    """

    names: tuple[str, ...]
    times_s: Array
    values: Array
    rotational: NDArray[np.bool_]
    source: str = ""

    def __post_init__(self) -> None:
        expected = (len(self.times_s), len(self.names))
        if self.values.shape != expected:
            raise ValueError(f"values: shape {self.values.shape}, expected {expected}")
        if self.rotational.shape != (len(self.names),):
            raise ValueError(
                f"rotational: shape {self.rotational.shape}, expected ({expected[1]},)"
            )


@dataclass(frozen=True)
class JointMotion:
    """A skeleton of bones that turn: where its joints are over time, and how they are turned.

    ``names`` (J,); ``times_s`` (F,), ascending; ``positions_m`` (F, J, 3) in OpenSim's ground
    frame; ``turns`` (F, J, 3, 3) each bone's rotation in the world since the skeleton's pose of
    rest; ``rest_m`` (J, 3) the joints in that pose; ``source`` the file, for messages.
    """

    names: tuple[str, ...]
    times_s: Array
    positions_m: Array
    turns: Array
    rest_m: Array
    source: str = ""

    @property
    def markers(self) -> MarkerMotion:
        """The joints as points."""
        return MarkerMotion(self.names, self.times_s, self.positions_m, self.source)


Motion = MarkerMotion | JointMotion | CoordinateMotion
