"""How the package compiles: numba's decorator with a cache of our own, records by reference."""

from spinetrack_synth.compiled.arrays import assign
from spinetrack_synth.compiled.functions import apart, inner, njit
from spinetrack_synth.compiled.records import by_reference

__all__ = ["apart", "assign", "by_reference", "inner", "njit"]
