"""The privacy review: what was masked, term by term, with the places where it stood."""

from collections.abc import Sequence

from markupsafe import Markup

from engine.tickets.dataset.provenance import Choice
from engine.tickets.privacy.review import SUSPECT, MaskedPlace, MaskedTerm
from ui import words
from ui.parts import NOTHING, join
from ui.tickets.views.listing import kind_name, ticket_name

SUSPECTED = "looks like a name"
"""Name of the choice that shows what is suspected."""
PLACES = 20
"""Places shown of one term."""

CAUTION = Markup(
    '<p class="quiet">No detector is complete. Not found are, among others, people who stand in no field of the '
    "export and whom nobody introduces or greets, nicknames and inflected names, dates of birth and user names that no "
    "word announces, streets without a number, companies, and what pictures show. Look through this list, search the "
    "conversations for what must not be learnt, and add it here.</p>"
)


def suspicion(suspects: int, shown: bool) -> Markup:
    """Say that there are words which look like names, and where to see them.

    Args:
        suspects: How many different ones.
        shown: Whether the list shows them.
    """
    if not suspects:
        return NOTHING
    if shown:
        return Markup(
            '<p class="quiet">These look like names and are not masked. What you mask goes everywhere, from the next '
            "run on.</p>"
        )
    them = "it is" if suspects == 1 else "they are"
    return Markup('<p class="quiet">{} like a name and {} not masked: choose ‘{}’ under ‘Kind’.</p>').format(
        f"{words.count(suspects, 'term')} look{'s' if suspects == 1 else ''}", them, SUSPECTED
    )


def term_table(
    terms: Sequence[MaskedTerm], opened: str, found: Sequence[MaskedPlace], choices: Sequence[Choice]
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
    coming = {choice.term.casefold() for choice in choices if (choice.kind, choice.pending) == ("extra_terms", "add")}
    rows = []
    for term in terms:
        known = term.term.casefold()
        will = "from the next run on it stays" if known in leaving else ""
        if term.kind == SUSPECT:
            will = (
                "from the next run on it is masked"
                if known in coming
                else "from the next run on it is not listed"
                if known in leaving
                else ""
            )
        rows.append(_row(term, term.id == opened, will))
        if term.id == opened:
            rows.append(_places(found, term))
    heads = ("Term", "Kind", "Reads now", "How often", "")
    return Markup(
        '<div class="scroll-x"><table class="table terms"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
    ).format(join([Markup('<th scope="col">{}</th>').format(head) for head in heads]), join(rows))


def _leaves(choice: Choice) -> bool:
    """Whether a choice takes a term out of the list when it takes effect."""
    return (choice.kind, choice.pending) in {("allow", "add"), ("extra_terms", "remove")}


def _row(term: MaskedTerm, opened: bool, will: str) -> Markup:
    often = f"{term.times:,}×" if term.tickets == 1 else f"{term.times:,}× in {term.tickets:,} tickets"
    action = (
        Markup('<span class="tag">{}</span>').format(will)
        if will
        else Markup("{}{}").format(_mask_button(term), _allow_button(term))
    )
    return Markup(
        '<tr><td><button type="button" class="link term" data-do="places" data-term="{id}" aria-expanded="{opened}" '
        'data-key="places-{id}">{term}</button></td><td class="nowrap">{kind}</td><td>{now}</td>'
        '<td class="nowrap">{often}</td><td class="actions">{action}</td></tr>'
    ).format(
        id=term.id,
        opened="true" if opened else "false",
        term=term.term,
        kind=kind_name(term.kind),
        now=Markup("<ins>{}</ins>").format(" ".join(term.placeholders)) if term.kind != SUSPECT else "not masked",
        often=often,
        action=action,
    )


def _allow_button(term: MaskedTerm) -> Markup:
    said = "Not a name" if term.kind == SUSPECT else "This is not personal"
    return Markup(
        '<button type="button" class="button small" data-do="allow" data-term="{}" data-key="allow-{}" '
        'aria-label="‘{}’ is not personal">{}</button>'
    ).format(term.id, term.id, term.term, said)


def _mask_button(term: MaskedTerm) -> Markup:
    if term.kind != SUSPECT:
        return NOTHING
    return Markup(
        '<button type="button" class="button small" data-do="mask" data-term="{}" data-key="mask-{}" '
        'aria-label="Mask ‘{}’ everywhere">Mask everywhere</button>'
    ).format(term.id, term.id, term.term)


def _places(found: Sequence[MaskedPlace], term: MaskedTerm) -> Markup:
    lines = [
        Markup(
            '<li><button type="button" class="link" data-do="pick" data-ticket="{}">{}</button> <span>{}<del>{}</del> '
            "<ins>{}</ins>{}</span></li>"
        ).format(
            place.ticket,
            ticket_name(place.ticket),
            place.before,
            place.original,
            place.placeholder,
            place.after,
        )
        for place in found
    ]
    more = term.times - len(found)
    rest = Markup('<li class="quiet">and {} more</li>').format(words.count(more, "place")) if more > 0 else NOTHING
    return Markup('<tr class="places"><td colspan="5"><ul>{}{}</ul></td></tr>').format(join(lines), rest)
