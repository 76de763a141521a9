"""A data set of a few invented tickets, prepared as any other."""

from pathlib import Path
from typing import Any

from engine.tickets.options import PrepareOptions
from engine.tickets.preparing.pipeline import prepare
from tests.engine.tickets.exports import comment, lines, write, zendesk

TALKS = (
    ("The kettle drips from its spout", "Descale the kettle with vinegar, then the spout is tight again."),
    ("Which bulb fits the reading lamp?", "The reading lamp takes a 4 watt bulb with a small thread."),
    ("May I send the carpet back?", "A carpet may come back within 31 days, rolled up in its cover."),
    ("When does the showroom open?", "The showroom is open from 9 to 18, except on Mondays."),
    ("The drawer of my desk is stuck", "Lift the drawer of the desk by its front, then it slides again."),
    ("Do you deliver sofas to islands?", "Sofas go to every island with a ferry, for 49 more."),
    ("My voucher is not accepted", "A voucher works on full prices only, and ends after a year."),
    ("How do I wash the curtains?", "Wash the curtains at 30 degrees, and hang them up wet."),
    ("The parcel shows no tracking", "Tracking begins when the van has left, at about noon."),
    ("I want another invoice address", "Invoices are changed under Papers, by the pen beside the address."),
)


def ticket(number: int, asked: str, told: str, customer: int = 0) -> dict[str, Any]:
    """A ticket of two messages; each has a customer of its own unless one is named."""
    by = customer or 1000 + number
    return zendesk(number, comment(by, asked), comment(9, told), requester_id=by, subject="", submitter_id=by)


def prepared(folder: Path, *more: dict[str, Any], **options: Any) -> Path:
    """Prepare the talks, one a ticket from number 1 on, and more tickets; return the data set's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [ticket(number, *talk) for number, talk in enumerate(TALKS, 1)]
    export = write(folder / "export.json", lines(*rows, *more))
    prepare([export], folder / "set", PrepareOptions(**{"heldout": 0.0, "workers": 1, **options}))
    return folder / "set"
