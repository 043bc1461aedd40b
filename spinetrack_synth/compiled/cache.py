"""Where compiled functions are kept between starts: the user's cache folder, a file a signature.

A file is found by what its code follows from: the bytecode of the function, the constants it names,
all that of the compiled functions it calls, the types of its arguments, and in the folder's name
the versions of numba, LLVM, numpy and Python and the processor. So a changed callee is seen, a new
release that leaves a function as it was finds it again, and neither where the package lies nor when
its files were written plays a part. Files are written whole or not at all, and none says what
another holds, so that processes need not know of one another.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import inspect
import logging
import os
import pickle
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final

import llvmlite
import llvmlite.binding as llvm
import numba
import numpy as np
from filelock import FileLock, Timeout
from numba.core import config as numba_config
from numba.core.codegen import get_host_cpu_features
from numba.core.compiler import CompileResult
from numba.core.dispatcher import Dispatcher
from numba.core.runtime.nrt import rtsys
from numba.core.serialize import dumps

from spinetrack_synth.cache import OVERRIDE, cache_folder
from spinetrack_synth.errors import UserError

LIMIT_BYTES: Final = 100 * 2**20
"""What all kept functions may take; the longest unused are deleted beyond it."""

SECONDS_A_TOUCH: Final = 24 * 3600
"""A file that is read is marked as used no more often than that."""

_config: Any = numba_config
_log = logging.getLogger(__name__)
_apart: dict[str, tuple[Dispatcher, tuple[Any, ...]]] = {}
"""Functions that callers do not take in, by the symbol under which they call them."""


class CodeCache:
    """Keeps the compiled signatures of one function; a dispatcher's ``_cache``."""

    def __init__(self, dispatcher: Dispatcher, apart: bool) -> None:
        self._dispatcher, self._stands_apart, self._enabled = dispatcher, apart, True

    @property
    def cache_path(self) -> str:
        return str(_folder())

    def enable(self) -> None:
        self._enabled = True

    def disable(self) -> None:
        self._enabled = False

    def flush(self) -> None:
        for path in _folder().glob(f"{_name(self._dispatcher)}-*"):
            path.unlink(missing_ok=True)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What was kept of a signature, or None."""
        result = self._load(sig, target_context) if self._enabled else None
        if result is None:
            say_that_it_compiles()
            importlib.import_module("spinetrack_synth.compiled.lowering")
            target_context.refresh()
        elif self._stands_apart:
            self._set_apart(result)
        return result

    @contextlib.contextmanager
    def alone(self, sig: Any) -> Iterator[None]:
        """Wait for a process that is compiling a signature; let others wait for this one."""
        with contextlib.ExitStack() as held:
            with contextlib.suppress(OSError, UserError):  # nothing can be written: each for itself
                if self._enabled and not self._path(sig).exists():
                    held.enter_context(self._lock(sig))
            yield

    def is_free(self, sig: Any) -> bool:
        """Whether a signature is neither kept nor being compiled."""
        if self._path(sig).exists():
            return False
        try:
            with self._lock(sig, wait=False):
                return True
        except Timeout:
            return False

    @contextlib.contextmanager
    def _lock(self, sig: Any, wait: bool = True) -> Iterator[None]:
        path = _folder() / f"new-{self._path(sig).name}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path, blocking=wait).acquire(poll_interval=0.01):
            try:
                yield
            finally:
                with contextlib.suppress(OSError):  # on Windows in use: filelock deletes it there
                    path.unlink()

    def save_overload(self, sig: Any, result: Any) -> None:
        """Keep a signature; where nothing can be written, it is compiled again next time."""
        if self._enabled and not result.library.has_dynamic_globals:
            self._save(sig, result)
        if self._stands_apart:
            self._set_apart(result)

    def _save(self, sig: Any, result: Any) -> None:
        declared = _declared(result.library)
        called = [
            (dispatcher.py_func.__module__, dispatcher.py_func.__name__, args, symbol)
            for symbol, (dispatcher, args) in _apart.items()
            if symbol in declared
        ]
        foreign = [name for name in declared - _apart.keys() if not name.startswith("llvm.")]
        *reduced, environments = result._reduce()
        # One without constants is never read, and to load it imports where its function comes from.
        environments = tuple(one for one in environments if one.consts)
        try:
            path = self._path(sig)
            _write(path, dumps((called, foreign, (*reduced, environments))))
        except (OSError, UserError) as error:
            _say_that_none_is_kept(str(getattr(error, "strerror", None) or error))
            return
        with contextlib.suppress(OSError):  # another process prunes too
            _prune(path.parent.parent)

    def _path(self, sig: Any) -> Path:
        args = getattr(sig, "args", sig)
        key = hashlib.sha256(identity(self._dispatcher) + repr(args).encode()).hexdigest()
        return _folder() / f"{_name(self._dispatcher)}-{key[:24]}"

    def _load(self, sig: Any, target_context: Any) -> Any:
        try:
            path = self._path(sig)
            called, foreign, reduced = pickle.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except Exception as error:  # cut short or unreadable: as good as none
            _log.debug("%s: %s", _name(self._dispatcher), error)
            return None
        for module, name, args, symbol in called:
            other = getattr(importlib.import_module(module), name)
            other.compile(args)
            # Compiled by another process than this was, it has another name.
            if other.overloads[args].fndesc.mangled_name != symbol:
                return None
        rtsys.initialize(target_context)
        if not all(map(llvm.address_of_symbol, foreign)):
            target_context.refresh()  # brings all that numba has, in a quarter of a second
        _touch(path)
        return CompileResult._rebuild(target_context, *reduced)

    def _set_apart(self, result: Any) -> None:
        """Give callers nothing to take in but the symbol."""
        empty = result.library.codegen._create_empty_module(result.library.name)
        result.library._shared_module = llvm.parse_assembly(str(empty))
        _apart[result.fndesc.mangled_name] = self._dispatcher, tuple(result.signature.args)


def kept_functions() -> set[str] | None:
    """Names, ``module.function``, of which some signature is kept; None where none can be kept."""
    try:
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True)
        names = [path.name for path in folder.iterdir()]
    except (OSError, UserError):
        return None
    return {name.rpartition("-")[0] for name in names} if os.access(folder, os.W_OK) else None


@cache
def say_that_it_compiles() -> None:
    """Once a process."""
    _log.info("compiling for this machine, once: some ten seconds")


@cache
def _say_that_none_is_kept(reason: str) -> None:
    variable = "NUMBA_CACHE_DIR" if _config.CACHE_DIR else OVERRIDE
    _log.warning(
        "compiled functions cannot be kept (%s), so every start compiles: "
        "name a folder that can be written in %s",
        reason,
        variable,
    )


def _declared(library: Any) -> set[str]:
    return {
        function.name for function in library._final_module.functions if function.is_declaration
    }


# -- what code follows from -----------------------------------------------------------------------


def _name(dispatcher: Dispatcher) -> str:
    function = dispatcher.py_func
    return f"{function.__module__.rpartition('.')[2]}.{function.__name__}"


@cache
def identity(dispatcher: Dispatcher) -> bytes:
    """Digest of all that a function's code follows from, but for the types of its arguments."""
    return hashlib.sha256("\n".join(_parts(dispatcher, set())).encode()).digest()


def _parts(dispatcher: Dispatcher, seen: set[Dispatcher]) -> Iterator[str]:
    if dispatcher in seen:
        return
    seen.add(dispatcher)
    function = dispatcher.py_func
    yield f"{function.__module__}.{function.__qualname__}{function.__defaults__}"
    yield _stable(dispatcher.targetoptions)
    known = {**function.__globals__, **inspect.getclosurevars(function).nonlocals}
    for code in _codes(function.__code__):
        yield code.co_code.hex()
        yield _stable((code.co_names, code.co_varnames, code.co_freevars))
        yield _stable([item for item in code.co_consts if not isinstance(item, CodeType)])
        for name in (*code.co_names, *code.co_freevars):
            if name in known:
                yield from _named(name, known[name], seen)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for item in code.co_consts:
        if isinstance(item, CodeType):
            yield from _codes(item)


def _named(name: str, value: Any, seen: set[Dispatcher]) -> Iterator[str]:
    """What a name in a function's code stands for."""
    yield name
    if isinstance(value, Dispatcher):
        yield from _parts(value, seen)
    elif isinstance(value, np.ndarray):
        yield f"{value.dtype} {value.shape} {value.tobytes().hex()}"
    elif isinstance(value, ModuleType) or callable(value):
        yield f"{getattr(value, '__module__', '')} {getattr(value, '__name__', '')}"
        yield _stable(getattr(value, "_fields", ()))
    else:
        yield _stable(value)


def _stable(value: Any) -> str:
    """Text of a value, the same in every process."""
    if isinstance(value, dict):
        return _stable(sorted(value.items()))
    if isinstance(value, (set, frozenset)):
        return _stable(sorted(value, key=repr))
    if isinstance(value, (tuple, list)):
        return f"({', '.join(map(_stable, value))})"
    return repr(value)


# -- the folder -----------------------------------------------------------------------------------


def _folder() -> Path:
    """Of this environment: in numba's own cache folder where the user gave it one."""
    root = Path(_config.CACHE_DIR) / "spinetrack-synth" if _config.CACHE_DIR else cache_folder()
    return root / "compiled" / _environment()


@cache
def _environment() -> str:
    here = Path(__file__).parent
    parts = [
        *(module.__version__ for module in (numba, llvmlite, np)),
        sys.implementation.cache_tag,
        sys.version,
        llvm.get_process_triple(),
        _config.CPU_NAME or llvm.get_host_cpu_name(),
        get_host_cpu_features() if _config.CPU_FEATURES is None else _config.CPU_FEATURES,
        str(_config.OPT),
        *(path.read_text(encoding="utf-8") for path in sorted(here.glob("*.py"))),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix="new-", delete=False) as file:
        written = Path(file.name)
        try:
            file.write(data)
            file.flush()
            os.replace(written, path)
        except OSError:
            written.unlink()
            raise


def _touch(path: Path) -> None:
    with contextlib.suppress(OSError):
        if time.time() - path.stat().st_mtime > SECONDS_A_TOUCH:
            path.touch()


def _prune(folder: Path) -> None:
    """Delete what was longest unused, of all environments, beyond the limit."""
    files = [(path, path.stat()) for path in folder.glob("*/*")]
    files.sort(key=lambda file: file[1].st_mtime, reverse=True)
    total = 0
    for path, stat in files:
        total += stat.st_size
        if total > LIMIT_BYTES:
            path.unlink(missing_ok=True)
