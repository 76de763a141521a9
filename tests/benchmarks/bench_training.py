"""Training speed and peak memory of the real code path, on this machine's device.

    python tests/benchmarks/bench_training.py --shape 7b            # one GPU
    python tests/benchmarks/bench_training.py --shape starter-size  # the processor

A model of a known shape with random weights in NF4 with double quantisation (shapes.py); conversations have lengths
lognormal (mean of logs 5.4, sigma 0.55, clipped to 32..1024 tokens). Each variant runs through
engine.training.trainer.run_training; real tokens a second (padding not counted), median over the steps after the first
three, and the peak of allocated memory. Beside them, in the same process, the well-known QLoRA tutorial on trl's
SFTTrainer as it stands: compare ratios, since the same code differed by 20 % from machine to machine.

``--curves`` trains without dropout, once as peft and transformers compute a packed batch and once in each mode, on the
same rows in the same order, and prints the losses side by side. The last line is one JSON object.
"""

import argparse
import gc
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.tickets.conversation import Message
from engine.tickets.dataset.stored import StoredConversation
from tests.benchmarks.shapes import SHAPES, random_base

VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "gpu": {
        "saving": {"packing": "on", "memory": "saving"},
        "balanced": {"packing": "on", "memory": "balanced"},
        "spacious": {"packing": "on", "memory": "spacious"},
        "spacious, 16 rows a step": {"packing": "on", "memory": "spacious", "batch_size": 16, "accumulation": 1},
    },
    "gpu, conversations": {
        "spacious, conversations": {"packing": "off", "memory": "spacious"},
        "balanced, conversations": {"packing": "off", "memory": "balanced"},
    },
    "cpu": {"as the recipe says": {}, "saving": {"memory": "saving"}},
}


def make_conversations(count: int, seed: int = 0) -> list[StoredConversation]:
    """Conversations of known lengths: half question, half answer, letters that are a token each."""
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        length = int(min(1000, max(32, chance.lognormvariate(5.4, 0.55)))) - 16
        letters = ["".join(chance.choice("QXZJKVBW") for _ in range(max(4, length // 2))) for _ in range(2)]
        question, answer = letters
        rows.append(StoredConversation(str(number), (Message("user", question), Message("assistant", answer))))
    return rows


def measure(
    changes: dict[str, Any], base: Any, rows: list[StoredConversation], steps: int, folder: Path
) -> dict[str, Any]:
    """Run one variant."""
    import torch

    from engine.recipe import Recipe
    from engine.training.runs.events import Evaluated, LogNote, Stepped
    from engine.training.trainer import TrainingData, run_training

    folder.mkdir()
    events: list[Any] = []
    times: list[float] = []

    def emit(event: Any) -> None:
        times.append(time.perf_counter())
        events.append(event)

    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated() / 2**30 if on_gpu else 0.0
    recipe = Recipe(model=base.ref, max_steps=steps, epochs=100.0, eval_steps=steps, **changes)
    began = time.perf_counter()
    run_training(recipe, TrainingData(rows[:-16], rows[-16:]), base, folder, emit)
    stepped = [event for event in events if isinstance(event, Stepped)]
    return {
        "tokens_per_second": round(statistics.median(step.tokens_per_second for step in stepped[3:]), 1),
        "peak_gib": round(torch.cuda.max_memory_allocated() / 2**30 if on_gpu else stepped[-1].memory_gib, 2),
        "before_gib": round(before, 2),
        "seconds": round(time.perf_counter() - began, 1),
        "expected_seconds": _expected(events, times),
        "losses": [round(step.loss, 4) for step in stepped],
        "heldout": [round(event.loss, 4) for event in events if isinstance(event, Evaluated)],
        "notes": [event.text for event in events if isinstance(event, LogNote)],
    }


def _expected(events: list[Any], times: list[float]) -> tuple[float, float] | None:
    """Seconds that the dry run expected, and those that it took from there to the last step and check."""
    from engine.training.runs.events import DryRunMeasured, Evaluated, Stepped

    told = [n for n, event in enumerate(events) if isinstance(event, DryRunMeasured)]
    if not told:
        return None
    last = max(n for n, event in enumerate(events) if isinstance(event, Stepped | Evaluated))
    return events[told[-1]].seconds, round(times[last] - times[told[-1]], 1)


TUTORIAL_STEPS = 12
"""Steps of 8 conversations that are timed: one pass over so many, since grouping by length puts the long ones first."""


def tutorial(base: Any, rows: list[StoredConversation], folder: Path) -> dict[str, Any]:
    """Run the tutorial: batch 4 x 2 grouped by length, prepare_model_for_kbit_training, sdpa, trl's SFTTrainer."""
    import torch
    from peft import get_peft_model, prepare_model_for_kbit_training
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer

    from engine.recipe import Recipe
    from engine.training.data.examples import build_examples
    from engine.training.kernels.async_optimizer import forget_overrides
    from engine.training.lora_config import lora_config
    from engine.training.setup import _dataset

    recipe = Recipe(model=base.ref)
    model = base.copy()
    for module in model.modules():  # prepare_model_for_kbit_training casts in place what the base shares
        for name, parameter in module._parameters.items():
            if parameter is not None and parameter.dtype.is_floating_point:
                module._parameters[name] = torch.nn.Parameter(parameter.detach().clone(), requires_grad=False)
    seen: list[tuple[float, float, float]] = []

    class Clock(TrainerCallback):  # type: ignore[misc]
        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
            if logs and "loss" in logs:
                seen.append((time.perf_counter(), logs["num_tokens"], logs["loss"]))

    torch.cuda.reset_peak_memory_stats()
    trainer = SFTTrainer(
        model=get_peft_model(prepare_model_for_kbit_training(model), lora_config(recipe)),
        args=SFTConfig(
            output_dir=str(folder),
            max_steps=TUTORIAL_STEPS + 2,
            per_device_train_batch_size=4,
            gradient_accumulation_steps=2,
            learning_rate=2e-4,
            lr_scheduler_type="cosine",
            warmup_steps=0.03,
            optim="paged_adamw_8bit",
            max_grad_norm=0.3,
            max_length=1024,
            train_sampling_strategy="group_by_length",
            bf16=True,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        ),
        train_dataset=_dataset(build_examples(rows[: 8 * TUTORIAL_STEPS], base.chat, recipe).examples),
        processing_class=base.chat.tokenizer,
        callbacks=[Clock()],
    )
    trainer.train()
    (began, before, _), (ended, after, _) = seen[1], seen[1 + TUTORIAL_STEPS]
    peak = torch.cuda.max_memory_allocated() / 2**30
    trainer.accelerator.free_memory()
    forget_overrides(trainer.model)
    del trainer, model
    gc.collect()
    torch.cuda.empty_cache()
    return {
        "tokens_per_second": round((after - before) / (ended - began), 1),
        "peak_gib": round(peak, 2),
        "losses": [round(loss, 4) for _, _, loss in seen],
    }


def curves(base: Any, rows: list[StoredConversation], steps: int, root: Path) -> dict[str, list[float]]:
    """Train on the same packed rows in the same order, without dropout, in every way."""
    from engine.training import setup

    changes: dict[str, Any] = {"packing": "on", "dropout": 0.0, "learning_rate": 1e-3}
    ours = setup.choose_kernel, setup.fuse_lora_layers, setup.can_compile
    setup.choose_kernel, setup.fuse_lora_layers, setup.can_compile = (  # type: ignore[assignment]
        lambda *_: "sdpa",
        lambda *_: 0,
        lambda *_: False,
    )
    reference = measure({**changes, "memory": "balanced"}, base, rows, steps, root / "curve")
    print("reference:", *reference["notes"])  # not packed, its rows would be others
    found = {"peft and sdpa": reference["losses"]}
    setup.choose_kernel, setup.fuse_lora_layers, setup.can_compile = ours
    for mode in ("saving", "balanced", "spacious"):
        found[mode] = measure({**changes, "memory": mode}, base, rows, steps, root / f"curve-{mode}")["losses"]
    return found


def main() -> None:
    """Measure every variant in one process, and print them side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="starter-size")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--variants", choices=VARIANTS, help="gpu with a GPU, else cpu")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="variants to measure, the tutorial among them")
    parser.add_argument("--curves", type=int, default=0, metavar="STEPS", help="also compare losses over so many steps")
    arguments = parser.parse_args()

    import torch

    from engine.training.memory import modes
    from engine.training.trainer import environment

    on_gpu = torch.cuda.is_available()
    modes.COMPILING_PAYS = 0  # a few steps stand for a long run
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        base = random_base(arguments.shape, root / "model")
        weights = round(torch.cuda.memory_allocated() / 2**30, 2) if on_gpu else None
        rows = make_conversations(arguments.documents)
        measured: dict[str, dict[str, Any]] = {}
        if on_gpu and "tutorial" in (arguments.only or ["tutorial"]):
            measured["tutorial"] = tutorial(base, rows, root / "tutorial")
            show("tutorial", measured)
        for name, changes in VARIANTS[arguments.variants or ("gpu" if on_gpu else "cpu")].items():
            if name not in (arguments.only or [name]):
                continue
            folder = root / name.replace(",", "").replace(" ", "-")
            measured[name] = measure(changes, base, rows, arguments.steps, folder)
            show(name, measured)
        compared = curves(base, rows, arguments.curves, root) if on_gpu and arguments.curves else {}
        for name, losses in compared.items():
            print(f"{name:16}", *losses)
        print(
            json.dumps(
                {
                    "shape": arguments.shape,
                    "weights_gib": weights,
                    "environment": environment(base),
                    "variants": measured,
                    "curves": compared,
                }
            )
        )


def show(name: str, measured: dict[str, dict[str, Any]]) -> None:
    """Print a variant's row, with its ratio to the first."""
    row, first = measured[name], next(iter(measured.values()))
    ratio = row["tokens_per_second"] / first["tokens_per_second"]
    print(
        f"{name:26} {row['tokens_per_second']:>9} tokens/s {ratio:6.2f} times {row['peak_gib']:>6} GiB  "
        f"losses {row['losses'][0]} .. {row['losses'][-1]}  seconds expected and taken {row.get('expected_seconds')}  "
        f"{' '.join(row.get('notes', []))}",
        flush=True,
    )


if __name__ == "__main__":
    main()
