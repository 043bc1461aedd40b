"""How numba makes code of records: imported when something is to be compiled, since it takes long.

And a quicker way for it to compare options of functions, which it does a hundred thousand times.
A record's block holds, field by field, the address and the shape of an array, a number, or the
address of another block.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models, register_default  # type: ignore[attr-defined]
from numba.core.pythonapi import unbox
from numba.core.targetconfig import TargetConfig
from numba.core.typing.templates import AttributeTemplate
from numba.extending import NativeValue, infer_getattr, lower_getattr_generic
from numba.np.arrayobj import make_array, populate_array

from spinetrack_synth.compiled.records import RecordType, words

_WORD: Final = ir.IntType(64)
_WORDS: Final = _WORD.as_pointer()
_DATA_WORD: Final = 4
"""In numba's own description of an array: the data; the shape follows."""


@cache
def _defaults(kind: type[TargetConfig]) -> dict[str, Any]:
    return {name: option.default for name, option in kind.options.items()}


def _values(options: TargetConfig) -> dict[str, Any]:
    """What numba's own gives, which asks a property for each of two dozen options."""
    return {**_defaults(type(options)), **options._values}


def _hash(options: TargetConfig) -> int:
    """Numba's own is of the options' names as well, not of their values."""
    return hash(type(options))


_config: Any = TargetConfig
_config.values, _config.__hash__ = _values, _hash


@register_default(RecordType)
class _RecordModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: RecordType) -> None:
        super().__init__(manager, kind, _WORDS)


@infer_getattr
class _RecordAttributes(AttributeTemplate):
    key = RecordType

    def generic_resolve(self, kind: Any, name: str) -> Any:  # type: ignore[override]
        return dict(kind.fields).get(name)


@lower_getattr_generic(RecordType)
def _load_field(context: Any, builder: Any, record: RecordType, block: Any, name: str) -> Any:
    kind, first = record.place(name)

    def load(word: int, as_type: ir.Type) -> Any:
        place = builder.gep(block, [_WORD(first + word)])
        return builder.load(builder.bitcast(place, as_type.as_pointer()))

    if not isinstance(kind, types.Array):
        return context.data_model_manager[kind].load_from_data_pointer(
            builder,
            builder.bitcast(
                builder.gep(block, [_WORD(first)]),
                context.data_model_manager[kind].get_data_type().as_pointer(),
            ),
        )
    item = context.get_data_type(kind.dtype)
    size = context.get_abi_sizeof(item)
    shape = [load(1 + axis, _WORD) for axis in range(kind.ndim)]
    strides = [_WORD(size)]
    for length in shape[:0:-1]:
        strides.insert(0, builder.mul(strides[0], length, flags=["nsw"]))
    array = make_array(kind)(context, builder)
    populate_array(
        array,
        data=load(0, item.as_pointer()),
        shape=shape,
        strides=strides,
        itemsize=_WORD(size),
        meminfo=None,
    )
    return array._getvalue()


@unbox(RecordType)
def _unbox_record(record: RecordType, value: Any, c: Any) -> NativeValue:
    block = cgutils.alloca_once(c.builder, _WORD, size=max(record.size, 1))
    failed, word = cgutils.false_bit, 0
    for index, (_, kind) in enumerate(record.fields):
        item = c.pyapi.tuple_getitem(value, index)
        place = c.builder.gep(block, [_WORD(word)])
        if isinstance(kind, types.Array):
            adapt = _adapter(c.builder.module, kind.ndim)
            wrong = c.builder.call(adapt, [item, place])
            wrong = cgutils.is_not_null(c.builder, wrong)
        else:
            native = c.unbox(kind, item)
            model = c.context.data_model_manager[kind]
            data = model.as_data(c.builder, native.value)
            c.builder.store(data, c.builder.bitcast(place, data.type.as_pointer()))
            wrong = native.is_error
        failed = c.builder.or_(failed, wrong)
        word += words(kind)
    with c.builder.if_then(failed, likely=False):
        c.pyapi.err_set_string("PyExc_TypeError", f"not what {record.name} takes")
    return NativeValue(block, is_error=failed)


def _adapter(module: ir.Module, ndim: int) -> ir.Function:
    """A function that writes address and shape of an array into a block: 0 where it is one."""
    name = f"spinetrack_synth.adapt.{ndim}"
    if name in module.globals:
        return module.globals[name]
    bytes_ = ir.IntType(8).as_pointer()
    status = ir.IntType(32)
    function = ir.Function(module, ir.FunctionType(status, [bytes_, _WORDS]), name)
    function.linkage = "internal"
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block())
    # What numba fills: five words, then the shape and the strides.
    filled = builder.alloca(_WORD, size=5 + 2 * max(ndim, 1))
    adapt = cgutils.get_or_insert_function(
        module, ir.FunctionType(status, [bytes_, bytes_]), "numba_adapt_ndarray"
    )
    result = builder.call(adapt, [function.args[0], builder.bitcast(filled, bytes_)])
    for word in range(1 + ndim):
        value = builder.load(builder.gep(filled, [_WORD(_DATA_WORD + word)]))
        builder.store(value, builder.gep(function.args[1], [_WORD(word)]))
    builder.ret(result)
    return function
