"""Numba's decorator, in three kinds of compiled functions, all with numba's options:

- `njit`: Python and compiled functions call it;
- `inner`: only compiled functions call it, so that nothing is built to take Python objects in;
- `apart`: an inner function that its callers call and never take in. Numba hands the code of every
  callee to its callers, and each optimises all of it again; where a call does much work, that is
  for nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import Any, Final

import numba
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import CPUDispatcher
from numba.core.sigutils import normalize_signature

from spinetrack_synth.compiled.cache import CodeCache, identity
from spinetrack_synth.compiled.compiler import OwnCompiler

Decorator = Callable[[Callable[..., Any]], Any]

_OPTIONS: Final = {"nogil": True, "no_cfunc_wrapper": True, "error_model": "numpy"}
"""Of all functions, also because numba compiles its own anew for every other set of options. Where
something is divided by nothing, no exception is made ready."""

_DIGITS: Final = 16
"""Of the digest that a symbol carries."""


def njit(**options: Any) -> Decorator:
    """Compile a function; it holds no GIL and is kept for the next start."""
    return _decorator(options, apart=False)


def inner(apart: bool = False, **options: Any) -> Decorator:
    """Compile a function that only compiled functions call, and never take in where ``apart``."""
    decorate = _decorator({"no_cpython_wrapper": True, **options}, apart)

    def decorate_inner(function: Callable[..., Any]) -> Any:
        dispatcher = decorate(function)
        if not isinstance(dispatcher, FunctionType):
            dispatcher.__class__ = _Inner
        return dispatcher

    return decorate_inner


class Own(CPUDispatcher):
    """Compiles what no other process is compiling."""

    _cache: CodeCache

    def compile(self, sig: Any) -> Any:
        args, _ = normalize_signature(sig)
        if args in self.overloads:
            return super().compile(sig)
        # In this order: who compiles waits for other processes, never for a thread of this one.
        with global_compiler_lock, self._cache.alone(args):
            return super().compile(sig)


class _Inner(Own):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        name = self.py_func.__qualname__
        raise TypeError(f"{name} is for compiled functions: decorate it with njit to call it")


def apart(**options: Any) -> Decorator:
    """Compile a function that compiled functions call, and never take in; Python may call it."""
    return _decorator(options, apart=True)


def _decorator(options: dict[str, Any], apart: bool) -> Decorator:
    def decorate(function: Callable[..., Any]) -> Any:
        compiler: Any = numba.njit
        dispatcher = compiler(**{**_OPTIONS, **options})(function)
        if isinstance(dispatcher, FunctionType):  # NUMBA_DISABLE_JIT
            return dispatcher
        dispatcher.__class__ = Own
        dispatcher._cache = CodeCache(dispatcher, apart)
        dispatcher._compiler.pipeline_class = partial(_compiler, dispatcher)
        dispatcher.get_call_template = _without_literals(dispatcher.get_call_template)
        return dispatcher

    return decorate


def _compiler(dispatcher: Any, *args: Any) -> OwnCompiler:
    return OwnCompiler(identity(dispatcher).hex()[:_DIGITS], *args)


def _without_literals(resolve: Callable[..., Any]) -> Callable[..., Any]:
    """A constant as an argument makes no signature of its own."""

    def resolve_plainly(args: tuple[Any, ...], kws: dict[str, Any]) -> Any:
        plain = tuple(numba.types.unliteral(kind) for kind in args)
        return resolve(plain, {name: numba.types.unliteral(kind) for name, kind in kws.items()})

    return resolve_plainly
