"""One GPU against all of this machine's: tokens a second, memory and losses, under the real launcher and supervision.

    python tests/benchmarks/bench_gpus.py --shape 7b                      # all GPUs, copies of the base, spacious
    python tests/benchmarks/bench_gpus.py --shape 7b --memory balanced
    python tests/benchmarks/bench_gpus.py --shape 7b --shards             # the base split among them (FSDP2)
    python tests/benchmarks/bench_gpus.py --shape 13b --shards --leave 7 --memory saving  # on cards too small for it

Random weights of a known shape are written to disk and loaded as any model is; conversations have the lengths of
bench_training.py. The same recipe (32 packed rows a step, no dropout) runs on one GPU, in this process as the window
does it, and then on all, in processes that ``accelerate launch`` starts; each run is stopped after so many steps. Speed
is the median of the steps after the first three, peaks are of allocated memory. Without a GPU two processes share the
processor (``--shape tiny``). ``--leave`` takes all but so many GiB of each GPU between the run on one and that on all,
and then shows what a run on one says to it. On a failure the end of worker.log is printed. The last line is one JSON
object.
"""

import argparse
import gc
import json
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.tickets.dataset.files import HELDOUT, TRAIN
from tests.benchmarks.bench_training import make_conversations
from tests.benchmarks.shapes import SHAPES, config_of

A_STEP = {"batch_size": 8, "accumulation": 4, "max_length": 1024}
"""32 rows, so that up to four GPUs get micro-batches of 8."""
A_SMALL_STEP = {"batch_size": 2, "accumulation": 1, "max_length": 128}
"""For a look at the way of things on the processor."""
RATE = 2e-4
"""A rate with which random weights do not diverge: then a difference in the last bit would grow from step to step."""
LONG = 100_000
"""Steps of the recipe, of which only the first few are taken: with as few as those, compiling would not pay."""


def make_model(folder: Path, shape: str) -> None:
    """Write random weights in bfloat16 and the tests' small tokenizer."""
    import torch
    from transformers import LlamaForCausalLM

    from tests.tiny import make_tokenizer

    kind = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
            model = LlamaForCausalLM(config_of(shape))
    finally:
        torch.set_default_dtype(kind)
    model.save_pretrained(folder)
    make_tokenizer().save_pretrained(folder)
    del model
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def fill(leave: float) -> list[Any]:
    """Take the memory of every GPU but so many GiB for what comes; return what holds it."""
    import torch

    gc.collect()
    torch.cuda.empty_cache()
    held = []
    for device in range(torch.cuda.device_count()):
        kept = torch.cuda.memory_reserved(device)  # what the run before left behind counts as left
        free = torch.cuda.mem_get_info(device)[0] - max(0, int(leave * 2**30) - kept)
        held.append(torch.empty(free, dtype=torch.uint8, device=f"cuda:{device}"))
    print(f"left: {torch.cuda.mem_get_info()[0] / 2**30:.2f} GiB, and {kept / 2**30:.2f} of the run before", flush=True)
    return held


def measure(root: Path, name: str, steps: int, changes: dict[str, Any]) -> dict[str, Any]:
    """Train for a few steps as the window does; see told."""
    return told(*train(root, name, steps, changes))


def train(root: Path, name: str, steps: int, changes: dict[str, Any]) -> tuple[Any, int, float, float]:
    """Train for a few steps as the window does, in the queue of a Studio of its own; return what told is given."""
    import torch

    from engine.recipe import Recipe
    from engine.studio import Studio
    from engine.training.runs.directory import RunDirectory
    from engine.workspace import Workspace

    recipe = Recipe(
        model=str(root / "model"),
        max_steps=LONG,
        epochs=100.0,
        **(A_STEP if torch.cuda.is_available() else A_SMALL_STEP),
        packing="on",
        dropout=0.0,
        learning_rate=RATE,
        warmup=0.0,
        schedule="constant",
        eval_steps=LONG,
        save_steps=LONG,
        **changes,
    )
    studio = Studio(Workspace(root / f"workspace-{name}"))
    run = RunDirectory.create_at(root / name, recipe, root / "data", name)
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    studio.runs.queue.add(run)
    first = 0.0
    while not studio.runs.queue.wait(run.id, 0.1):
        taken = len(run.history.read().steps)
        first = first or (time.perf_counter() - began if taken else 0.0)
        if taken >= steps and run.status.state == "running":
            studio.runs.queue.stop(run.id)
    seconds = time.perf_counter() - began
    studio.close()
    return run, steps, seconds, first


def told(run: Any, steps: int, seconds: float, first: float) -> dict[str, Any]:
    """Return what a run's folder tells; print what went wrong where something did."""
    history = run.history.read()
    notes = [note.text for _, note in history.notes]
    print(f"--- {run.id}: {run.status.state} after {len(history.steps)} steps, {seconds:.0f} s", flush=True)
    for note in notes:
        print("   ", note, flush=True)
    if run.status.state != "cancelled":
        print("   ", run.status.message)
        log = run.path / "worker.log"
        if log.exists():
            print("\n".join(log.read_text(errors="replace").splitlines()[-80:]), flush=True)
        raise SystemExit(f"{run.id} failed")
    taken = history.steps[:steps]
    peaks = [re.findall(r"\d+\.\d+", note) for note in notes if note.startswith("Most memory")]
    return {
        "device": history.started.device,
        "tokens_per_second": round(statistics.median(step.tokens_per_second for step in taken[3:]), 1),
        "peaks_gib": [float(peak) for peak in peaks[-1]] if peaks else [round(taken[-1].memory_gib, 2)],
        "losses": [round(step.loss, 4) for step in taken],
        "heldout": [round(seen.loss, 4) for seen in history.evaluations],
        "seconds": round(seconds, 1),
        "first_step_after": round(first, 1),
        "notes": notes,
    }


def compare(root: Path, memory: str, gpus: int, steps: int, spread: str, leave: float) -> dict[str, Any]:
    """Run on one and on all, and print them side by side."""
    one = measure(root, f"{memory}-1", steps, {"memory": memory})
    held = fill(leave) if leave else []
    many = measure(root, f"{memory}-{gpus}-{spread}", steps, {"memory": memory, "gpus": gpus, "spread": spread})
    if held:
        refused = train(root, f"{memory}-1-full", steps, {"memory": memory})[0]
        print(f"on one with {leave} GiB: {refused.status.state}. {refused.status.message}", flush=True)
        print([note.text for _, note in refused.history.read().notes], flush=True)
    ratio = many["tokens_per_second"] / one["tokens_per_second"]
    worst = max(abs(a - b) for a, b in zip(one["losses"], many["losses"], strict=True))
    print(f"\n{memory}, {spread}: step, loss on 1, loss on {gpus}")
    for step, (alone, shared) in enumerate(zip(one["losses"], many["losses"], strict=True), 1):
        print(f"{step:5} {alone:9.4f} {shared:9.4f} {shared - alone:+9.4f}")
    for count, row in ((1, one), (gpus, many)):
        figures = f"{row['tokens_per_second']:>9} tokens/s, peaks {row['peaks_gib']} GiB, held out {row['heldout']}"
        print(f"{count} x: {figures}, first step after {row['first_step_after']} s")
    print(f"{ratio:.2f} times, losses at most {worst:.4f} apart\n", flush=True)
    return {"one": one, "many": many, "ratio": round(ratio, 3), "largest_difference": round(worst, 4)}


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="7b")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--memory", nargs="+", default=["spacious"], choices=["saving", "balanced", "spacious"])
    parser.add_argument("--gpus", type=int, default=0, help="how many; all")
    parser.add_argument("--shards", action="store_true", help="split the base among the GPUs")
    parser.add_argument("--leave", type=float, default=0.0, metavar="GIB", help="fill the GPUs up to so much")
    arguments = parser.parse_args()

    import torch

    gpus = arguments.gpus or torch.cuda.device_count() or 2
    spread = "shards" if arguments.shards else "copies"
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        began = time.perf_counter()
        make_model(root / "model", arguments.shape)
        print(f"model written in {time.perf_counter() - began:.0f} s", flush=True)
        (root / "data").mkdir()
        rows = [row.line() for row in make_conversations(arguments.documents)]
        (root / "data" / TRAIN).write_bytes(b"".join(rows[:-32]))
        (root / "data" / HELDOUT).write_bytes(b"".join(rows[-32:]))
        found = {
            memory: compare(root, memory, gpus, arguments.steps, spread, arguments.leave) for memory in arguments.memory
        }
        print(json.dumps({"shape": arguments.shape, "gpus": gpus, "spread": spread, "measured": found}))


if __name__ == "__main__":
    main()
