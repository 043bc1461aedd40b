"""Numba's compiler, made to give the same code in every process.

Two things of numba's own depend on what a process did before. A symbol carries the count of all
functions that were compiled before it; here it carries the digest of what the code follows from.
And what a function took in of its callees but did not inline stands beside it as a weak copy:
where the callee itself was compiled in the same process the linker takes that, where the function
comes out of the cache it takes the copy, and the two differ in the last bits, since the copy was
optimised once more. Here the copy is the function's own, whoever else is there.
"""

from __future__ import annotations

from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler


class OwnCompiler(Compiler):
    """Compiles one function; ``digest`` is of what its code follows from."""

    def __init__(self, digest: str, *args: Any) -> None:
        super().__init__(*args)
        self._digest = digest

    def _compile_bytecode(self) -> Any:
        function, state = self.state.func_id, self.state
        function.unique_id = self._digest
        function.unique_name = f"{function.func_qualname}${self._digest}"
        state.library = _Library(state.targetctx.codegen(), function.func_qualname)
        state.library.enable_object_caching()
        return super()._compile_bytecode()


class _Library(JITCodeLibrary):
    """Its symbols are the function's; all that was taken in of others is inside."""

    def _finalize_final_module(self) -> None:
        self._shared_module = self._final_module.clone()
        for function in self._shared_module.functions:
            if not function.is_declaration and function.linkage.name == "external":
                function.linkage = "linkonce_odr"
        for function in self._final_module.functions:
            if not function.is_declaration and function.linkage.name == "linkonce_odr":
                function.linkage = "internal"
        super()._finalize_final_module()
