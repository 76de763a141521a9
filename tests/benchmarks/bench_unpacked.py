"""A training pass on the processor over unpacked NF4 values beside one over dense weights of the same values.

    python tests/benchmarks/bench_unpacked.py

A model of SmolLM2 135M's widths with fewer layers (random weights, rank 16 on all seven projections), forward and
backward over 4 x 256 tokens. 'dense' is what peft computes over torch's own layers in float32, 'packed' unpacks the
4-bit weights in every product. The kinds take turns, so that whatever else the computer does meets all of them; the
ratio is the median over the rounds. The losses are the same. The last line is one JSON object.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.shapes import SHAPES, random_base, variant

KINDS = ("dense", "unpacked", "packed")


def trained(base: Any, kind: str) -> Any:
    """Return a model of a kind, ready to train."""
    import torch
    from peft import get_peft_model

    from engine.recipe import Recipe
    from engine.training.kernels.fused_lora import fuse_lora_layers
    from engine.training.lora_config import lora_config

    torch.manual_seed(0)
    source = base if kind == "unpacked" else variant(base, "dense" if kind == "dense" else "packed")
    model = get_peft_model(source.copy(), lora_config(Recipe(model=base.ref)))
    fuse_lora_layers(model)
    return model.train()


def step(model: Any, ids: Any) -> tuple[float, float]:
    """Take one forward and backward pass; return its seconds and its loss."""
    import torch

    torch.manual_seed(1)
    began = time.perf_counter()
    loss = model(input_ids=ids, labels=ids, use_cache=False).loss
    loss.backward()
    model.zero_grad()
    return time.perf_counter() - began, float(loss)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()

    import torch

    SHAPES["measured"] = {**SHAPES["starter-size"], "num_hidden_layers": arguments.layers}
    with tempfile.TemporaryDirectory() as temporary:
        base = random_base("measured", Path(temporary) / "model")
        models = {kind: trained(base, kind) for kind in KINDS}
        ids = torch.randint(0, 1000, (4, 256), generator=torch.Generator().manual_seed(0))
        for model in models.values():
            step(model, ids)
        rounds = [{kind: step(model, ids) for kind, model in models.items()} for _ in range(arguments.rounds)]
    found = {
        kind: {
            "seconds": round(statistics.median(seen[kind][0] for seen in rounds), 3),
            "of_dense_speed": round(statistics.median(seen["dense"][0] / seen[kind][0] for seen in rounds), 3),
            "loss": round(rounds[-1][kind][1], 5),
        }
        for kind in KINDS
    }
    print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads(), **found}))


if __name__ == "__main__":
    main()
