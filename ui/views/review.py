"""The privacy review: what was masked, term by term, with the places where it stood."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from engine.tickets.origin import Choice
from engine.tickets.review import MaskedTerm
from ui.views import words
from ui.views.parts import NOTHING, join
from ui.views.tickets import kind_name, ticket_name

PLACES = 20
"""Places shown of one term."""

CAUTION = Markup(
    '<p class="quiet">No detector is complete. Not found are, among others, people who stand in no field of the '
    "export, nicknames and inflected names, dates of birth and user names that no word announces, streets without a "
    "number, and what pictures show. Look through this list, search the conversations for what must not be "
    "learnt, and add it here.</p>"
)


def term_table(
    terms: Sequence[MaskedTerm], opened: str, found: Sequence[Mapping[str, Any]], choices: Sequence[Choice]
) -> Markup:
    """Show what was masked, a row a term.

    Args:
        terms: The page of terms.
        opened: Id of the term whose places are shown, or empty.
        found: Its places.
        choices: What the person has decided; says which rows are about to change.
    """
    if not terms:
        return Markup('<p class="hint">Nothing of this kind was masked.</p>')
    leaving = {choice.term.casefold() for choice in choices if _leaves(choice)}
    rows = []
    for term in terms:
        rows.append(_row(term, term.id == opened, term.term.casefold() in leaving))
        if term.id == opened:
            rows.append(_places(found, term))
    heads = ("Term", "Kind", "Reads now", "How often", "")
    return Markup(
        '<div class="scroll-x"><table class="table terms"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
    ).format(join([Markup('<th scope="col">{}</th>').format(head) for head in heads]), join(rows))


def _leaves(choice: Choice) -> bool:
    """Whether a choice takes a term out of the list when it takes effect."""
    return (choice.kind, choice.pending) in {("allow", "add"), ("extra_terms", "remove")}


def _row(term: MaskedTerm, opened: bool, leaving: bool) -> Markup:
    often = f"{term.times:,}×" if term.tickets == 1 else f"{term.times:,}× in {term.tickets:,} tickets"
    action = (
        Markup('<span class="tag">from the next run on it stays</span>')
        if leaving
        else Markup(
            '<button type="button" class="button small" data-do="allow" data-term="{}" data-key="allow-{}" '
            'aria-label="‘{}’ is not personal">This is not personal</button>'
        ).format(term.id, term.id, term.term)
    )
    return Markup(
        '<tr><td><button type="button" class="link term" data-do="places" data-term="{id}" aria-expanded="{opened}" '
        'data-key="places-{id}">{term}</button></td><td class="nowrap">{kind}</td><td><ins>{now}</ins></td>'
        '<td class="nowrap">{often}</td><td class="actions">{action}</td></tr>'
    ).format(
        id=term.id,
        opened="true" if opened else "false",
        term=term.term,
        kind=kind_name(term.kind),
        now=" ".join(term.placeholders),
        often=often,
        action=action,
    )


def _places(found: Sequence[Mapping[str, Any]], term: MaskedTerm) -> Markup:
    lines = [
        Markup(
            '<li><button type="button" class="link" data-do="pick" data-ticket="{}">{}</button> <span>{}<del>{}</del> '
            "<ins>{}</ins>{}</span></li>"
        ).format(
            place["ticket"],
            ticket_name(place["ticket"]),
            place["before"],
            place["original"],
            place["placeholder"],
            place["after"],
        )
        for place in found
    ]
    more = term.times - len(found)
    rest = Markup('<li class="quiet">and {} more</li>').format(words.count(more, "place")) if more > 0 else NOTHING
    return Markup('<tr class="places"><td colspan="5"><ul>{}{}</ul></td></tr>').format(join(lines), rest)
