"""What helps where an import leaves no conversation: told by why most were left out, and by what the file is."""

from __future__ import annotations

from engine.tickets.conversation import DAMAGED, KIND_REASONS
from engine.tickets.importing.planned import Plan
from engine.tickets.importing.readers import WITHOUT_SIDES, chat
from engine.tickets.preparing import best

_BY_REASON = {
    KIND_REASONS["bot"]: "Choose tickets that people have answered.",
    KIND_REASONS["after_tool"]: "Choose conversations whose answers do not come from a tool.",
    KIND_REASONS["tool"]: "Choose conversations whose answers do not come from a tool.",
    KIND_REASONS["rated_bad"]: "Choose a file that holds good answers too.",
    KIND_REASONS["outvoted"]: "Choose questions of which an answer was accepted or voted for.",
    KIND_REASONS["unknown"]: "Name each writer customer or agent, or choose the column that tells who wrote.",
    KIND_REASONS["truncated"]: "Export them whole: as JSON or CSV where a workbook cuts long cells.",
    KIND_REASONS["spam"]: "Choose tickets that are no spam.",
    KIND_REASONS["hidden"]: "Choose tickets that have not been deleted.",
    "not resolved": "Take the unresolved tickets in as well.",
    "another language": "Choose its language as well.",
    "answer too short": "Choose tickets with longer answers, or let shorter ones in under Options.",
    "empty": "Choose an export that includes what was written, not only the list of tickets.",
    DAMAGED: "Download the export again.",
    best.RATED_BAD: "Take badly rated tickets in as well.",
    best.NOT_RATED_GOOD: "Take tickets in that nobody rated as well.",
    best.REOPENED: "Take reopened tickets in as well.",
    best.OLD: "Take older tickets in as well.",
    best.WEAK_AGENT: "Ask for a smaller share of good ratings.",
}
"""Reason why most tickets are left out -> what helps, whatever the file."""
UNANSWERED = ("no agent answer", "no customer message")


def remedy_for(plan: Plan, reason: str) -> str:
    """Say what helps.

    Args:
        plan: How the file was read.
        reason: Why most of its tickets were left out.
    """
    if reason in _BY_REASON:
        return _BY_REASON[reason]
    if plan.format in WITHOUT_SIDES:
        return "Name those who answer for you (--agents NAME,NAME, or 'Who are we?' in the window)."
    if plan.family == "mail":
        return (
            "Choose mailboxes that hold the customers' mails and your answers too ('Inbox' and 'Sent' may be dropped "
            "together), or name your own addresses with --agents."
        )
    if plan.format == chat.FORMAT:
        return "Choose conversations that begin with the user and end with the assistant's turn."
    if plan.mapping and reason in UNANSWERED:
        return "Check which columns hold the question and the answer."
    if plan.reader and reason in UNANSWERED:
        return plan.reader.NO_ANSWERS[1]
    return "Choose an export that includes the agents' replies."
