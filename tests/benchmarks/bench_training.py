"""Training speed and peak memory of the real code path, on this machine's device.

    python tests/benchmarks/bench_training.py --shape 7b            # one GPU
    python tests/benchmarks/bench_training.py --shape starter-size  # the processor

A model of a known shape with random weights is written to disk and loaded as any other (NF4, double quantisation);
conversations have lengths lognormal (mean of logs 5.4, sigma 0.55, clipped to 32..1024 tokens). Each variant runs
through engine.training.trainer.run_training; real tokens a second (padding not counted), median over the steps after
the first three, and the peak of allocated memory. The last line is one JSON object.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

SHAPES: dict[str, dict[str, int]] = {
    "tiny": {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4},
    "starter-size": {
        "hidden_size": 576,
        "intermediate_size": 1536,
        "num_hidden_layers": 30,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "vocab_size": 49152,
    },
    "1b": {
        "hidden_size": 2048,
        "intermediate_size": 8192,
        "num_hidden_layers": 16,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128256,
    },
    "7b": {"hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32},
}
VARIANTS: dict[str, dict[str, Any]] = {
    "balanced preset": {},
    "balanced, packed": {"packing": True},
    "balanced, packed, no checkpointing": {"packing": True, "checkpointing": "off"},
}


def make_model(folder: Path, shape: str) -> None:
    """Write random weights in bfloat16 and the tests' small tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from tests.tiny import make_tokenizer

    tokenizer = make_tokenizer()
    config = LlamaConfig(
        **{"vocab_size": 32000, "max_position_embeddings": 4096, **SHAPES[shape]},
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with torch.device(device):
        torch.set_default_dtype(torch.bfloat16)
        model = LlamaForCausalLM(config)
        torch.set_default_dtype(torch.float32)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    del model
    if device == "cuda":
        torch.cuda.empty_cache()


def make_conversations(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Conversations of known lengths: half question, half answer, letters that are a token each."""
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        length = int(min(1000, max(32, chance.lognormvariate(5.4, 0.55)))) - 16
        letters = ["".join(chance.choice("QXZJKVBW") for _ in range(max(4, length // 2))) for _ in range(2)]
        turns = [{"role": role, "content": text} for role, text in zip(("user", "assistant"), letters, strict=True)]
        rows.append({"ticket": str(number), "messages": turns})
    return rows


def measure(changes: dict[str, Any], base: Any, rows: list[dict[str, Any]], steps: int, folder: Path) -> dict[str, Any]:
    """Run one variant."""
    import torch

    from engine.training.events import Evaluated, Stepped
    from engine.training.recipe import Recipe
    from engine.training.trainer import TrainingData, run_training

    folder.mkdir()
    events: list[Any] = []
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    recipe = Recipe(model=base.ref, max_steps=steps, epochs=100.0, eval_steps=steps, **changes)
    began = time.perf_counter()
    run_training(recipe, TrainingData(rows[:-16], rows[-16:]), base, folder, events.append)
    stepped = [event for event in events if isinstance(event, Stepped)]
    return {
        "tokens_per_second": round(statistics.median(step.tokens_per_second for step in stepped[3:]), 1),
        "peak_gib": round(torch.cuda.max_memory_allocated() / 2**30 if on_gpu else stepped[-1].memory_gib, 2),
        "seconds": round(time.perf_counter() - began, 1),
        "first_loss": round(stepped[0].loss, 4),
        "last_loss": round(stepped[-1].loss, 4),
        "heldout": [round(event.loss, 4) for event in events if isinstance(event, Evaluated)],
    }


def main() -> None:
    """Measure every variant in one process, and print them side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="starter-size")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--documents", type=int, default=600)
    arguments = parser.parse_args()

    import torch

    from engine.model.base import load_base
    from engine.training.recipe import Recipe
    from engine.training.trainer import environment

    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        make_model(root / "model", arguments.shape)
        began = time.perf_counter()
        base = load_base(Recipe(model=str(root / "model")), root, lambda *_: None)
        loading = round(time.perf_counter() - began, 1)
        weights = round(torch.cuda.memory_allocated() / 2**30, 2) if torch.cuda.is_available() else None
        rows = make_conversations(arguments.documents)
        measured = {}
        for name, changes in VARIANTS.items():
            measured[name] = measure(
                changes, base, rows, arguments.steps, root / name.replace(",", "").replace(" ", "-")
            )
            row = measured[name]
            print(f"{name:40} {row['tokens_per_second']:>10} tokens/s  {row['peak_gib']:>7} GiB", flush=True)
        print(
            json.dumps(
                {
                    "shape": arguments.shape,
                    "load_seconds": loading,
                    "weights_gib": weights,
                    "environment": environment(base),
                    "variants": measured,
                }
            )
        )


if __name__ == "__main__":
    main()
