"""Deleting a customer: what it takes away, to be confirmed, and what was done."""

from markupsafe import Markup

from engine.tickets.dataset.erasure import Erasure
from ui import icons, words


def to_confirm(ticket: str, planned: Erasure) -> Markup:
    """Say what goes, what stays, and that it cannot be undone; with the button that does it."""
    return Markup(
        '<div class="banner banner-warn erasing" role="alert">{}<div><strong>Delete everything of this customer for '
        "ever?</strong> <span>This takes {}. The private copy of the export goes as well. This cannot be undone.</span>"
        '<div class="buttons"><button type="button" class="button danger" data-do="erase" data-ticket="{}">Delete for '
        "ever</button></div></div></div>"
    ).format(icons.WARN, _places(planned), ticket)


def done(deleted: Erasure) -> Markup:
    """Say what was deleted, and which adapters have to be trained again."""
    again = (
        f" {_names(deleted.learnt)} {'has' if len(deleted.learnt) == 1 else 'have'} learnt from it: what stands in the "
        "weights stays. Delete them, or train again."
        if deleted.learnt
        else " No adapter has learnt from it."
    )
    return Markup(
        '<div class="banner banner-note" role="status">{}<div><strong>The customer was deleted.</strong> '
        "<span>It was about {}.{}</span></div></div>"
    ).format(icons.NOTE, _places(deleted), again)


def _places(erasure: Erasure) -> str:
    places = [f"{words.count(erasure.conversations, 'conversation')} of {_names(erasure.data_sets)}"]
    if erasure.runs:
        places.append(f"what {_names(erasure.runs)} kept of them, verdicts and votes included")
    if erasure.elsewhere:
        places.append(f"{words.count(erasure.elsewhere, 'copy', 'copies')} in the trash and beside adapters")
    return ", ".join(places)


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"‘{name}’" for name in names)
