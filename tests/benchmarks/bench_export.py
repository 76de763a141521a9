"""Taking a model home: seconds, those of a processor's core, bytes, and memory beside the loaded base.

    python tests/benchmarks/bench_export.py [--model FOLDER] [--only gguf:q8_0]

Each export runs in a process of its own, which loads the base in 4 bit first; what is told of memory is the highest
that it held from then on, less what it held then (Linux's VmHWM, set back by clear_refs). The adapter has rank 16 on
all linear layers and random weights: what an export costs depends on shapes. The base is the starter model unless a
folder is named. The last line is one JSON object.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

CASES = (
    "adapter",
    "merged",
    "gguf-adapter",
    *(f"gguf:{packing}" for packing in ("f16", "bf16", "q8_0", "q6_k", "q4_k_m")),
    "ollama:q8_0",
)


def held(field: str) -> float:
    """Return MB of memory of this process: VmRSS now, VmHWM at most."""
    found = re.search(rf"^{field}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) / 1000


def adapter_for(base, folder: Path) -> Path:
    """Save an adapter with random weights, and the tokenizer beside it."""
    import torch
    from peft import LoraConfig, get_peft_model

    model = get_peft_model(base.copy(), LoraConfig(r=16, target_modules="all-linear", task_type="CAUSAL_LM"))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.02)
    model.save_pretrained(folder, save_embedding_layers=False)
    base.chat.save(folder)
    return folder


def measure(case: str, model: str, cache: Path, out: Path) -> dict[str, float]:
    """Export once, and return what it took."""
    from engine.base_holder import BaseHolder
    from engine.export.format import Choices
    from engine.export.making import make
    from engine.export.registry import format_of
    from engine.export.source import ExportSource
    from engine.recipe import Recipe

    key, _, packing = case.partition(":")
    recipe, bases = Recipe(model=model), BaseHolder(cache)
    with bases.use(recipe) as base:
        assert base is not None
        adapter = adapter_for(base, out / "adapter")
        Path("/proc/self/clear_refs").write_text("5")
        before, began, used = held("VmRSS"), time.perf_counter(), time.process_time()
        source = ExportSource("benchmark", adapter, recipe, bases, cache)
        made = make(source, format_of(key), out / "made", Choices(quantisation=packing), lambda *_: None)
        seconds, used = time.perf_counter() - began, time.process_time() - used
        peak = held("VmHWM") - before
    size = sum(file.stat().st_size for file in made.rglob("*") if file.is_file()) if made.is_dir() else 0
    return {
        "seconds": round(seconds, 1),
        "of_a_core": round(used, 1),
        "peak_mb": round(peak),
        "mb": round((size or made.stat().st_size) / 1e6),
    }


def main() -> None:
    """Measure each case in a process of its own, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "bench_export_cache")
    parser.add_argument("--only", nargs="*", default=list(CASES), help=f"of {', '.join(CASES)}")
    parser.add_argument("--here", metavar="CASE", help="measure this one in this process")
    arguments = parser.parse_args()
    if arguments.here:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(measure(arguments.here, arguments.model, arguments.cache, Path(folder))))
        return
    found = {}
    for case in arguments.only:
        command = [
            sys.executable,
            __file__,
            "--model",
            arguments.model,
            "--cache",
            str(arguments.cache),
            "--here",
            case,
        ]
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        found[case] = json.loads(told.splitlines()[-1])
        print(f"{case:16} {found[case]}", file=sys.stderr)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
