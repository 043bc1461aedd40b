"""Records: named tuples of arrays that compiled functions take by reference.

Numba hands a named tuple over field by field. One of forty arrays is then three hundred values in
every call, each function takes them in anew, and compiling takes as long as there are fields and
not as the code is. A record is one pointer: to a block of words with the address and the shape of
each array. Inside compiled code its arrays are borrowed, so that nobody counts references to them;
they live as long as the call from Python does.
"""

from __future__ import annotations

import hashlib
from typing import Any, TypeVar

import numpy as np
from numba import types
from numba.core.typing.typeof import typeof_impl
from numba.np.numpy_support import from_dtype

Fields = TypeVar("Fields", bound=type)

_NUMBERS = {bool: types.boolean, int: types.int64, float: types.float64}


def by_reference(fields: Fields) -> Fields:
    """Let compiled functions take a NamedTuple class by reference.

    Its fields are C-contiguous arrays, numbers, other such records and tuples of them. Compiled
    code reads them, and writes into the arrays; it makes no records.
    """
    typeof_impl.register(fields)(_type_of_record)
    return fields


class RecordType(types.Type):
    """What numba knows of a record: the type of every field."""

    def __init__(self, name: str, fields: tuple[tuple[str, types.Type], ...]) -> None:
        self.fields = fields
        said = ", ".join(f"{field}: {kind}" for field, kind in fields)
        # Symbols are named after it, so it is short.
        super().__init__(f"{name}.{hashlib.sha256(said.encode()).hexdigest()[:12]}")

    def place(self, name: str) -> tuple[types.Type, int]:
        """Type of a field, and the first of its words."""
        names = [field for field, _ in self.fields]
        kinds = [kind for _, kind in self.fields]
        at = names.index(name)
        return kinds[at], sum(map(words, kinds[:at]))

    @property
    def size(self) -> int:
        """Length of the block."""
        return sum(words(kind) for _, kind in self.fields)


def words(kind: types.Type) -> int:
    """How many words a field takes in the block."""
    if isinstance(kind, types.UniTuple):
        return int(kind.count)
    return 1 + kind.ndim if isinstance(kind, types.Array) else 1


def _type_of_record(value: Any, context: Any) -> RecordType:
    name = type(value).__qualname__
    return RecordType(
        name,
        tuple(
            (field, _type_of_field(f"{name}.{field}", item, context))
            for field, item in zip(value._fields, value)
        ),
    )


def _type_of_field(name: str, item: Any, context: Any) -> types.Type:
    if isinstance(item, np.ndarray):
        if not item.flags.c_contiguous:
            raise TypeError(f"{name}: compiled code takes C-contiguous arrays")
        return types.Array(from_dtype(item.dtype), item.ndim, "C")
    if type(item) in _NUMBERS:
        return _NUMBERS[type(item)]
    if type(item) is tuple:  # of records alike
        return types.UniTuple(_type_of_field(name, item[0], context), len(item))
    return _type_of_record(item, context)
