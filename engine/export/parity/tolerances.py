"""How far an export may be from the playground, for each format, and why.

Figures are KL divergences in nats a token, and shares of the places at which the playground's choice was clear
(compare.py). They part honest exports from broken ones in test_broken.py and test_llama_cpp.py of
tests/engine/export/parity.
What the starter came to, with a run's own held-out tickets (tests/benchmarks/bench_export.py --run RUN --certified):

    adapter   1.2e-11                                                 (1,020 places, the same token at each)
    merged    7.1e-5, where rounding it to 8 bit would do 1.4e-3      (1,020 places, 99.6 % the same token)
    q8_0      2.4e-3                                                  (1,242 places, 97.7 %)

The others are stated, not measured on it.
"""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Tolerance:
    """The limits of a format."""

    kl: float
    """Nats a token, at most."""
    clear_agreement: float
    """Share of the clear places at which both take the same token, at least."""
    reason: str
    """Why these, in a sentence."""
    of_rounding: float = 0.0
    """Where the tool tells what rounding the export's own weights to 8 bit does to it: KL at most this share of that,
    instead of :attr:`kl`, which is the least that is allowed."""

    def most(self, rounding: float | None) -> float:
        """The KL that is allowed, in nats a token.

        Args:
            rounding: What rounding the export to 8 bit does to it; None where that is not known.
        """
        return self.kl if not self.of_rounding or rounding is None else max(self.kl, self.of_rounding * rounding)

    def to_json(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)


_ADAPTER = Tolerance(
    1e-6,
    1.0,
    "The adapter's file holds the very numbers that were tested, and both compute in float32: only the order of sums "
    "differs.",
)
_MERGED = Tolerance(
    1e-7,
    0.99,
    "Every weight is rounded to bfloat16, 3 bits more than 8-bit weights keep: that does at most 0.45 of what rounding "
    "this very model to 8 bit does.",
    of_rounding=0.45,
)
_IN_16_BIT = Tolerance(
    0.02,
    0.99,
    "Playground and tool both compute in 16 bit, each with kernels of its own: their roundings differ at every layer.",
)
_F16 = Tolerance(1e-3, 0.99, "Weights, and the inputs of each product, are rounded to float16.")
_BF16 = Tolerance(4e-3, 0.99, "Weights are rounded to bfloat16, which keeps 3 bits less than float16.")
_Q8 = Tolerance(0.025, 0.97, "Weights, and the inputs of each product, are rounded to 8 bit.")
_Q6 = Tolerance(0.05, 0.95, "Weights are rounded to 5 or 6 bit.")
_Q4 = Tolerance(0.2, 0.9, "Weights are rounded to 4 bit anew, over other steps than those that were trained over.")

_PACKED = (("bf16", _BF16), ("q8", _Q8), ("q6", _Q6), ("q5", _Q6), ("q4", _Q4))


def tolerance_for(format_: str, quantisation: str, compute_type: str) -> Tolerance:
    """Return the limits of an export.

    Args:
        format_: Its key, as in engine/export/registry.py.
        quantisation: How a GGUF is packed, such as 'q4_k_m'; empty for others.
        compute_type: What the playground computed in.
    """
    kind = quantisation.lower().removeprefix("with-base-")
    packed = next((limits for name, limits in _PACKED if kind.startswith(name)), None)
    if packed:
        return packed
    if format_ not in ("adapter", "merged"):
        return _F16
    if compute_type != "float32":
        return _IN_16_BIT
    return _ADAPTER if format_ == "adapter" else _MERGED
