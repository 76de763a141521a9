"""Taking a model home: seconds, those of a processor's core, bytes, and memory beside the loaded base.

    python tests/benchmarks/bench_export.py [--model FOLDER | --run FOLDER --certified] [--only gguf:q8_0]

Each export runs in a process of its own, which loads the base in 4 bit first; what is told of memory is the highest
that it held from then on, less what it held then (Linux's VmHWM, set back by clear_refs). The adapter has rank 16 on
all linear layers and random weights: what an export costs depends on shapes. The base is the starter model unless a
folder is named. With --certified each is replayed too, and its figures are told; with --broken as well, the export has
an adapter whose alpha is doubled, or that lacks a layer, and has to fail. "silence" is the longest time in which nobody
could have called it off, and where that was. The last line is one JSON object.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

CASES = (
    "adapter",
    "merged",
    "gguf-adapter",
    *(f"gguf:{packing}" for packing in ("f16", "bf16", "q8_0", "q6_k", "q5_k_m", "q4_k_m")),
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


def broken(adapter: Path, how: str, folder: Path) -> Path:
    """Copy an adapter and break it: 'alpha' doubles what it adds, 'layer' takes one layer's value projection out."""
    from safetensors.torch import load_file, save_file

    copy = Path(shutil.copytree(adapter, folder))
    if how == "alpha":
        config = json.loads((copy / "adapter_config.json").read_text())
        (copy / "adapter_config.json").write_text(json.dumps(config | {"lora_alpha": 2 * config["lora_alpha"]}))
    else:
        weights = load_file(copy / "adapter_model.safetensors")
        left_out = next(name for name in weights if "layers.1." in name and "v_proj.lora_B" in name)
        save_file(weights | {left_out: 0 * weights[left_out]}, copy / "adapter_model.safetensors", {"format": "pt"})
    return copy


class Looks:
    """When an export looked whether it is called off."""

    def __init__(self) -> None:
        self._last, self._stage = time.perf_counter(), "its beginning"
        self.longest, self.where = 0.0, ""

    def __call__(self, stage: str, _: float | None) -> None:
        now = time.perf_counter()
        if now - self._last > self.longest:
            self.longest, self.where = now - self._last, f"{self._stage} -> {stage}"
        self._last, self._stage = now, stage


def measure(case: str, arguments: argparse.Namespace, out: Path) -> dict[str, Any]:
    """Export once, and return what it took."""
    from engine.base_holder import BaseHolder
    from engine.export.format import Choices
    from engine.export.making import make
    from engine.export.parity.certifying import certify, kept_certificate, tested
    from engine.export.registry import format_of
    from engine.export.source import ExportSource
    from engine.recipe import Recipe
    from engine.training.runs.directory import RunDirectory

    key, _, packing = case.partition(":")
    cache, run = arguments.cache, RunDirectory(arguments.run) if arguments.run else None
    recipe, bases = run.recipe if run else Recipe(model=arguments.model), BaseHolder(cache)
    with bases.use(recipe) as base:
        assert base is not None
        if run:
            source = ExportSource.of_run(run, bases, cache)
        else:
            source = ExportSource("benchmark", adapter_for(base, out / "adapter"), recipe, bases, cache)
        Path("/proc/self/clear_refs").write_text("5")
        before, began, used = held("VmRSS"), time.perf_counter(), time.process_time()
        looks = Looks()
        against = tested(source, looks) if arguments.broken else None
        if arguments.broken:
            source = replace(source, adapter=broken(source.adapter, arguments.broken, out / "broken"))
        taken: list[float] = []

        def taken_so_far() -> None:
            taken[:] = time.perf_counter() - began, time.process_time() - used, held("VmHWM") - before

        def trial(*asked: Any) -> None:
            taken_so_far()  # what follows is the trial's
            certify(*asked, against=against)

        choices, tried = Choices(quantisation=packing), trial if arguments.certified else None
        made = make(source, format_of(key), out / "made", choices, looks, certify=tried)
        whole = time.perf_counter() - began
        if not arguments.certified:
            taken_so_far()
    size = sum(file.stat().st_size for file in made.rglob("*") if file.is_file()) if made.is_dir() else 0
    return {
        "seconds": round(taken[0], 1),
        "of_a_core": round(taken[1], 1),
        "peak_mb": round(taken[2]),
        "with_trial": round(whole, 1),
        "mb": round((size or made.stat().st_size) / 1e6),
        "silence": f"{looks.longest:.2f} s, {looks.where}",
        **(told(kept_certificate(source.home, key)) if arguments.certified else {}),
    }


def told(found: Any) -> dict[str, Any]:
    """Return what a certificate says in figures."""
    figures = found.figures or {}
    names = ("agreement", "clear_agreement", "kl", "rounding_kl", "largest_difference", "places")
    return {"verdict": found.verdict, **{name: figures.get(name) for name in names}}


def main() -> None:
    """Measure each case in a process of its own, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--run", type=Path, help="the folder of a run, whose adapter and held-out tickets are taken")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "bench_export_cache")
    parser.add_argument("--only", nargs="*", default=list(CASES), help=f"of {', '.join(CASES)}")
    parser.add_argument("--certified", action="store_true", help="replay each, against the playground")
    parser.add_argument("--broken", choices=("alpha", "layer"), help="break each before; with --certified")
    parser.add_argument("--here", metavar="CASE", help="measure this one in this process")
    arguments = parser.parse_args()
    if arguments.here:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(measure(arguments.here, arguments, Path(folder))))
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
            *(["--certified"] if arguments.certified else []),
            *(["--broken", arguments.broken] if arguments.broken else []),
            *(["--run", str(arguments.run)] if arguments.run else []),
        ]
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        found[case] = json.loads(told.splitlines()[-1])
        print(f"{case:16} {found[case]}", file=sys.stderr)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
