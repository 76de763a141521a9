"""From how many rows on a decoding step is quicker over unpacked weights: the figures a rule for it has to rest on.

    python tests/benchmarks/bench_unpacked_answers.py --shape 7b

All 4-bit layers of a step, one after the other, for 1 to 32 rows: by the kernels of recorded steps (on a GPU), by
bitsandbytes, and by torch over the same values unpacked to the type that is computed in. On a GPU each way is recorded
as a CUDA graph and replayed, so that no launch is waited for; the ways take turns, medians after a warm-up. 'unpack
from' is the fewest rows from which on unpacked weights are quicker than every packed way, for each number of rows
beyond it too; null where they never are. The last line is one JSON object.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.shapes import SHAPES, random_base

ROWS = (1, 2, 4, 8, 16, 32)


def ways_of(layers: list[Any], unpacked: list[Any], rows: int) -> dict[str, Callable[[], None]]:
    """Return what computes all layers for so many rows, by its name."""
    import torch

    device, dtype = unpacked[0].device, unpacked[0].dtype
    inputs = {
        width: torch.randn(rows, 1, width, device=device, dtype=dtype)
        for width in {layer.in_features for layer in layers}
    }
    x = [inputs[layer.in_features] for layer in layers]

    def by_bitsandbytes() -> None:
        for layer, of_layer in zip(layers, x, strict=True):
            layer(of_layer)

    def over_unpacked() -> None:
        for weight, of_layer in zip(unpacked, x, strict=True):
            torch.nn.functional.linear(of_layer, weight)

    ways: dict[str, Callable[[], None]] = {"bitsandbytes": by_bitsandbytes, "unpacked": over_unpacked}
    if device.type == "cuda":
        from engine.chat.cuda_graphs.kernels import FusedGroup
        from engine.chat.cuda_graphs.slot_table import SlotTable

        table = SlotTable(1, rows, 64, device)
        table.assign({row: [None] for row in range(rows)})
        groups = [FusedGroup([layer], table.layer(0)).member(0) for layer in layers]

        def by_our_kernels() -> None:
            for group, of_layer in zip(groups, x, strict=True):
                group(of_layer)

        ways["our kernels"] = by_our_kernels
    return {name: _recorded(way) if device.type == "cuda" else way for name, way in ways.items()}


def _recorded(way: Callable[[], None]) -> Callable[[], None]:
    """Record a way as a graph; what is returned replays it and waits for its end."""
    import torch

    way()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        way()

    def replay() -> None:
        graph.replay()
        torch.cuda.synchronize()

    return replay


def timed(ways: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """Let the ways take turns; return the median milliseconds of each."""
    seen: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            if number:  # the first one warms up
                seen[name].append(1000 * (time.perf_counter() - began))
    return {name: round(statistics.median(of_way), 3) for name, of_way in seen.items()}


def unpack_from(found: dict[int, dict[str, float]]) -> int | None:
    """Return the fewest rows from which on unpacked weights are always the quickest."""
    fewest = None
    for rows in sorted(found, reverse=True):
        if found[rows]["unpacked"] > min(found[rows].values()):
            break
        fewest = rows
    return fewest


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="7b")
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS))
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()

    import torch
    from bitsandbytes.nn import Linear4bit

    from engine.model.unpacking import unpacked_values

    with tempfile.TemporaryDirectory() as temporary, torch.no_grad():
        base = random_base(given.shape, Path(temporary) / "model")
        layers = [module for module in base.copy().modules() if isinstance(module, Linear4bit)]
        for layer in layers:
            layer.__class__ = Linear4bit  # without the unpacked copies that training on the processor makes
            layer.support_avx512bf16_for_cpu = False
        unpacked = [unpacked_values(each.weight, each.weight.quant_state, each.compute_dtype) for each in layers]
        found = {rows: timed(ways_of(layers, unpacked, rows), given.rounds) for rows in given.rows}
    for rows, of_rows in found.items():
        print(f"{rows:3} rows  " + "  ".join(f"{name} {ms:.2f} ms" for name, ms in of_rows.items()))
    result = {
        "shape": given.shape,
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "milliseconds": found,
        "unpack from": unpack_from(found),
        "packed GiB": round(sum(each.weight.nbytes for each in layers) / 2**30, 2),
        "unpacked GiB": round(sum(each.nbytes for each in unpacked) / 2**30, 2),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
