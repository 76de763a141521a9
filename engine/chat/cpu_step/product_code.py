"""The code of a product: a norm, several matrices that read the same input, their adapters, what they are added to.

    out[r] (+)= W @ x[r] + bias + up @ inner[r]        x[r] = norm * input[r] / sqrt(mean(input[r] ** 2) + eps)

for every row r of the batch. A decoding step is bound by reading W; W is read once for all rows, and in the form that
it is kept in: packed 4-bit values are looked up in registers, in float32 and so exactly as they are unpacked. Every
thread computes its share of the outputs, after it has normed the input for itself, which is quicker than to wait.
"""

from collections.abc import Callable, Sequence

from llvmlite import ir

from engine.chat.cpu_step.arguments import BITS, BLOCK, Arguments, Kind, Matrix
from engine.chat.cpu_step.emitter import F32, I8, I16, I32, I64, Emitter, struct_of

TOGETHER = 2
"""Outputs that are computed at a time, so that an input is read from the cache once for all of them: for two rows 12
instead of 13 ms over 110 M values, for four 16 instead of 19 (one thread, AVX-512)."""


_MATRIX, _ARGUMENTS = struct_of(Matrix), struct_of(Arguments)


def emit_product(module: ir.Module, kind: Kind, rows: int, lanes: int) -> None:
    """Write the function ``kind`` for so many rows into a module."""
    _Product(module, kind, rows, lanes).emit()


class _Product:
    def __init__(self, module: ir.Module, kind: Kind, rows: int, lanes: int) -> None:
        self.e = Emitter(module, kind, lanes)
        self.kind, self.rows, self.lanes = kind, rows, lanes

    def emit(self) -> None:
        e, b = self.e, self.e.build
        arguments = [e.member(e.function.args[0], _ARGUMENTS, n) for n in range(len(_ARGUMENTS.elements))]
        source, self.width, norm, eps, scratch, table, matrices, count = arguments
        self.thread = b.zext(e.call("ticket_tuner_thread", I32), I64)
        self.threads = b.zext(e.call("ticket_tuner_threads", I32), I64)
        own = b.mul(self.thread, b.mul(self.width, e.number(self.rows)))
        self.x = [e.at(scratch, b.add(own, b.mul(self.width, e.number(row)))) for row in range(self.rows)]
        for row, into in enumerate(self.x):
            self._norm(e.at(source, b.mul(self.width, e.number(row))), norm, eps, into)
        self.halves = [e.load(e.at(table, e.number(n))) for n in range(0, 16, self.lanes)]
        e.loop(e.number(0), count, 1, [], lambda n, _: self._matrix(e.at(matrices, n, _MATRIX)))
        b.ret_void()

    # ---- the input

    def _norm(self, source: ir.Value, norm: ir.Value, eps: ir.Value, into: ir.Value) -> None:
        e, b = self.e, self.e.build
        has_norm = e.is_set(norm)
        end = b.select(has_norm, self.width, e.number(0))

        def square(i: ir.Value, so_far: Sequence[ir.Value]) -> list[ir.Value]:
            value = e.load(e.at(source, i))
            return [e.fma(value, value, so_far[0])]

        (squares,) = e.loop(e.number(0), end, self.lanes, [e.zeros()], square)
        mean = b.fdiv(e.total(squares), b.sitofp(self.width, F32))
        root = e.call("llvm.sqrt.f32", F32, b.fadd(mean, eps))
        factor = e.splat(b.fdiv(ir.Constant(F32, 1.0), root))
        with b.if_else(has_norm) as (yes, no):
            with yes:
                self._copy(source, into, lambda value, i: b.fmul(e.load(e.at(norm, i)), b.fmul(value, factor)))
            with no:
                self._copy(source, into, lambda value, _: value)

    def _copy(self, source: ir.Value, into: ir.Value, change: Callable[[ir.Value, ir.Value], ir.Value]) -> None:
        """Copy the input; before packed weights all even places of a stretch come first, as they are unpacked."""
        e, b, lanes = self.e, self.e.build, self.lanes
        offsets = (0, lanes) if self.kind == "packed" else (0,)

        def stretch(i: ir.Value, _: Sequence[ir.Value]) -> list[ir.Value]:
            places = [b.add(i, e.number(offset)) for offset in offsets]
            values = [change(e.load(e.at(source, place)), place) for place in places]
            if self.kind == "packed":
                orders = [e.constant(list(range(half, 2 * lanes, 2))) for half in (0, 1)]
                values = [b.shuffle_vector(values[0], values[1], order) for order in orders]
            for value, place in zip(values, places, strict=True):
                e.store(value, e.at(into, place))
            return []

        e.loop(e.number(0), self.width, lanes * len(offsets), [], stretch)

    # ---- the outputs

    def _matrix(self, matrix: ir.Value) -> list[ir.Value]:
        e, b = self.e, self.e.build
        self.m = {name: e.member(matrix, _MATRIX, n) for n, (name, _) in enumerate(Matrix._fields_)}
        total = self.m["out_features"]
        first = b.udiv(b.mul(self.thread, total), self.threads)
        last = b.udiv(b.mul(b.add(self.thread, e.number(1)), total), self.threads)
        pairs = b.mul(b.udiv(b.sub(last, first), e.number(TOGETHER)), e.number(TOGETHER))
        e.loop(first, b.add(first, pairs), TOGETHER, [], lambda o, _: self._outputs(o, TOGETHER))
        e.loop(b.add(first, pairs), last, 1, [], lambda o, _: self._outputs(o, 1))
        return []

    def _outputs(self, first: ir.Value, count: int) -> list[ir.Value]:
        e, b = self.e, self.e.build
        outputs = [b.add(first, e.number(n)) for n in range(count)]
        sums = self._packed_sums(outputs) if self.kind == "packed" else self._plain_sums(outputs)
        sums = self._adapted(outputs, sums)
        for n, output in enumerate(outputs):
            bias = self._bias(output)
            for row in range(self.rows):
                place = e.at(self.m["out"], b.add(b.mul(e.number(row), self.m["out_stride"]), output))
                adds = b.icmp_signed("!=", self.m["adds"], e.number(0))
                before = b.select(adds, b.load(place, typ=F32), ir.Constant(F32, 0.0))
                b.store(b.fadd(b.fadd(e.total(sums[n * self.rows + row]), bias), before), place)
        return []

    def _bias(self, output: ir.Value) -> ir.Value:
        """The bias of an output, or 0 where there is none: then the input is read instead, which is always there."""
        e, b = self.e, self.e.build
        has_bias = e.is_set(self.m["bias"])
        place = b.select(has_bias, e.at(self.m["bias"], output), self.x[0])
        return b.select(has_bias, b.load(place, typ=F32), ir.Constant(F32, 0.0))

    def _row_starts(self, outputs: Sequence[ir.Value]) -> list[ir.Value]:
        e, b = self.e, self.e.build
        size = b.udiv(b.mul(self.width, e.number(BITS[self.kind])), e.number(8))
        return [e.at(self.m["weight"], b.mul(output, size), I8) for output in outputs]

    def _packed_sums(self, outputs: Sequence[ir.Value]) -> list[ir.Value]:
        """Add up block by block: values times inputs, then times the block's scale."""
        e, b, lanes = self.e, self.e.build, self.lanes
        weights = self._row_starts(outputs)
        blocks = b.udiv(self.width, e.number(BLOCK))
        scales = [e.at(self.m["scales"], b.mul(output, blocks)) for output in outputs]

        def block(number: ir.Value, so_far: Sequence[ir.Value]) -> list[ir.Value]:
            start = b.mul(number, e.number(BLOCK))
            inputs = [e.at(x, start) for x in self.x]
            packed = [e.at(weight, b.mul(number, e.number(BLOCK // 2)), I8) for weight in weights]
            parts = [e.zeros() for _ in so_far]
            for place in range(0, BLOCK, 2 * lanes):
                raw = [b.zext(self._bytes(each, place // 2), e.integers) for each in packed]
                for half in (0, 1):
                    x = [e.load(e.at(each, e.number(place + half * lanes))) for each in inputs]
                    for n, each in enumerate(raw):
                        values = self._looked_up(each if half else b.lshr(each, e.constant([4] * lanes)))
                        for row in range(self.rows):
                            at = n * self.rows + row
                            parts[at] = e.fma(values, x[row], parts[at])
            factors = [e.splat(b.load(e.at(each, number), typ=F32)) for each in scales]
            return [e.fma(part, factors[at // self.rows], so_far[at]) for at, part in enumerate(parts)]

        return e.loop(e.number(0), blocks, 1, [e.zeros()] * (len(outputs) * self.rows), block)

    def _bytes(self, packed: ir.Value, offset: int) -> ir.Value:
        return self.e.load(self.e.at(packed, self.e.number(offset), I8), ir.VectorType(I8, self.lanes))

    def _looked_up(self, indices: ir.Value) -> ir.Value:
        """Turn 4-bit numbers, whatever their higher bits, into their values."""
        e, b = self.e, self.e.build
        if self.lanes == 16:
            return e.call("llvm.x86.avx512.permvar.sf.512", e.vector, self.halves[0], indices)
        low, high = (e.call("llvm.x86.avx2.permps", e.vector, half, indices) for half in self.halves)
        is_high = b.icmp_signed("<", b.shl(indices, e.constant([28] * self.lanes)), e.constant([0] * self.lanes))
        return b.select(is_high, high, low)

    def _plain_sums(self, outputs: Sequence[ir.Value]) -> list[ir.Value]:
        e, b = self.e, self.e.build
        weights = self._row_starts(outputs)

        def stretch(i: ir.Value, so_far: Sequence[ir.Value]) -> list[ir.Value]:
            x = [e.load(e.at(each, i)) for each in self.x]
            offset = b.mul(i, e.number(BITS[self.kind] // 8))
            values = [self._numbers(e.at(weight, offset, I8)) for weight in weights]
            return [e.fma(values[at // self.rows], x[at % self.rows], value) for at, value in enumerate(so_far)]

        return e.loop(e.number(0), self.width, self.lanes, [e.zeros()] * (len(outputs) * self.rows), stretch)

    def _numbers(self, place: ir.Value) -> ir.Value:
        e, b = self.e, self.e.build
        if self.kind == "float32":
            return e.load(place)
        upper = b.zext(e.load(place, ir.VectorType(I16, self.lanes)), e.integers)
        return b.bitcast(b.shl(upper, e.constant([16] * self.lanes)), e.vector)

    def _adapted(self, outputs: Sequence[ir.Value], sums: Sequence[ir.Value]) -> list[ir.Value]:
        """Add the adapters' part, whose inner products have been computed before."""
        e, b = self.e, self.e.build
        ups = [e.at(self.m["up"], b.mul(output, self.m["ranks"])) for output in outputs]
        inner = [e.at(self.m["inner"], b.mul(e.number(row), self.m["inner_stride"])) for row in range(self.rows)]

        def stretch(i: ir.Value, so_far: Sequence[ir.Value]) -> list[ir.Value]:
            x = [e.load(e.at(each, i)) for each in inner]
            values = [e.load(e.at(up, i)) for up in ups]
            return [e.fma(values[at // self.rows], x[at % self.rows], value) for at, value in enumerate(so_far)]

        return e.loop(e.number(0), self.m["ranks"], self.lanes, sums, stretch)
