"""What compiled functions do to arrays, where numba's own way takes seconds to compile."""

from __future__ import annotations

from typing import Any

from numba.extending import overload
from numpy.typing import NDArray


def assign(target: NDArray[Any], source: NDArray[Any]) -> None:
    """``target[:] = source`` for arrays of one shape, (n,) or (m, n).

    Numba's brings along the making of the text that says which shapes differ, with all of Unicode.
    """
    target[:] = source


@overload(assign)
def _assign(target: Any, source: Any) -> Any:
    def rows(target: Any, source: Any) -> Any:
        for i in range(target.shape[0]):
            for j in range(target.shape[1]):
                target[i, j] = source[i, j]

    def row(target: Any, source: Any) -> Any:
        for i in range(len(target)):
            target[i] = source[i]

    return row if target.ndim == 1 else rows
