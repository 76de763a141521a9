"""The tab 'Export': the card as it will look, what the file holds, and how to use it elsewhere."""

import re
from collections.abc import Sequence

from markupsafe import Markup

from engine.studio import RunInfo
from ui import icons, words
from ui.parts import join

_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)

CONTENTS = (
    ("adapter_model.safetensors", "what was learnt"),
    ("adapter_config.json", "how it sits on the base"),
    ("tokenizer and chat template", "how it is spoken to"),
    ("recipe.json", "every setting of the run"),
    ("usage.py", "a script that answers a customer with it"),
    ("README.md", "the card beside this"),
)
"""Files of a bundle, and what each is for."""


def exportable(runs: Sequence[RunInfo]) -> list[tuple[str, str]]:
    """Runs with an adapter, as label and id, the newest first."""
    return [(_label(run), run.id) for run in runs if run.has_adapter]


def _label(run: RunInfo) -> str:
    best = run.history.best
    return f"{run.status.name} (held-out {words.loss(best.loss)})" if best else run.status.name


def card_body(card: str) -> str:
    """The card without the block of fields at its top, which is meant for programs."""
    return _FRONT_MATTER.sub("", card.replace("\r\n", "\n"), count=1).strip()


def package(size: int) -> Markup:
    """What the file will hold, and how large it is.

    Args:
        size: Bytes of the adapter folder.
    """
    rows = join(
        [Markup("<li>{}<span><code>{}</code> {}</span></li>").format(icons.CHECK, name, use) for name, use in CONTENTS]
    )
    return Markup('<div class="package"><p class="package-size"><b>{}</b> before packing</p><ul>{}</ul></div>').format(
        words.file_size(size), rows
    )


def packed(name: str, size: int) -> Markup:
    """Say that the file is packed and on its way."""
    return Markup('<p class="done" role="status">{}<span>{}, {}: packed and downloaded.</span></p>').format(
        icons.CHECK, name, words.file_size(size)
    )


def imported(label: str) -> Markup:
    """Say that an adapter has arrived."""
    return Markup('<p class="done" role="status">{}<span>‘{}’ is here. Choose it in the playground.</span></p>').format(
        icons.CHECK, label
    )
