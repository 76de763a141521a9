"""The command line: every step of the window without a browser.

Progress goes to stderr; the last line on stdout is one JSON object. Exit code 0: done, 1: a known failure in one line
on stderr, 2: wrong usage, 143: told to end by SIGTERM (a run that is told so ends with 0 and its last checkpoint).
"""

import contextlib
import json
import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from engine.errors import ModelError, StudioError, TicketsError
from engine.presets import presets
from engine.recipe import Recipe
from engine.tickets.dataset.files import TRAIN
from engine.workspace import Workspace, default_root, keep_to_owner

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Fine-tune a 4-bit language model on your own tickets.",
)

WorkspaceOption = Annotated[Path | None, typer.Option("--workspace", help="Where models are kept; default: user data.")]
RunOption = Annotated[Path, typer.Option("--run", help="The run's folder.")]


@app.command()
def prepare(
    files: Annotated[list[Path], typer.Argument(help="One or more exports.")],
    out: Annotated[Path, typer.Option(help="Folder for train.jsonl, heldout.jsonl and report.json.")],
    map_: Annotated[list[str] | None, typer.Option("--map", metavar="ROLE=COLUMN", help="Column of a table.")] = None,
    heldout: Annotated[float, typer.Option(min=0.0, max=0.5, help="Share kept back for checking.")] = 0.1,
    split: Annotated[str, typer.Option(help="recent or random.")] = "recent",
    mask: Annotated[bool, typer.Option(help="Replace personal data by placeholders.")] = True,
    country: Annotated[
        str | None,
        typer.Option(help="Two-letter country for national phone numbers; guessed when not given, 'none' for none."),
    ] = None,
    mask_numbers: Annotated[bool, typer.Option(help="Replace order and customer numbers too.")] = False,
    second_look: Annotated[
        Path | None,
        typer.Option(help="Folder of a token-classification model that lists suspected names; takes minutes."),
    ] = None,
    format_: Annotated[str | None, typer.Option("--format", help="Override what was detected.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Override what was detected.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Override what was detected.")] = None,
) -> None:
    """Turn an export into a data set."""
    from engine.model.name_model import open_second_look
    from engine.tickets.options import PrepareOptions
    from engine.tickets.overrides import SourceOverrides
    from engine.tickets.preparing.pipeline import prepare as prepare_files
    from engine.tickets.preparing.report import Progress
    from engine.tickets.sandbox import build as build_apart

    overrides = SourceOverrides(
        format=format_ or "",
        encoding=encoding or "",
        delimiter=delimiter or "",
        mapping=_pairs(map_ or [], "--map", "role=column"),
    )
    telephones, told = _country(files, overrides, country) if mask else (None, "")
    if told:
        _say(told)
    options = PrepareOptions(
        overrides=overrides,
        heldout=heldout,
        split=split,  # type: ignore[arg-type]  # checked there
        mask=mask,
        mask_numbers=mask_numbers,
        second_look=str(second_look or ""),
        country=telephones,
    )

    def progress(seen: Progress) -> None:
        _say(seen.stage, seen.done / seen.total if seen.total else None)

    report = prepare_files(files, out, options, progress, open_finder=open_second_look, builder=build_apart)
    _result({"out": str(out), "country": telephones or "", "country_told_by": told, **report.to_json()})


def _country(files: list[Path], overrides: Any, given: str | None) -> tuple[str | None, str]:
    """Return whose telephone numbers are known, as the window would guess it, and the sentence that says so."""
    from engine.tickets.privacy.countries import COUNTRIES
    from engine.tickets.sandbox import detect

    if given is not None:
        return (None, "") if given.strip().casefold() in ("", "none") else (given, "")
    found = detect(files, overrides)
    code, evidence = found.country, found.country_evidence
    if not code:
        return None, "No country is told by the files: telephone numbers without '+' may stay. Name it with --country."
    name = COUNTRIES.get(code, code)
    return code, f"Telephone numbers are read as in {name} ({code}), guessed from {evidence}; --country none for none."


@app.command()
def train(
    data: Annotated[Path, typer.Option(help="A folder made by 'prepare'.")],
    run: RunOption,
    model: Annotated[str | None, typer.Option(help="starter, a model hub id, or a folder.")] = None,
    preset: Annotated[str, typer.Option(help="quick, balanced or thorough.")] = "balanced",
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Any setting.")] = None,
    start: Annotated[
        bool, typer.Option("--start/--no-start", help="Only make the folder, for several computers.")
    ] = True,
    workspace: WorkspaceOption = None,
) -> None:
    """Train an adapter."""
    from engine.training.runs.directory import RunDirectory

    recipe = _recipe(preset, model, set_ or [])
    if not (data / TRAIN).exists():
        raise TicketsError(f"{data} holds no {TRAIN}.", "Run 'python -m engine prepare' first.")
    made = RunDirectory.create_at(run, recipe, data, run.resolve().name)
    if start:
        _train(made, workspace)
    else:
        _result({"run": str(made.path), "state": "queued"})


@app.command()
def cards(
    data: Annotated[Path | None, typer.Option(help="A folder made by 'prepare'; else the longest allowed.")] = None,
    model: Annotated[str | None, typer.Option(help="starter, a model hub id, or a folder.")] = None,
    preset: Annotated[str, typer.Option(help="quick, balanced or thorough.")] = "balanced",
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Any setting.")] = None,
) -> None:
    """Say on which graphics cards a run would fit; loads nothing."""
    from engine.tickets.dataset.dataset import DataSet
    from engine.training.data.lengths import guessed_for
    from engine.training.memory.cards import on_cards

    recipe = _recipe(preset, model, set_ or [])
    found = on_cards(recipe, guessed_for(DataSet(data), recipe) if data else None)
    if not found:
        raise ModelError(f"The size of {recipe.model} is not known before it is loaded.", "Name a folder that has it.")
    for seen in found:
        needs = f"{seen.gib:.1f} of {seen.card.usable_gib:.1f} GiB"
        print(f"{seen.card.name} {seen.card.box_gb:g} GB: {seen.verdict}, {seen.mode}, {needs}", file=sys.stderr)
    names = ("name", "verdict", "mode", "gib")
    rows = [(seen.card.name, seen.verdict, seen.mode, round(seen.gib, 2)) for seen in found]
    _result({"cards": [dict(zip(names, row, strict=True)) for row in rows]})


@app.command()
def resume(run: Annotated[Path, typer.Argument(help="The run's folder.")], workspace: WorkspaceOption = None) -> None:
    """Go on with a run that was stopped or cut off."""
    _train(_run(run), workspace)


@app.command()
def ask(
    run: Annotated[Path | None, typer.Option(help="A run's folder.")] = None,
    adapter: Annotated[Path | None, typer.Option(help="An adapter's folder, or an exported .zip.")] = None,
    model: Annotated[str, typer.Option(help="The base of --adapter, where what it names is not found here.")] = "",
    prompt: Annotated[str | None, typer.Option(help="One question.")] = None,
    file: Annotated[Path | None, typer.Option(help='Lines of {"prompt": "..."} or {"messages": [...]}.')] = None,
    max_new_tokens: Annotated[int, typer.Option(min=1, max=8192)] = 200,
    temperature: Annotated[float, typer.Option(min=0.0, max=2.0, help="0 is the most likely answer.")] = 0.0,
    top_p: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Draw among the likeliest tokens of this probability; 1 is all.")
    ] = 0.9,
    top_k: Annotated[int, typer.Option(min=0, max=1000, help="Draw among so many of the likeliest; 0 is all.")] = 0,
    min_p: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Draw among those this share as likely as the likeliest; 0 is all.")
    ] = 0.0,
    repetition_penalty: Annotated[
        float, typer.Option(min=1.0, max=2.0, help="Above 1, what was said is less likely to be said again.")
    ] = 1.0,
    stop: Annotated[
        list[str] | None, typer.Option(help="A text that ends an answer; may be given more than once.")
    ] = None,
    thinking: Annotated[bool, typer.Option(help="Let a model that can think before it answers.")] = False,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    data: Annotated[
        Path | None,
        typer.Option(help="A folder made by 'prepare': the tuned answers look the nearest tickets up there."),
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Give the base's and the tuned answers to the same questions."""
    if (run is None) == (adapter is None):
        raise typer.BadParameter("Name either --run or --adapter.")
    if (prompt is None) == (file is None):
        raise typer.BadParameter("Name either --prompt or --file.")
    from engine.asking import answer_questions, read_questions, tickets_for, tuned_adapter
    from engine.chat.records import Sampling

    questions = read_questions(file) if file else [[{"role": "user", "content": prompt or ""}]]
    sampling = Sampling(
        temperature, top_p, max_new_tokens, seed, top_k, min_p, repetition_penalty, thinking, tuple(stop or ())
    )
    asked = _run(run) if run else None
    with tuned_adapter(asked, adapter, model) as (recipe, folder):
        tickets = tickets_for(asked, folder, data, recipe)
        cache = _workspace(workspace).cache
        answers = list(answer_questions(questions, recipe, folder, cache, sampling, _say, tickets))
    _result({"answers": answers})


@app.command()
def export(
    run: RunOption,
    out: Annotated[Path, typer.Option(help="The file to write.")],
    format_: Annotated[str, typer.Option("--format", help="adapter: a .zip with everything to use it.")] = "adapter",
    with_tickets: Annotated[
        bool, typer.Option("--with-tickets", help="Pack the masked tickets too, so that it can look them up elsewhere.")
    ] = False,
) -> None:
    """Pack a run's result."""
    from engine.export.bundle import export_bundle

    if format_ != "adapter":
        raise typer.BadParameter(f"'{format_}' is not one of: adapter.", param_hint="--format")
    path = export_bundle(_run(run), out, _say, with_tickets=with_tickets)
    _result({"file": str(path), "bytes": path.stat().st_size})


@app.command()
def starter(
    out: Annotated[Path, typer.Option(help="A new folder for the checkpoint.")], workspace: WorkspaceOption = None
) -> None:
    """Write the starter model as an ordinary checkpoint folder, for use with other programs."""
    import shutil

    from engine.model.starter import starter_folder
    from engine.workspace import disk_errors

    source = starter_folder(_workspace(workspace).cache, _say)
    if out.exists() and any(out.iterdir()):
        raise StudioError(f"{out} exists already and is not empty.", "Name a new folder.")
    with disk_errors(out):
        shutil.copytree(source, out, dirs_exist_ok=True)
    _result({"out": str(out)})


def _train(run: Any, workspace: Path | None) -> None:
    """Train in the queue's thread, so that Ctrl+C and SIGTERM end at a step boundary with a checkpoint."""
    from engine.studio import Studio

    studio = Studio(_workspace(workspace))
    studio.runs.queue.add(run)

    asked: list[int] = []
    for name in (signal.SIGINT, signal.SIGTERM):
        # No more than this: a second signal comes in the middle of what the first one does, where a lock of
        # threading.Event would wait for itself.
        signal.signal(name, lambda number, _: asked.append(number))
    told = False
    while not studio.runs.queue.wait(run.id, 0.5):
        if asked and not told:
            told = True
            with contextlib.suppress(StudioError):  # it has ended in this very moment, or the disk is full: it stops
                studio.runs.queue.stop(run.id)
            _say("Stopping after this step; the checkpoint is kept")
        seen = studio.runs.queue.current()
        if seen:
            left = f", {seen.seconds_left:.0f} s left" if seen.seconds_left is not None else ""
            _say(seen.stage + left, seen.fraction)
    status, history = run.status, run.history.read()
    if status.state == "failed":
        raise StudioError(status.message)
    _result(
        {
            "run": str(run.path),
            "state": status.state,
            "steps": history.steps[-1].step if history.steps else 0,
            "kept_step": history.finished.step if history.finished else None,
            "heldout_before": history.before.loss if history.before else None,
            "heldout_best": history.best.loss if history.best else None,
            "seconds": history.finished.seconds if history.finished else None,
        }
    )


def _run(path: Path) -> Any:
    from engine.training.runs.directory import RunDirectory

    if not (path / "recipe.json").exists():
        raise StudioError(f"{path} is no run (recipe.json is missing).", "Name the folder given to 'train --run'.")
    return RunDirectory(path.resolve())


def _workspace(path: Path | None) -> Workspace:
    return Workspace(path or default_root())


def _recipe(preset: str, model: str | None, assignments: list[str]) -> Recipe:
    """Return a preset's recipe with a model and settings of the person's own."""
    if preset not in presets():
        raise typer.BadParameter(f"'{preset}' is not one of {', '.join(presets())}.", param_hint="--preset")
    values = _pairs(assignments, "--set", "name=value")
    return presets()[preset].recipe.with_text(values if model is None else {"model": model, **values})


def _pairs(assignments: list[str], option: str, shape: str) -> dict[str, str]:
    pairs = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"'{text}' is not of the form {shape}.", param_hint=option)
        pairs[name.strip()] = value
    return pairs


_last_said = ""


def _say(stage: str, fraction: float | None = None) -> None:
    """Write progress to stderr: on one line of a terminal, else a line whenever something changes."""
    global _last_said
    text = stage if fraction is None else f"{stage} ({fraction:.0%})"
    if text == _last_said:
        return
    _last_said = text
    if sys.stderr.isatty():
        print(f"\r\x1b[2K{text}", end="", file=sys.stderr, flush=True)
    else:
        print(text, file=sys.stderr, flush=True)


def _result(value: dict[str, Any]) -> None:
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(json.dumps(value, ensure_ascii=False), flush=True)


def _end(*_: Any) -> NoReturn:
    """End as Ctrl+C does, so that what is half made, with text of tickets in it, is removed on the way out."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(128 + signal.SIGTERM)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code."""
    keep_to_owner()
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    warnings.simplefilter("ignore")  # deprecations inside the libraries; nothing a person can act on
    logging.basicConfig(level=os.environ.get("TICKET_TUNER_LOG", "CRITICAL"), stream=sys.stderr)
    signal.signal(signal.SIGTERM, _end)
    command: Callable[..., Any] = typer.main.get_command(app)
    try:
        command(arguments)
    except StudioError as error:
        if sys.stderr.isatty():
            print(file=sys.stderr)
        print(" ".join(str(error).split()), file=sys.stderr)
        sys.exit(1)
    sys.exit(0)


if __name__ == "__main__":
    main()
