"""Emitter: writes one function in LLVM's language, with loops and vectors of float32.

llvmlite makes machine code of it while the program runs, so that nobody needs a compiler. Nothing here knows what is
computed.
"""

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir

F32, I8, I16, I32, I64 = ir.FloatType(), ir.IntType(8), ir.IntType(16), ir.IntType(32), ir.IntType(64)
POINTER = ir.PointerType()


_TYPES: dict[Any, ir.Type] = {ctypes.c_void_p: POINTER, ctypes.c_int64: I64, ctypes.c_float: F32}


def struct_of(structure: type[ctypes.Structure]) -> ir.LiteralStructType:
    """A structure of C as LLVM has it."""
    return ir.LiteralStructType([_TYPES[kind] for _, kind in structure._fields_])  # type: ignore[misc]


class Emitter:
    """A function ``void name(void *arguments)`` that is being written.

    Args:
        module: Where it belongs.
        name: Its name.
        lanes: Float32 numbers in a vector: 16 with AVX-512, 8 with AVX2.
    """

    def __init__(self, module: ir.Module, name: str, lanes: int) -> None:
        self.module, self.lanes = module, lanes
        self.vector = ir.VectorType(F32, lanes)
        self.integers = ir.VectorType(I32, lanes)
        self.function = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER]), name)
        self.build = ir.IRBuilder(self.function.append_basic_block("entry"))

    def call(self, name: str, returns: ir.Type, *arguments: ir.Value, fastmath: Sequence[str] = ()) -> ir.Value:
        """Call a function that the processor, LLVM or the program has."""
        known = self.module.globals.get(name)
        if known is None:
            known = ir.Function(self.module, ir.FunctionType(returns, [value.type for value in arguments]), name)
        return self.build.call(known, arguments, fastmath=fastmath)

    def number(self, value: int) -> ir.Value:
        """A constant of 64 bits."""
        return ir.Constant(I64, value)

    def constant(self, values: Sequence[int]) -> ir.Value:
        """A vector of integers."""
        return ir.Constant(ir.VectorType(I32, len(values)), list(values))

    def zeros(self) -> ir.Value:
        """A vector of 0.0."""
        return ir.Constant(self.vector, [0.0] * self.lanes)

    def at(self, pointer: ir.Value, index: ir.Value, of: ir.Type = F32) -> ir.Value:
        """The address of an element."""
        return self.build.gep(pointer, [index], source_etype=of)

    def member(self, pointer: ir.Value, struct: ir.LiteralStructType, number: int) -> ir.Value:
        """The value of a member of a structure."""
        place = self.build.gep(pointer, [ir.Constant(I32, 0), ir.Constant(I32, number)], source_etype=struct)
        return self.build.load(place, typ=struct.elements[number])

    def load(self, pointer: ir.Value, of: ir.Type | None = None) -> ir.Value:
        """Read a vector from an address that need not be aligned."""
        of = of or self.vector
        value = self.build.load(pointer, typ=of)
        value.align = of.element.width // 8 if isinstance(of.element, ir.IntType) else 4
        return value

    def store(self, value: ir.Value, pointer: ir.Value) -> None:
        """Write a vector to an address that need not be aligned."""
        self.build.store(value, pointer).align = 4

    def fma(self, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
        """``a * b + c``, rounded once."""
        return self.call(f"llvm.fma.v{self.lanes}f32", self.vector, a, b, c)

    def total(self, vector: ir.Value) -> ir.Value:
        """The sum of a vector's lanes, in any order."""
        name, start = f"llvm.vector.reduce.fadd.v{self.lanes}f32", ir.Constant(F32, 0.0)
        return self.call(name, F32, start, vector, fastmath=("reassoc",))

    def splat(self, value: ir.Value) -> ir.Value:
        """A number in every lane."""
        undefined = ir.Constant(self.vector, ir.Undefined)
        first = self.build.insert_element(undefined, value, ir.Constant(I32, 0))
        return self.build.shuffle_vector(first, undefined, self.constant([0] * self.lanes))

    def is_set(self, pointer: ir.Value) -> ir.Value:
        """Whether a pointer is not null."""
        return self.build.icmp_unsigned("!=", self.build.ptrtoint(pointer, I64), self.number(0))

    def loop(
        self,
        start: ir.Value,
        stop: ir.Value,
        step: int,
        carried: Sequence[ir.Value],
        body: Callable[[ir.Value, list[ir.Value]], Sequence[ir.Value]],
    ) -> list[ir.Value]:
        """Write ``for i in range(start, stop, step)``.

        Args:
            start: The first value of ``i``.
            stop: Where it ends.
            step: What is added each time.
            carried: Values that one pass hands to the next.
            body: Writes a pass, given ``i`` and the values; returns the values after it.

        Returns:
            The values after the last pass.
        """
        before = self.build.block
        head, inside, after = (self.function.append_basic_block() for _ in range(3))
        self.build.branch(head)
        self.build.position_at_end(head)
        index = self.build.phi(I64)
        index.add_incoming(start, before)
        values: list[Any] = []
        for value in carried:
            values.append(self.build.phi(value.type))
            values[-1].add_incoming(value, before)
        self.build.cbranch(self.build.icmp_signed("<", index, stop), inside, after)
        self.build.position_at_end(inside)
        new = body(index, values)
        following = self.build.add(index, self.number(step))
        self.build.branch(head)
        index.add_incoming(following, self.build.block)
        for value, changed in zip(values, new, strict=True):
            value.add_incoming(changed, self.build.block)
        self.build.position_at_end(after)
        return values
