"""The command line: every step of the window without a browser.

Progress goes to stderr; the last line on stdout is one JSON object. Exit code 0: done, 1: a known failure in one line
on stderr, 2: wrong usage, 143: told to end by SIGTERM (a run that is told so ends with 0 and its last checkpoint).
"""

import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from engine.best_options import DropReopened, LeastGood, NewestDays, Rated, WithoutAgent
from engine.console import end, fail, follow, result, say
from engine.console import train as train_until_it_ends
from engine.errors import ModelError, StudioError
from engine.leaving import leaving_at_the_end
from engine.presets import presets
from engine.reading_in import country_of, files_of, who_writes
from engine.recipe import Recipe
from engine.workspace import Workspace, default_root, keep_to_owner

if TYPE_CHECKING:
    from engine.chat.records import Voice
    from engine.export.records import Brought
    from engine.studio import Studio

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
    files: Annotated[list[str], typer.Argument(help="Exports; or hf:OWNER/NAME[@REVISION][:PART] of the model hub.")],
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
    rated: Rated = "",
    least_good: LeastGood = 0.0,
    drop_reopened: DropReopened = False,
    newest_days: NewestDays = 0,
    without_agent: WithoutAgent = None,
    format_: Annotated[str | None, typer.Option("--format", help="Override what was detected.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Override what was detected.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Override what was detected.")] = None,
    sheet: Annotated[str | None, typer.Option(help="The sheet of a workbook to be read.")] = None,
    table: Annotated[
        str | None, typer.Option(metavar="CELL", help="Of a sheet with several tables, the one that begins there.")
    ] = None,
    agents: Annotated[
        str | None,
        typer.Option(metavar="NAME,...", help="Who the support is, where a file names writers alone; else guessed."),
    ] = None,
) -> None:
    """Turn an export into a data set."""
    from engine.tickets.options import PrepareOptions
    from engine.tickets.overrides import SourceOverrides

    overrides = SourceOverrides(
        format=format_ or "",
        encoding=encoding or "",
        delimiter=delimiter or "",
        sheet=f"{sheet or ''}!{table}" if table else sheet or "",
        mapping=_pairs(map_ or [], "--map", "role=column"),
        agents=tuple(name for part in (agents or "").split(",") if (name := part.strip())),
    )
    studio = _studio()
    paths, hub = files_of(studio, files)
    found = follow(studio.tickets.detect(paths, overrides))
    telephones, told = country_of(found, country) if mask else (None, "")
    for sentence in (told, who_writes(found)):
        if sentence:
            say(sentence)
    options = PrepareOptions(
        overrides=overrides,
        heldout=heldout,
        split=split,  # type: ignore[arg-type]  # checked there
        mask=mask,
        mask_numbers=mask_numbers,
        second_look=str(second_look or ""),
        country=telephones,
        rated=rated,  # type: ignore[arg-type]  # checked there
        least_good=least_good,
        drop_reopened=drop_reopened,
        newest_days=newest_days,
        exclude_agents=tuple(without_agent or ()),
        hub=hub,
    )

    report = follow(studio.tickets.prepare_into(out, paths, options))
    result({"out": str(out), "country": telephones or "", "country_told_by": told, **report.to_json()})


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
    studio = _studio(workspace)
    made = studio.runs.make_at(run, _recipe(preset, model, set_ or []), data)
    if start:
        result(train_until_it_ends(studio, made))
    else:
        result({"run": str(studio.runs.get(made).path), "state": "queued"})


@app.command()
def cards(
    data: Annotated[Path | None, typer.Option(help="A folder made by 'prepare'; else the longest allowed.")] = None,
    model: Annotated[str | None, typer.Option(help="starter, a model hub id, or a folder.")] = None,
    preset: Annotated[str, typer.Option(help="quick, balanced or thorough.")] = "balanced",
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Any setting.")] = None,
) -> None:
    """Say on which graphics cards a run would fit; loads nothing."""
    recipe = _recipe(preset, model, set_ or [])
    fits = _studio().recipes.on_cards(recipe, data)
    if not fits:
        raise ModelError(f"The size of {recipe.model} is not known before it is loaded.", "Name a folder that has it.")
    for fit in fits:
        needs = f"{fit.gib:.1f} of {fit.card.usable_gib:.1f} GiB"
        mode = f"{fit.mode} ({fit.pace})" if fit.pace else fit.mode
        print(f"{fit.card.name} {fit.card.box_gb:g} GB: {fit.verdict}, {mode}, {needs}", file=sys.stderr)
    names = ("name", "verdict", "mode", "gib")
    rows = [(fit.card.name, fit.verdict, fit.mode, round(fit.gib, 2)) for fit in fits]
    result({"cards": [dict(zip(names, row, strict=True)) for row in rows]})


@app.command()
def resume(run: Annotated[Path, typer.Argument(help="The run's folder.")], workspace: WorkspaceOption = None) -> None:
    """Go on with a run that was stopped or cut off."""
    studio = _studio(workspace)
    result(train_until_it_ends(studio, studio.runs.open_at(run)))


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
    thinking_budget: Annotated[
        int, typer.Option(min=0, max=32768, help="Tokens of its longest thought; then it has to answer.")
    ] = 512,
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
    from engine.chat.records import Sampling
    from engine.question_sets import as_comparison, plain_question, read_questions
    from engine.standalone import studio_with

    questions = read_questions(file) if file else (plain_question(prompt or ""),)
    sampling = Sampling(
        temperature,
        top_p,
        max_new_tokens,
        seed,
        top_k,
        min_p,
        repetition_penalty,
        thinking,
        tuple(stop or ()),
        thinking_budget=thinking_budget,
    )
    home = Workspace(workspace or default_root())
    with studio_with([adapter] if adapter else [], home, model) as studio:
        tuned = studio.playground.newest(studio.runs.open_at(run)) if run else studio.adapters.voices()[0]
        tuned = _looking(studio, tuned, data)
        voices, instruction = ("base", tuned.id), studio.playground.instruction([tuned.id])
        rows = studio.questions.rows(questions, voices, sampling, instruction, report=say)
        result({"answers": [as_comparison(row, *voices) for row in rows]})


@app.command()
def judge(
    run: RunOption,
    tickets: Annotated[int, typer.Option(min=1, help="Held-out tickets that are judged at most.")] = 200,
    workspace: WorkspaceOption = None,
) -> None:
    """Say whether a run was worth it: tuned, base, base with look-up and nearest answer, on held-out tickets."""
    studio = _studio(workspace)
    known = studio.runs.open_at(run)
    found = follow(studio.verdict.judge(known, tickets))
    told = [f"{each.saw} {each.do}" for each in studio.verdict.advice(known)]
    said = {"run": str(run), "kind": found.kind, "verdict": found.sentence, "more": found.more, "advice": told}
    result({**said, **found.figures_json()})


@app.command()
def leak(run: RunOption, workspace: WorkspaceOption = None) -> None:
    """Test whether a run's recipe lets private data come out: secrets are planted in a copy, learnt, and asked for."""
    studio = _studio(workspace)
    result({"run": str(run), **follow(studio.leak.test(studio.runs.open_at(run))).to_json()})


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="The .zip or the new folder to write.")],
    run: Annotated[Path | None, typer.Option(help="The run's folder.")] = None,
    adapter: Annotated[Path | None, typer.Option(help="Or an adapter's folder, as 'import' has told it.")] = None,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            help="adapter: a .zip for this program and Python; merged: one 16-bit model; gguf and gguf-adapter: for "
            "llama.cpp; ollama: a GGUF and its Modelfile.",
        ),
    ] = "adapter",
    with_tickets: Annotated[
        bool, typer.Option("--with-tickets", help="Pack the masked tickets too, so that it can look them up elsewhere.")
    ] = False,
    onto: Annotated[
        str, typer.Option(help="merged: trained, the 4-bit weights it learnt over; original, the base's own in 16 bit.")
    ] = "trained",
    quantisation: Annotated[
        str,
        typer.Option(
            help="gguf, ollama: q8_0 (when not given), f16, bf16, q6_k, q5_k_m or q4_k_m; gguf-adapter: alone (when "
            "not given), with-base-f16 or with-base-q8_0."
        ),
    ] = "",
    workspace: WorkspaceOption = None,
) -> None:
    """Take home a run's result, or an adapter that was brought in."""
    from engine.export.records import Choices
    from engine.export.registry import FORMATS

    if format_ not in FORMATS:
        raise typer.BadParameter(f"'{format_}' is not one of: {', '.join(FORMATS)}.", param_hint="--format")
    studio = _studio(workspace)
    choices = Choices(with_tickets, onto, quantisation)
    if (run is None) == (adapter is None):
        raise typer.BadParameter("Name either --run or --adapter.")
    made = studio.runs.open_at(run) if run else studio.adapters.at(adapter or Path())
    path = follow(studio.export.make(made, format_, out, choices))
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    parity = studio.export.parity(made, format_)
    told = {"parity": parity.verdict, "parity_told": parity.sentence} if parity else {}
    result({"file": str(path), "format": format_, "bytes": sum(file.stat().st_size for file in files), **told})
    if parity and parity.is_doubtful:
        raise ModelError(parity.sentence, "It was written all the same; do not use it before you know why.")


@app.command()
def verify(
    path: Annotated[Path, typer.Argument(help="An export: its .zip, its folder, or a file in it.")],
    base: Annotated[str, typer.Option(help="The base of an adapter, where what it names is not found here.")] = "",
    workspace: WorkspaceOption = None,
) -> None:
    """Try an export again: its files, its base, and whether it answers as what was tested; runs on any computer."""
    verified = follow(_studio(workspace).export.verify(path, base))
    for check in verified.checks:
        say(f"{check.name}: {'as certified' if check.passed else 'NOT as certified'}. {check.sentence}")
    checks = [{"name": check.name, "passed": check.passed, "told": check.sentence} for check in verified.checks]
    result({"path": str(path), "format": verified.certificate.format, "passed": verified.passed, "checks": checks})
    if wrong := next((check for check in verified.checks if not check.passed), None):
        raise ModelError(wrong.sentence, "Export it again, or ask whoever made it.")


@app.command()
def push(
    source: Annotated[Path, typer.Argument(metavar="EXPORT", help="The folder or the .zip of an export.")],
    to: Annotated[str, typer.Option(help="Where on the model hub: your-name/name-of-the-model.")],
    private: Annotated[bool, typer.Option("--private/--public", help="Whether nobody else may see it.")] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be sent; asks nobody.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Send an export to the model hub with your own token (HF_TOKEN or 'hf auth login'); tickets never go."""
    hub = _studio(workspace).hub
    if dry_run:
        plan = hub.plan(source)
        for name, size in plan.files:
            say(f"would send {name} ({size:,} bytes)")
        for name in plan.left_out:
            say(f"stays here: {name}")
        result({"to": to, "files": dict(plan.files), "left_out": plan.left_out})
    else:
        sent = follow(hub.send(source, to, private=private))
        result({"to": sent.address, "commit": sent.commit, "private": sent.private, "files": dict(sent.files)})


@app.command()
def pull(
    repository: Annotated[str, typer.Argument(metavar="ID", help="The adapter's id on the model hub.")],
    revision: Annotated[str, typer.Option(help="A branch, a tag or a commit; the newest when not given.")] = "",
    sha256: Annotated[str, typer.Option(help="What the hash of its weights has to be.")] = "",
    model: Annotated[str, typer.Option(help="Its base, where what it names is not found here.")] = "",
    workspace: WorkspaceOption = None,
) -> None:
    """Bring an adapter of the model hub into the workspace, and try it."""
    from engine.model.sources import is_hub_id

    if not is_hub_id(repository):
        raise ModelError(f"'{repository[:80]}' is no id of the model hub.", "Write it as owner/name.")
    studio = _studio(workspace)
    _come(studio, follow(studio.importing.bring_in(repository, "", model, revision=revision, sha256=sha256)))


@app.command(name="import")
def import_(
    source: Annotated[Path, typer.Argument(help="An exported .zip, an adapter's folder, or a whole model's.")],
    name: Annotated[str, typer.Option(help="What it is called here.")] = "",
    model: Annotated[str, typer.Option(help="An adapter's base, where what it names is not found here.")] = "",
    workspace: WorkspaceOption = None,
) -> None:
    """Bring an adapter into the workspace and try it, or a whole model as a base to train over."""
    studio = _studio(workspace)
    _come(studio, follow(studio.importing.bring_in(str(source.expanduser().absolute()), name, model)))


def _come(studio: "Studio", brought: "Brought") -> None:
    """Say what has come; end with 1 where an adapter does not answer as it should."""
    from engine.export.passport import HUB
    from engine.workspace import read_object

    folder = studio.adapters.folder(brought.voice)
    if brought.is_model:
        result({"model": studio.playground.voice(brought.voice).model, "name": brought.label})
        return
    origin = read_object(folder / HUB) if (folder / HUB).is_file() else {}
    proof = brought.proof
    told = {"parity": proof.verdict, "parity_told": proof.sentence} if proof else {}
    result({"adapter": str(folder), **origin, **told})
    if proof and proof.is_doubtful:
        raise ModelError(proof.sentence, "It is here all the same; do not use it before you know why.")


@app.command()
def serve(
    adapter: Annotated[
        list[Path] | None,
        typer.Option(
            help="An adapter's folder, or an exported .zip; may be given more than once. Else the workspace's."
        ),
    ] = None,
    model: Annotated[str, typer.Option(help="The base of --adapter, where what it names is not found here.")] = "",
    host: Annotated[
        str, typer.Option(help="The address to listen on; any but this computer's is open to the network.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Where programs ask.", min=1, max=65535)] = 8000,
    new_key: Annotated[
        str, typer.Option("--new-key", metavar="NAME", help="Make an API key of this name and show it, once.")
    ] = "",
    ssl_certfile: Annotated[Path | None, typer.Option(help="Certificate, for https.")] = None,
    ssl_keyfile: Annotated[Path | None, typer.Option(help="Its key.")] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Answer other programs as OpenAI's API does, without the window; API keys are the workspace's."""
    from engine.standalone import Place, keep_serving, opened

    home = Workspace(workspace or default_root())
    with opened(home, adapter or [], model) as endpoint:
        result(keep_serving(endpoint, Place(host, port, ssl_certfile, ssl_keyfile), new_key))


@app.command()
def starter(
    out: Annotated[Path, typer.Option(help="A new folder for the checkpoint.")], workspace: WorkspaceOption = None
) -> None:
    """Write the starter model as an ordinary checkpoint folder, for use with other programs."""
    follow(_studio(workspace).recipes.save_starter(out))
    result({"out": str(out)})


def _looking(studio: "Studio", voice: "Voice", data: Path | None) -> "Voice":
    """Return the voice as it is asked: with look-up where a folder is named for it, or it was trained so."""
    if data is not None:
        studio.lookup.look_in(data)
        return voice.looking
    if voice.lookup:
        try:
            studio.lookup.home([voice], "")
        except StudioError as error:
            raise StudioError(
                "This adapter was trained with look-up, and no tickets came with it.",
                "Name a folder made by 'python -m engine prepare' with --data.",
            ) from error
    return voice


def _studio(workspace: Path | None = None) -> "Studio":
    from engine.studio import Studio

    return Studio(Workspace(workspace or default_root()))


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


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code."""
    keep_to_owner()
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    warnings.simplefilter("ignore")  # deprecations inside the libraries; nothing a person can act on
    logging.basicConfig(level=os.environ.get("TICKET_TUNER_LOG", "CRITICAL"), stream=sys.stderr)
    signal.signal(signal.SIGTERM, end)
    command: Callable[..., Any] = typer.main.get_command(app)
    try:
        command(arguments)
    except StudioError as error:
        fail(error)
    sys.exit(0)


if __name__ == "__main__":
    with leaving_at_the_end():
        main()
