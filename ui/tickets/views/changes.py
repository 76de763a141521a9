"""What a person changed in a data set, each with the way to undo it; and what still waits for the next run."""

from collections.abc import Collection, Sequence

from markupsafe import Markup

from engine.tickets.dataset.edits import Edits
from engine.tickets.dataset.provenance import Choice, Origin
from engine.tickets.dataset.stored import StoredConversation
from ui import words
from ui.parts import NOTHING, join
from ui.tickets.views.listing import ticket_name, title_of

SENTENCES = {
    "allow": "‘{}’ is not personal and stays",
    "extra_terms": "‘{}’ is masked too",
    "exclude_agents": "Answers of agent {} are left out",
}
"""Kind of choice -> what it does, with the place of the term."""


def pending(origin: Origin) -> Markup:
    """Show what was decided about terms and agents, and the button to prepare again with it."""
    choices = origin.choices()
    if not choices:
        return NOTHING
    listed = Markup('<ul class="changes">{}</ul>').format(join([_choice(choice) for choice in choices]))
    return Markup('<div class="pending">{}{}</div>').format(listed, run_again(origin))


def run_again(origin: Origin) -> Markup:
    """The button that brings pending changes into effect."""
    number = sum(bool(choice.pending) for choice in origin.choices())
    if not number:
        return NOTHING
    return Markup(
        '<p class="run-again"><button type="button" class="button strong" data-do="again" data-key="run-again">'
        'Run again with these changes</button> <span class="quiet">{} not in effect yet</span></p>'
    ).format(f"{words.count(number, 'change')} {'is' if number == 1 else 'are'}")


def _choice(choice: Choice) -> Markup:
    said = SENTENCES[choice.kind].format(choice.term)
    state = {"": "", "add": "from the next run on", "remove": "until the next run"}[choice.pending]
    label = "Undo" if choice.pending != "remove" else "Keep it"
    return _line(said, choice.kind, choice.term, state, label)


def _line(said: str | Markup, what: str, identifier: str, state: str = "", label: str = "Undo") -> Markup:
    plain = said.striptags() if isinstance(said, Markup) else said
    tag = Markup(' <span class="tag">{}</span>').format(state) if state else NOTHING
    return Markup(
        '<li><span class="change-words">{}{}</span><button type="button" class="button small" data-do="undo" '
        'data-what="{}" data-id="{}" data-keep="{}" aria-label="{}: {}">{}</button></li>'
    ).format(said, tag, what, identifier, "yes" if label == "Keep it" else "", label, plain, label)


def done(said: str, what: str, identifier: str) -> Markup:
    """Say what was just done to a conversation, with the way back."""
    return Markup('<ul class="changes just-done" role="status">{}</ul>').format(_line(said, what, identifier))


def everything(
    edits: Edits, origin: Origin, left_out: Sequence[StoredConversation], rewritten: Collection[tuple[str, str]]
) -> Markup:
    """List all changes by kind; the empty state says how to make one.

    Args:
        edits: What was changed by hand.
        origin: What was decided about terms and agents.
        left_out: The conversations that are left out because of the edits, as far as they are known.
        rewritten: (ticket, answer as imported) of what is rewritten in fact; the rest is not in this export any more.
    """
    titles = {entry.key: title_of(entry) for entry in left_out}
    dropped = [
        _line(f"{ticket_name(ticket)} {titles.get(key, '')}".strip(), "drop", key)
        for key, ticket in edits.dropped.items()
    ]
    tags = [_line(f"Tickets with the tag ‘{tag}’ are left out", "tag", tag) for tag in edits.tags]
    answers = [
        _line(
            Markup("{} <del>{}</del> <ins>{}</ins>").format(
                ticket_name(answer.ticket), _short(answer.was), _short(answer.words)
            ),
            "answer",
            answer.id,
            "" if (answer.ticket, answer.was) in rewritten else "not in what is learnt now",
        )
        for answer in edits.answers
    ]
    sections = [
        _section("Conversations left out", dropped),
        _section("Rewritten answers", answers),
        _section("Tags left out", tags),
        _section("Terms and agents", [_choice(choice) for choice in origin.choices()]),
    ]
    if not any(sections):
        return Markup(
            '<p class="hint">Nothing yet. Open a conversation to leave it out or to rewrite an answer; under ‘Masked’ '
            "you say what is personal and what is not. All of it is kept when you import a newer export.</p>"
        )
    return Markup('<div class="all-changes">{}{}</div>').format(join(sections), run_again(origin))


def _section(title: str, lines: list[Markup]) -> Markup:
    if not lines:
        return NOTHING
    return Markup('<h3>{} <span class="quiet">{}</span></h3><ul class="changes">{}</ul>').format(
        title, len(lines), join(lines)
    )


def _short(text: str, most: int = 160) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
