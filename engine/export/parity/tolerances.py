"""How far an export may be from the playground, for each format, and why.

Figures are KL divergences in nats a token, and shares of the places at which the playground's choice was clear
(compare.py). They part honest exports from broken ones in test_broken.py and test_llama_cpp.py of
tests/engine/export/parity.
What the starter came to, after 40 steps on the sample shop (1,792 places of 32 held-out tickets and 8 general
questions; tests/benchmarks/bench_export.py --run RUN --certified), and the tiny model of the tests, whose words are
random, so that it minds a rounding up to a hundred times as much:

              starter: KL, same token, where clear     tiny: KL     limit: KL, where clear
    adapter   2.0e-11   100 %    100 %                 below 1e-9   1e-6   100 %
    merged    2.9e-5    99.7 %   100 %                              0.45 of what rounding it to 8 bit does (4.3e-4) 99 %
    f16       2.5e-6    99.8 %   100 %                 3.6e-5       5e-4   99 %
    bf16      5.4e-5    99.5 %   100 %                 2.9e-3       4e-3   99 %
    q8_0      1.5e-3    98.2 %   100 %                 1.1e-2       2e-2   97 %
    q6_k      4.0e-3    96.1 %   100 %                              2e-2   97 %
    q5_k_m    2.4e-2    91.7 %   99.9 %                             8e-2   95 %
    q4_k_m    2.1e-2    92.4 %   99.6 %                             1e-1   95 %

With its alpha doubled (--broken alpha) the starter's q4_k_m is 0.26 nats away, and takes the same token at 91.9 % of
the clear places. What the limits leave open: a bf16 GGUF of a model that minds rounding as little as the starter would
pass though it had been rounded to 8 bit (1.5e-3), and so would an adapter or a merged model on a GPU, where playground
and tool compute in 16 bit with kernels of their own, and nothing finer than their roundings can be told.
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
_F16 = Tolerance(5e-4, 0.99, "Weights, and the inputs of each product, are rounded to float16.")
_BF16 = Tolerance(4e-3, 0.99, "Weights are rounded to bfloat16, which keeps 3 bits less than float16.")
_Q8 = Tolerance(0.02, 0.97, "Weights, and the inputs of each product, are rounded to 8 bit.")
_Q6 = Tolerance(0.02, 0.97, "Weights are rounded to 6 bit.")
_Q5 = Tolerance(0.08, 0.95, "Weights are rounded to 5 bit.")
_Q4 = Tolerance(0.1, 0.95, "Weights are rounded to 4 bit anew, over other steps than those that were trained over.")

_PACKED = (("bf16", _BF16), ("q8", _Q8), ("q6", _Q6), ("q5", _Q5), ("q4", _Q4))


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
