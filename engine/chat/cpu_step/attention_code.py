"""The code of a step's attention: the new queries, keys and values of every row, and what the queries see.

    q, k = turn(norm(q)), turn(norm(k))        the new key and value are appended to the cache
    out  = softmax(cap(scale * q @ keys)) @ values

Torch takes some ten calls for it, which on a small model last longer than the arithmetic. Every thread computes its
share of the heads of keys, with the queries that see them.
"""

from collections.abc import Callable, Sequence

from llvmlite import ir

from engine.chat.cpu_step.arguments import Attention
from engine.chat.cpu_step.emitter import F32, I32, I64, Emitter, struct_of

_ATTENTION = struct_of(Attention)
_LOG2_E = 1.44269504088896341
_LN_2 = (0.693359375, -2.12194440e-4)
"""ln 2 in two parts, the first of which has so few bits that its products are exact."""
_EXP = (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
"""exp on half an octave to the last bit but one, by S. Moshier (Cephes, expf.c)."""
_SMALLEST = -87.0
"""Below this exp is 0 here; in float32 it is below 2e-38."""


def emit_attention(module: ir.Module, name: str, size: int, lanes: int) -> None:
    """Write the function ``name`` for heads of a size, a multiple of the lanes, into a module."""
    _AttentionCode(module, name, size, lanes).emit()


class _AttentionCode:
    def __init__(self, module: ir.Module, name: str, size: int, lanes: int) -> None:
        self.e = Emitter(module, name, lanes)
        self.size, self.lanes = size, lanes

    def emit(self) -> None:
        e, b = self.e, self.e.build
        argument = e.function.args[0]
        self.a = {name: e.member(argument, _ATTENTION, n) for n, (name, _) in enumerate(Attention._fields_)}
        self.group = b.sdiv(self.a["heads"], self.a["key_heads"])
        thread, threads = (b.zext(e.call(f"ticket_tuner_{name}", I32), I64) for name in ("thread", "threads"))
        units = b.mul(self.a["rows"], self.a["key_heads"])
        first = b.udiv(b.mul(thread, units), threads)
        last = b.udiv(b.mul(b.add(thread, e.number(1)), units), threads)
        e.loop(first, last, 1, [], lambda unit, _: self._unit(unit))
        b.ret_void()

    def _unit(self, unit: ir.Value) -> list[ir.Value]:
        """One head of keys of one row, and the queries that see it."""
        e, b, a = self.e, self.e.build, self.a
        row, head = b.udiv(unit, a["key_heads"]), b.urem(unit, a["key_heads"])
        source = e.at(a["qkv"], b.mul(row, a["qkv_stride"]))
        self.cosines, self.sines = (e.at(a[name], b.mul(row, a["turned"])) for name in ("cosines", "sines"))
        start = b.mul(b.mul(unit, a["capacity"]), e.number(self.size))
        self.keys, self.values = e.at(a["keys"], start), e.at(a["values"], start)
        place = b.mul(a["end"], e.number(self.size))
        key = e.at(source, b.mul(b.add(a["heads"], head), e.number(self.size)))
        self._prepare(key, a["key_norm"], e.at(self.keys, place))
        value = e.at(key, b.mul(a["key_heads"], e.number(self.size)))
        for offset in range(0, self.size, self.lanes):
            e.store(e.load(e.at(value, e.number(offset))), e.at(e.at(self.values, place), e.number(offset)))
        self.first = b.load(e.at(a["first"], row, I64), typ=I64)
        self.columns = b.sub(b.add(a["end"], e.number(1)), self.first)
        scratch = e.at(a["scratch"], b.mul(unit, a["scratch_stride"]))
        for_row = e.at(a["out"], b.mul(row, b.mul(a["heads"], e.number(self.size))))

        def query(number: ir.Value, _: Sequence[ir.Value]) -> list[ir.Value]:
            place = b.mul(b.add(b.mul(head, self.group), number), e.number(self.size))
            out = e.at(for_row, place)
            self._prepare(e.at(source, place), a["query_norm"], out)
            self._attend(out, scratch)
            return []

        e.loop(e.number(0), self.group, 1, [], query)
        return []

    # ---- queries and keys

    def _prepare(self, source: ir.Value, norm: ir.Value, into: ir.Value) -> None:
        """Norm a head in place, where there is a norm, and turn it by its position."""
        e, b, a = self.e, self.e.build, self.a
        with b.if_then(e.is_set(norm)):
            squares = e.zeros()
            for offset in range(0, self.size, self.lanes):
                part = e.load(e.at(source, e.number(offset)))
                squares = e.fma(part, part, squares)
            mean = b.fdiv(e.total(squares), ir.Constant(F32, float(self.size)))
            root = e.call("llvm.sqrt.f32", F32, b.fadd(mean, a["eps"]))
            factor = e.splat(b.fdiv(ir.Constant(F32, 1.0), root))
            for offset in range(0, self.size, self.lanes):
                place = e.at(source, e.number(offset))
                weight = e.load(e.at(norm, e.number(offset)))
                e.store(b.fmul(weight, b.fmul(e.load(place), factor)), place)
        half = b.udiv(a["turned"], e.number(2))

        def turn(i: ir.Value, _: Sequence[ir.Value]) -> list[ir.Value]:
            is_first = b.icmp_signed("<", i, half)
            other = b.select(is_first, b.add(i, half), b.sub(i, half))
            own, across, cosine, sine = (
                b.load(e.at(*where), typ=F32)
                for where in ((source, i), (source, other), (self.cosines, i), (self.sines, i))
            )
            b.store(b.fadd(b.fmul(own, cosine), b.fmul(across, sine)), e.at(into, i))
            return []

        def keep(i: ir.Value, _: Sequence[ir.Value]) -> list[ir.Value]:
            b.store(b.load(e.at(source, i), typ=F32), e.at(into, i))
            return []

        e.loop(e.number(0), a["turned"], 1, [], turn)
        e.loop(a["turned"], e.number(self.size), 1, [], keep)

    # ---- what is seen

    def _attend(self, query: ir.Value, scratch: ir.Value) -> None:
        """Replace a query by what it sees."""
        e, b, a = self.e, self.e.build, self.a
        parts = [e.load(e.at(query, e.number(offset))) for offset in range(0, self.size, self.lanes)]
        scale = e.splat(a["scale"])
        parts = [b.fmul(part, scale) for part in parts]

        def score(column: ir.Value, _: Sequence[ir.Value]) -> list[ir.Value]:
            at = self._column(self.keys, column)
            sums = e.zeros()
            for number, part in enumerate(parts):
                sums = e.fma(part, e.load(e.at(at, e.number(number * self.lanes))), sums)
            b.store(e.total(sums), e.at(scratch, column))
            return []

        e.loop(e.number(0), self.columns, 1, [], score)
        e.store(ir.Constant(e.vector, [float("-inf")] * self.lanes), e.at(scratch, self.columns))
        with b.if_then(b.fcmp_ordered(">", a["cap"], ir.Constant(F32, 0.0))):
            self._over(scratch, lambda values: self._capped(values))
        (highest,) = e.loop(
            e.number(0), self.columns, self.lanes, [ir.Constant(e.vector, [float("-inf")] * self.lanes)],
            lambda i, so_far: [self._larger(so_far[0], e.load(e.at(scratch, i)))],
        )  # fmt: skip
        top = e.splat(e.call(f"llvm.vector.reduce.fmax.v{self.lanes}f32", F32, highest))
        (total,) = self._over(scratch, lambda values: self._exp(b.fsub(values, top)), e.zeros())
        factor = e.splat(b.fdiv(ir.Constant(F32, 1.0), e.total(total)))

        def add(column: ir.Value, so_far: Sequence[ir.Value]) -> list[ir.Value]:
            at, share = self._column(self.values, column), e.splat(b.load(e.at(scratch, column), typ=F32))
            return [
                e.fma(share, e.load(e.at(at, e.number(number * self.lanes))), value)
                for number, value in enumerate(so_far)
            ]

        seen = e.loop(e.number(0), self.columns, 1, [e.zeros() for _ in parts], add)
        for number, value in enumerate(seen):
            e.store(b.fmul(value, factor), e.at(query, e.number(number * self.lanes)))

    def _column(self, buffer: ir.Value, column: ir.Value) -> ir.Value:
        e, b = self.e, self.e.build
        return e.at(buffer, b.mul(b.add(self.first, column), e.number(self.size)))

    def _over(
        self, scratch: ir.Value, change: Callable[[ir.Value], ir.Value], total: ir.Value | None = None
    ) -> list[ir.Value]:
        """Change all scores, and add up what they become."""
        e, b = self.e, self.e.build

        def stretch(i: ir.Value, so_far: Sequence[ir.Value]) -> list[ir.Value]:
            changed = change(e.load(e.at(scratch, i)))
            e.store(changed, e.at(scratch, i))
            return [b.fadd(so_far[0], changed)] if so_far else []

        return e.loop(e.number(0), self.columns, self.lanes, [] if total is None else [total], stretch)

    def _larger(self, one: ir.Value, other: ir.Value) -> ir.Value:
        return self.e.build.select(self.e.build.fcmp_ordered(">", one, other), one, other)

    def _vector(self, value: float) -> ir.Value:
        return ir.Constant(self.e.vector, [value] * self.lanes)

    def _capped(self, scores: ir.Value) -> ir.Value:
        """``cap * tanh(scores / cap)``, with ``tanh(x) = 1 - 2 / (exp(2 x) + 1)``; what is left out stays so."""
        e, b = self.e, self.e.build
        cap = e.splat(self.a["cap"])
        power = self._exp(b.fmul(self._vector(2.0), b.fdiv(scores, cap)))
        tanh = b.fsub(self._vector(1.0), b.fdiv(self._vector(2.0), b.fadd(power, self._vector(1.0))))
        is_out = b.fcmp_ordered("<", scores, self._vector(-3e38))
        return b.select(is_out, scores, b.fmul(cap, tanh))

    def _exp(self, x: ir.Value) -> ir.Value:
        """The exponential of numbers that are at most 88."""
        e, b = self.e, self.e.build
        is_none = b.fcmp_unordered("<", x, self._vector(_SMALLEST))
        x = b.select(is_none, self._vector(_SMALLEST), x)
        x = b.select(b.fcmp_ordered(">", x, self._vector(88.0)), self._vector(88.0), x)
        octaves = e.call(f"llvm.rint.v{self.lanes}f32", e.vector, b.fmul(x, self._vector(_LOG2_E)))
        for part in _LN_2:
            x = e.fma(octaves, self._vector(-part), x)
        power = self._vector(_EXP[0])
        for factor in _EXP[1:]:
            power = e.fma(power, x, self._vector(factor))
        power = b.fadd(e.fma(power, b.fmul(x, x), x), self._vector(1.0))
        exponent = b.shl(
            b.add(b.fptosi(octaves, e.integers), e.constant([127] * self.lanes)), e.constant([23] * self.lanes)
        )
        return b.select(is_none, e.zeros(), b.fmul(power, b.bitcast(exponent, e.vector)))
