"""The tab 'Export': what is taken home, what can be done with it where, and what the file holds."""

import re
from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from engine.export.records import Proof
from engine.studio import RunInfo, Voice
from engine.training.runs.status import ACTIVE
from ui import icons, words
from ui.parts import NOTHING, banner, join
from ui.shell.views import short_model

_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)

CONTENTS = (
    ("adapter_model.safetensors", "what was learnt"),
    ("adapter_config.json", "how it sits on the base"),
    ("tokenizer and chat template", "how it is spoken to"),
    ("recipe.json", "every setting of the run"),
    ("usage.py", "a script that answers a customer with it"),
    ("README.md", "the card below, and how to use it"),
    ("passport.json", "where it comes from, in hashes and counts"),
    ("lookup_tickets.jsonl", "its tickets, only if you put them in"),
)
"""Files of a bundle, and what each is for."""

NO_BREAK = "\N{NO-BREAK SPACE}"


def exportable(runs: Sequence[RunInfo], imported: Sequence[Voice]) -> list[tuple[str, str]]:
    """Runs with something to take home and adapters that were brought in, as label and id, the newest first."""
    own = [(_label(run), run.id) for run in runs if run.has_adapter or run.checkpoint]
    return own + [(f"{voice.label} (brought in)", voice.id) for voice in imported]


def _label(run: RunInfo) -> str:
    if not run.has_adapter:
        return f"{run.status.name} (checkpoint of step {run.checkpoint:,})"
    best = run.history.best
    return f"{run.status.name} (held-out {words.loss(best.loss)})" if best else run.status.name


def about(run: RunInfo) -> Markup:
    """Say what it is that is taken home."""
    model = short_model(run.recipe.model) if run.recipe else "its base model"
    told = Markup(
        '<h1>Take ‘{}’ home</h1><p class="quiet">One file with what this run has learnt from your tickets: an adapter. '
        "It works together with the model that it was trained on ({}), which is not in the file.</p>"
    ).format(run.status.name, model)
    return told + _not_ended(run)


def about_imported(voice: Voice) -> Markup:
    """Say the same of an adapter that was brought in."""
    return Markup(
        '<h1>Take ‘{}’ home</h1><p class="quiet">An adapter that was brought in. It can go on from here in every '
        "format, tried again against the playground. It works together with the model that it was trained on ({}).</p>"
    ).format(voice.label, short_model(voice.model))


def _not_ended(run: RunInfo) -> Markup:
    if run.has_adapter:
        return NOTHING
    total = f" of {run.history.started.steps:,}" if run.history.started else ""
    later = "At its end the best of its checkpoints is here." if run.status.state in ACTIVE else "It did not end."
    return Markup(
        '<p class="take-note">{}<span>The checkpoint of step {:,}{} can be taken home now. {}</span></p>'
    ).format(icons.NOTE, run.checkpoint, total, later)


def download_label(run: RunInfo | None, size: int) -> str:
    """What the button says.

    Args:
        run: The run; None for an adapter that was brought in.
        size: Bytes before packing.
    """
    what = "adapter" if run is None or run.has_adapter else f"checkpoint of step {run.checkpoint:,}"
    return f"Download {what} ({words.file_size(size).replace(' ', NO_BREAK)})"


def card_body(card: str) -> str:
    """The card without the block of fields at its top, which is meant for programs, and without its title.

    The title is the run's name, which stands at the top of the tab.
    """
    body = _FRONT_MATTER.sub("", card.replace("\r\n", "\n"), count=1).strip()
    title, _, rest = body.partition("\n")
    return rest.strip() if title.startswith("# ") else body


def package() -> Markup:
    """What the file will hold."""
    rows = join(
        [Markup("<li>{}<span><code>{}</code> {}</span></li>").format(icons.CHECK, name, use) for name, use in CONTENTS]
    )
    return Markup('<div class="package"><ul>{}</ul></div>').format(rows)


def tickets_label(conversations: int, size: int) -> str:
    """What the choice says that lets the tickets travel; ``size`` in bytes, at most, before packing."""
    return f"Put its {words.count(conversations, 'ticket')} in too (up to {words.file_size(size)})"


TICKETS_INFO = (
    "So that it can look them up elsewhere. It is the text of the conversations, masked as you prepared them: whoever "
    "gets the file can read it."
)
"""What lies in the file then, said before it is packed."""


def packed(name: str, size: int) -> Markup:
    """Say that the file is packed and on its way."""
    return Markup('<p class="done" role="status">{}<span>{}, {}: packed and downloaded.</span></p>').format(
        icons.CHECK, name, words.file_size(size)
    )


def tried(packed: Markup, proof: Proof | None) -> Markup:
    """Say how what was packed answers; where it failed its trial, ask before it is fetched.

    Args:
        packed: What is said of it otherwise.
        proof: What came of the trial.
    """
    if proof is None:
        return packed
    if not proof.is_doubtful:
        return packed + Markup('<p class="quiet">{}</p>').format(proof.sentence)
    button = Markup('<button type="button" class="button" data-do="anyway">Download it all the same</button>')
    return banner(proof.sentence, "Export it again, or ask it in the playground.") + button


def saved(folder: Path) -> Markup:
    """Say that an export lies in its folder."""
    return Markup('<p class="done" role="status">{}<span>Saved as {}. Its card below says where.</span></p>').format(
        icons.CHECK, folder.name
    )
