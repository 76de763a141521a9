"""The estimate of GPU memory beside the measured peak, and what smaller cards can hold.

    python tests/benchmarks/bench_memory.py                                     # shapes, lengths and batches
    python tests/benchmarks/bench_memory.py --shapes 65b --modes saving         # the QLoRA paper's headline
    python tests/benchmarks/bench_memory.py --shapes 7b --cards 24 16 12 8 6    # torch may take no more than that
    python tests/benchmarks/bench_memory.py --variant streamed --shapes 65b --cards 24 12 8
    python tests/benchmarks/bench_memory.py --variant streamed --shapes 65b --cards 24 --repeat-resident --repeatable

Models of known shapes with random weights (shapes.py); two optimizer steps and a check of held-out conversations
through engine.training.trainer.run_training. The peak is what torch's allocator counts; the estimate beside it leaves
out the rest (the paged optimizer, CUDA's own memory). ``--cards`` caps the allocator, so that out of memory comes as on
a card of that size, and lets the program choose the mode. ``--variant streamed`` trains on the whole card first, then
moves the layers into the computer's memory and trains the same steps under each cap: how fast beside the first, and how
far the losses are from its losses. ``--repeat-resident`` trains on the whole card twice: how far two runs are apart
that differ in nothing. ``--repeatable`` takes kernels that add up in the same order each time, so that nothing but the
streaming could tell two runs apart. Layers are compiled only with ``--compiled``, half a minute each. Every line is one
JSON object.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.hardware import GIB
from engine.tickets.dataset.stored import StoredConversation
from tests.benchmarks.bench_training import make_conversations
from tests.benchmarks.shapes import SHAPES, random_base

BATCHES: dict[str, tuple[tuple[int, int], ...]] = {
    "saving": ((512, 1), (1024, 4)),
    "balanced": ((2048, 1), (1024, 8)),
    "spacious": ((512, 1), (4096, 1), (1024, 8)),
}
"""Tokens of a row and rows of a step, for each mode."""


def measure(base: Any, folder: Path, rows: list[StoredConversation], **changes: Any) -> dict[str, Any]:
    """Take two steps; return the peak, the estimate and what was chosen."""
    import torch

    from engine.errors import StudioError
    from engine.recipe import Recipe
    from engine.training.data.examples import build_examples
    from engine.training.memory.modes import expected
    from engine.training.runs.events import DryRunMeasured, LogNote, Stepped
    from engine.training.setup import choose_settings, model_size
    from engine.training.trainer import TrainingData, run_training

    folder.mkdir()
    recipe = Recipe(
        **{"max_steps": 2, "packing": "on", "epochs": 100.0, "eval_steps": 100, "model": base.ref, **changes}
    )
    events: list[Any] = []
    settings = choose_settings(recipe, build_examples(rows[:200], base.chat, recipe), base, lambda _: None)
    estimated = expected(settings, recipe, model_size(base.model), recipe.max_length).allocated
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    began, failed = time.perf_counter(), ""
    try:
        run_training(recipe, TrainingData(rows[:200], rows[200:204]), base, folder, events.append)
    except StudioError as error:
        failed = str(error)
    peak = torch.cuda.max_memory_allocated()
    steps = [event for event in events if isinstance(event, Stepped)]
    return {
        "mode": settings.mode,
        "tokens": settings.micro_batch * recipe.max_length,
        "length": recipe.max_length,
        "rows": f"{settings.micro_batch} x {settings.accumulation}",
        "resident": settings.resident,
        "ahead": settings.ahead,
        "unpacked": settings.unpack,
        "compiled": settings.compiled,
        "estimate_gib": round(estimated / GIB, 2),
        "peak_gib": round(peak / GIB, 2),
        "ratio": round(estimated / peak, 3),
        "tokens_per_second": round(median([step.tokens_per_second for step in steps][1:])) if steps[1:] else None,
        "losses": [round(step.loss, 7) for step in steps],
        "rehearsed_gib": [event.peak_gib for event in events if isinstance(event, DryRunMeasured)],
        "warnings": [event.text for event in events if isinstance(event, LogNote) and event.level == "warning"],
        "failed": failed,
        "seconds": round(time.perf_counter() - began, 1),
    }


def table(shape: str, modes: list[str], root: Path, rows: list[StoredConversation]) -> list[dict[str, Any]]:
    """Measure a shape in several modes, lengths and batches."""
    base = random_base(shape, root / shape)
    found = []
    for mode in modes:
        for length, batch in BATCHES[mode]:
            folder = root / f"{shape}-{mode}-{length}-{batch}"
            changes = {"memory": mode, "max_length": length, "batch_size": batch, "accumulation": 1}
            found.append({"shape": shape, **measure(base, folder, rows, **changes)})
            print(json.dumps(found[-1]), flush=True)
    base.release()
    return found


def capped(shape: str, sizes: list[float], root: Path, rows: list[StoredConversation]) -> None:
    """Train a shape under smaller and smaller caps, in the mode that the program chooses."""
    import torch

    base = random_base(shape, root / shape)
    total = torch.cuda.get_device_properties(0).total_memory
    for size in sizes:
        torch.cuda.set_per_process_memory_fraction(min(1.0, size * GIB / total))
        seen = measure(base, root / f"{shape}-{size}", rows, memory="auto")
        print(json.dumps({"shape": shape, "card_gib": size, **seen}), flush=True)
    torch.cuda.set_per_process_memory_fraction(1.0)
    base.release()


def streamed(shape: str, root: Path, rows: list[StoredConversation], options: argparse.Namespace) -> None:
    """Train a shape on the whole card, then with its layers in the computer's memory under smaller and smaller caps."""
    import torch

    from engine.model.base import BaseModel
    from engine.model.streaming.moving import move_to_arena
    from engine.training.memory.bus import measured

    same = {"max_steps": options.steps, "max_length": options.length, "batch_size": 4, "accumulation": 1}
    base = random_base(shape, root / shape)
    whole = measure(base, root / f"{shape}-whole", rows, memory="saving", **same)
    print(json.dumps({"shape": shape, "card_gib": None, **whole}), flush=True)
    if options.repeat_resident:
        again = measure(base, root / f"{shape}-again", rows, memory="saving", **same)
        print(json.dumps({"shape": shape, "noise_floor": furthest(again, whole), **again}), flush=True)
    began = time.perf_counter()
    arena = move_to_arena(base.model, base.device)
    base = BaseModel(base.model, base.chat, base.ref, base.loaded_as, arena)
    torch.cuda.empty_cache()
    bus = measured(arena, base.device, base.model.dtype)
    found = {"arena_gib": arena.bytes / GIB, "moved_seconds": time.perf_counter() - began, "pinned": arena.is_pinned}
    speeds = {"copies_gb_s": bus.copies / 1e9, "products_tflop_s": bus.products / 1e12}
    print(
        json.dumps({"shape": shape} | {name: round(value, 2) for name, value in (found | speeds).items()}), flush=True
    )
    total = torch.cuda.get_device_properties(0).total_memory
    for size in options.cards or [24, 12, 8]:
        torch.cuda.set_per_process_memory_fraction(min(1.0, size * GIB / total))
        seen = measure(base, root / f"{shape}-{size}", rows, memory="streamed", **same)
        beside = (seen["tokens_per_second"] or 0) / (whole["tokens_per_second"] or 1)
        more = {"beside_resident": round(beside, 3), "losses_apart": furthest(seen, whole), **host_memory()}
        print(json.dumps({"shape": shape, "card_gib": size, **more, **seen}), flush=True)
    torch.cuda.set_per_process_memory_fraction(1.0)
    base.release()


def furthest(seen: dict[str, Any], whole: dict[str, Any]) -> float | None:
    """Return how far the losses of two runs are apart at most, in nats."""
    return max((round(abs(a - b), 7) for a, b in zip(seen["losses"], whole["losses"], strict=False)), default=None)


def host_memory() -> dict[str, float]:
    """Return what this process has of the computer's memory, in GiB: its own, and files that it maps (Linux)."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    kib = {
        name: int(value.split()[0])
        for name, _, value in (line.partition(":") for line in lines)
        if "rss" in name.lower()
    }
    parts = {"host_gib": "VmRSS", "host_own_gib": "RssAnon", "host_files_gib": "RssFile", "host_shared_gib": "RssShmem"}
    return {ours: round(kib[name] * 1024 / GIB, 2) for ours, name in parts.items() if name in kib}


def repeatable() -> None:
    """Take kernels that add up in the same order each time; before the GPU is used."""
    import torch

    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=["1b", "7b", "13b", "34b"])
    parser.add_argument("--modes", nargs="+", choices=BATCHES, default=list(BATCHES))
    parser.add_argument("--cards", nargs="+", type=float, metavar="GIB", help="cap the memory to these sizes instead")
    parser.add_argument("--compiled", action="store_true")
    parser.add_argument("--variant", choices=["streamed"], help="what is measured instead of the table")
    parser.add_argument("--length", type=int, default=1024, help="tokens of a row, of which a step has four: streamed")
    parser.add_argument("--steps", type=int, default=6, help="of each run: streamed")
    parser.add_argument("--repeat-resident", action="store_true", help="train on the whole card twice: streamed")
    parser.add_argument(
        "--repeatable", action="store_true", help="with kernels that add up in the same order each time"
    )
    arguments = parser.parse_args()

    import torch

    from engine.training.memory import modes

    if not torch.cuda.is_available():
        parser.error("this needs a GPU")
    if arguments.repeatable:
        repeatable()
    modes.COMPILING_PAYS = 0 if arguments.compiled else 10**15
    rows = make_conversations(300)
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        found = []
        for shape in arguments.shapes:
            if arguments.variant == "streamed":
                streamed(shape, root, rows, arguments)
            elif arguments.cards:
                capped(shape, arguments.cards, root, rows)
            else:
                found += table(shape, arguments.modes, root, rows)
        worst = max((abs(row["ratio"] - 1) for row in found), default=None)
        print(json.dumps({"rows": len(found), "furthest": worst, "gpu": torch.cuda.get_device_name()}))


if __name__ == "__main__":
    main()
