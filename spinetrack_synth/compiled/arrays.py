"""What compiled functions do to arrays, where numba's own way takes seconds to compile."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from spinetrack_synth.compiled.functions import inner


@inner()
def assign(target: NDArray[Any], source: NDArray[Any]) -> None:
    """``target[:] = source`` for arrays (n,) of one length.

    Numba's brings along the making of the text that says which lengths differ, with all of Unicode.
    """
    for i in range(len(target)):
        target[i] = source[i]
