"""Asking the processor for a row of an array before it is needed, from compiled code.

The rows that a sum over interactions takes lie anywhere in the other side's factors. What is asked for while the rows
before are worked on has arrived when its turn comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable

_READ, _ALL_CACHES, _DATA = 0, 3, 1  # arguments of LLVM's `llvm.prefetch`


def _prefetch(_typing: Any, array: Any, offset: Any) -> tuple[Any, Callable[..., Any]]:  # noqa: ANN401 - Numba's own
    """Ask for the cache line with the element `offset` of a contiguous array; nothing happens if there is none."""
    declare: Any = cgutils.get_or_insert_function

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        address = builder.bitcast(builder.gep(data, [arguments[1]]), cgutils.voidptr_t)
        number = ir.IntType(32)
        declared = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, number, number, number])
        function = declare(builder.module, declared, "llvm.prefetch.p0")
        builder.call(function, [address, *(number(value) for value in (_READ, _ALL_CACHES, _DATA))])
        return context.get_dummy_value()

    return types.void(array, offset), generate


prefetch: Any = intrinsic(_prefetch)
