"""The tab 'Tickets': what an export is, what became of it, and the lists of what is in it, left out and masked."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from engine.tickets.conversation import LeftOut
from engine.tickets.dataset.stored import StoredConversation
from engine.tickets.importing.detect import Detection
from engine.tickets.preparing.report import Report
from ui import words
from ui.parts import NOTHING, banner, join

PAGE = 20
"""Conversations a page."""

BY_HAND = ("dropped by you", "tag left out by you")
"""Reasons that are the person's own; see :mod:`engine.tickets.dataset.editing`."""

KINDS = {
    "EMAIL": ("e-mail address", "e-mail addresses"),
    "PHONE": ("phone number", "phone numbers"),
    "NAME": ("name", "names"),
    "PERSON": ("name", "names"),
    "IBAN": ("bank account", "bank accounts"),
    "CARD": ("card number", "card numbers"),
    "IP": ("network address", "network addresses"),
    "URL": ("personal link", "personal links"),
    "PASSWORD": ("password", "passwords"),
    "SECRET": ("secret", "secrets"),
    "KEY": ("key", "keys"),
    "ADDRESS": ("postal address", "postal addresses"),
    "ID": ("official number", "official numbers"),
    "BIRTHDATE": ("date of birth", "dates of birth"),
    "USER": ("user name", "user names"),
    "NUMBER": ("order or customer number", "order and customer numbers"),
    "SUSPECT": ("name?", "names?"),
    "TERM": ("term of yours", "terms of yours"),
}
"""Kind of personal data -> its name, one and several."""


def detection(found: Detection) -> Markup:
    """Say what the dropped files are, and by what it was told."""
    files = words.count(len(found.files), "file")
    details = [files, f"encoding {found.encoding}"] if found.encoding else [files]
    if found.delimiter:
        details.append(f"delimiter {_shown_delimiter(found.delimiter)}")
    if found.sheet:
        details.append(f"sheet ‘{found.sheet}’")
    names = Markup('<details class="quiet"><summary>Files</summary><ul>{}</ul></details>').format(
        join([Markup("<li>{} <span>{}</span></li>").format(name, kind) for name, kind in found.files[:100]])
    )
    return Markup('<div class="found"><h3>{}</h3><p>{}</p><p class="quiet">Told by: {}.</p>{}</div>').format(
        found.label, " · ".join(details), found.evidence, names if len(found.files) > 1 else NOTHING
    )


def _shown_delimiter(delimiter: str) -> str:
    return {"\t": "tab", ";": "semicolon", ",": "comma", "|": "bar"}.get(delimiter, delimiter)


def sample_table(found: Detection) -> Markup:
    """Show the first rows of a table, so that a person sees which column is which."""
    if not found.columns or not found.sample:
        return NOTHING
    roles = {column: role for role, column in found.mapping.items()}
    head = join(
        [
            Markup("<th>{}{}</th>").format(
                column, Markup("<b>{}</b>").format(roles[column]) if column in roles else NOTHING
            )
            for column in found.columns
        ]
    )
    rows = join(
        [
            Markup("<tr>{}</tr>").format(join([Markup("<td>{}</td>").format(cell[:80]) for cell in row]))
            for row in found.sample[:4]
        ]
    )
    return Markup(
        '<div class="scroll-x"><table class="sample"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
    ).format(head, rows)


def title(name: str, report: Report, prepared: str) -> Markup:
    """The name of a data set, and where it comes from."""
    origin = " · ".join(part for part in (report.label or report.format, prepared) if part)
    return Markup('<div class="data-title"><h1>{}</h1><p class="quiet">{}</p></div>').format(name, origin)


def summary(report: Report, verdict: Markup = NOTHING) -> Markup:
    """The line from tickets to conversations to the two parts, with what was left out and masked.

    Args:
        report: What the import did; that a file breaks off stands before everything else.
        verdict: A line on how good it is.
    """
    flow = join(
        [
            _stat(report.tickets_read, "tickets read"),
            _stat(report.conversations_kept, "conversations kept"),
            _stat(report.train, "to learn from", "accent"),
            _stat(report.heldout, "held out to measure", "plus"),
        ]
    )
    broken = join([banner(text, "Download the export again.") for text in report.broken_off])
    others = (text for text in report.warnings if text not in report.broken_off)
    warnings = join([banner(text, kind="note") for text in others])
    return Markup(
        '<div class="summary">{}<div class="sheet numbers"><div class="flow">{}</div>{}{}</div>{}</div>'
    ).format(broken, flow, _notes(report), verdict, warnings)


def _stat(number: int, label: str, kind: str = "") -> Markup:
    return Markup('<div class="stat {}"><b>{:,}</b><span>{}</span></div>').format(kind, number, label)


def _notes(report: Report) -> Markup:
    lines = []
    found = {reason: number for reason, number in report.dropped.items() if reason not in BY_HAND}
    by_hand = {reason: number for reason, number in report.dropped.items() if reason in BY_HAND}
    for title, counts, mode in (("Tickets left out", found, "left_out"), ("Changed by you", by_hand, "changed")):
        if counts:
            told = " · ".join(f"{number:,} × {reason}" for reason, number in _sorted(counts))
            lines.append(_note(title, told, mode, "View"))
    if report.messages_left_out:
        told = " · ".join(f"{number:,} × {reason}" for reason, number in _sorted(report.messages_left_out))
        lines.append(_note("Messages left out", told, "left_out", "View"))
    if report.redactions:
        told = " · ".join(f"{number:,} {kind_name(kind, number)}" for kind, number in _sorted(report.redactions))
        lines.append(_note("Data masked", told, "masked", "Review"))
    if report.ratings:
        told = " · ".join(f"{number:,} {told}" for told, number in report.ratings.items())
        lines.append(_note("Ratings", told, "", ""))
    if report.preferences:
        told = f"{report.preferences:,} kept beside the conversations, for training with preferences"
        lines.append(_note("Preference pairs", told, "", "Take them home", "pairs"))
    if report.hub:
        licence = report.hub.get("licence") or "not named by its card"
        told = f"{report.hub.get('id')}, part {report.hub.get('part')}, licence {licence}"
        lines.append(_note("From the model hub", told, "", ""))
    if report.split_basis:
        lines.append(_note("Held out", report.split_basis, "", ""))
    return Markup('<dl class="notes">{}</dl>').format(join(lines)) if lines else NOTHING


def _sorted(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: -pair[1])


def _note(title: str, told: str, mode: str, label: str, does: str = "mode") -> Markup:
    button = Markup('<button type="button" class="link" data-do="{}" data-mode="{}">{}</button>').format(
        does, mode, label
    )
    return Markup("<div><dt>{}</dt><dd>{} {}</dd></div>").format(title, told, button if label else NOTHING)


def kind_name(kind: str, number: int = 1) -> str:
    """Name a kind of personal data in plain words."""
    one, several = KINDS.get(kind.upper(), (kind.replace("_", " ").lower(), kind.replace("_", " ").lower()))
    return one if number == 1 else several


def conversation_list(rows: Sequence[StoredConversation], selected: str) -> Markup:
    """The page of conversations at the left."""
    if not rows:
        return Markup('<p class="hint">No conversation holds these words.</p>')
    return Markup('<ul class="list" aria-label="Conversations">{}</ul>').format(
        join([_conversation_row(row, row.ticket == selected) for row in rows])
    )


def _conversation_row(row: StoredConversation, selected: bool) -> Markup:
    turns = sum(message.role != "system" for message in row.messages)
    return Markup(
        '<li><button type="button" class="list-row{selected}" data-do="pick" data-ticket="{ticket}" '
        'data-key="ticket-{ticket}" aria-current="{current}"><span class="list-main"><b>{name}</b> {title}</span>'
        '<span class="list-side">{mark}<span>{turns}</span></span></button></li>'
    ).format(
        selected=" selected" if selected else "",
        ticket=row.ticket,
        current="true" if selected else "false",
        name=ticket_name(row.ticket),
        title=title_of(row),
        mark=join([Markup('<span class="tag">{}</span>').format(text) for text in _marks(row)]),
        turns=words.count(turns, "message"),
    )


def _marks(row: StoredConversation) -> list[str]:
    """What is special about a conversation, in a word or two each."""
    return ["rewritten"] * bool(row.originals) + ["held out"] * (row.split == "heldout")


def ticket_name(ticket: str) -> str:
    """Write a ticket's number as people say it."""
    return f"#{ticket}" if ticket.isdigit() else ticket


def title_of(row: StoredConversation) -> str:
    """A conversation's subject, or the beginning of its first question."""
    if row.subject:
        return row.subject
    first = next((message.content for message in row.messages if message.role == "user"), "")
    return " ".join(first.split())[:80] or "(no text)"


def left_out_list(rows: Sequence[LeftOut]) -> Markup:
    """The page of what was left out, with the reason of each."""
    if not rows:
        return Markup('<p class="hint">Nothing was left out.</p>')
    body = [
        Markup(
            "<tr><td class='nowrap'>{}</td><td class='nowrap'><span class='tag'>{}</span></td><td>{}</td></tr>"
        ).format(ticket_name(row.ticket), row.reason, row.excerpt)
        for row in rows
    ]
    return _table(("Ticket", "Reason", "Begins with"), body)


def _table(heads: Sequence[str], body: list[Markup]) -> Markup:
    head = join([Markup("<th>{}</th>").format(text) for text in heads])
    return Markup(
        '<div class="scroll-x"><table class="table"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
    ).format(head, join(body))
