"""The card and the script of an export, whether a run's result or an adapter that was brought in.

Of an adapter from elsewhere this program knows what its passport says, in hashes and counts, and no more.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.export.card import (
    ADAPTER,
    PACKAGES,
    Kind,
    card_of,
    chapter_on_usage,
    compute_type,
    front_matter,
    install,
    limits,
    model_card,
    opening,
    settings,
    table,
)
from engine.export.source import ExportSource
from engine.export.usage import merged_script, usage_script
from engine.model.chat_format import ChatFormat, read_chat_format
from engine.task import Report


def write_card(source: ExportSource, kind: Kind, chapter: str, folder: Path) -> None:
    """Write an export's README.md.

    Args:
        source: What is exported.
        kind: What the card says of the format.
        chapter: How it is used, as Markdown; may be empty.
        folder: The export.

    Raises:
        StudioError: The run's recipe is damaged.
    """
    text = card_of(source.run, source.result, kind, chapter) if source.run else _of_imported(source, kind, chapter)
    (folder / "README.md").write_text(text, encoding="utf-8")


def write_adapter_card(source: ExportSource, folder: Path, report: Report) -> None:
    """Write the card and the script of an adapter.

    Args:
        source: What is exported.
        folder: The export.
        report: Told of a base that is fetched, where the adapter came without a tokenizer.

    Raises:
        StudioError: Its recipe or its tokenizer is damaged.
    """
    script = usage_script(source.recipe, compute_type(source.environment, source.recipe), _chat(source, report))
    if source.run:
        text = model_card(source.run, source.result)
    else:
        text = _of_imported(source, ADAPTER, _chapter(source, script))
    (folder / "README.md").write_text(text, encoding="utf-8")
    (folder / "usage.py").write_text(script, encoding="utf-8")


def write_merged_script(source: ExportSource, folder: Path, report: Report) -> None:
    """Write the script that uses a merged model; the arguments are those of :func:`write_adapter_card`."""
    script = merged_script(source.recipe, compute_type(source.environment, source.recipe), _chat(source, report))
    (folder / "usage.py").write_text(script, encoding="utf-8")


def summary_of_imported(source: ExportSource) -> str:
    """Write the card of an adapter that was brought in, without its chapter on usage; quick."""
    return _of_imported(source, ADAPTER, "")


def usage_of_imported(source: ExportSource, report: Report) -> str:
    """Write that chapter.

    Raises:
        StudioError: Its tokenizer is damaged, or the base's is not to be had.
    """
    script = usage_script(source.recipe, compute_type(source.environment, source.recipe), _chat(source, report))
    return _chapter(source, script)


def _chapter(source: ExportSource, script: str) -> str:
    return chapter_on_usage(source.recipe, install(source.environment, PACKAGES), script)


def _chat(source: ExportSource, report: Report) -> ChatFormat:
    return read_chat_format(source.tokenizer(report))


def _of_imported(source: ExportSource, kind: Kind, chapter: str) -> str:
    parts = (
        front_matter(source.recipe, kind),
        opening(source.name, source.recipe, kind),
        chapter,
        _origin(source),
        settings(source.recipe) if (source.adapter / "recipe.json").is_file() else "",
        limits(source.recipe, kind),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _origin(source: ExportSource) -> str:
    """Where it comes from, as its passport says; a stranger may have written that."""
    about, told = source.about, source.passport
    data, loss = _part(told, "data"), _part(told, "heldout_loss")
    rows = [
        ("Brought in from", _text(about.get("source"))),
        ("Made with", _text(told.get("program"))),
        ("Trained on", _text(_part(told, "environment").get("device"))),
        ("Conversations learnt from", _text(_part(data, "train").get("conversations"))),
        ("Held-out conversations", _text(_part(data, "heldout").get("conversations"))),
        ("Loss on held-out tickets, base model", _text(loss.get("base"))),
        ("Loss on held-out tickets, with the adapter", _text(loss.get("tuned"))),
    ]
    known = [row for row in rows if row[1]]
    remark = "" if told else "\n\nIt came without a passport: nothing else is known of how it was trained."
    return f"## Where it comes from\n\n{table(known)}{remark}"


def _part(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = values.get(name)
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str:
    """A figure or a short text; nothing where it is anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return (f"{value:.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value)[:80]
