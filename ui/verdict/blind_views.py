"""The blind test as it is read: a ticket with two nameless answers, and what all votes say."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from engine.verdict.blind import BlindTest
from ui.parts import NOTHING, bar_of, join

BUTTONS = (
    ("first", "Answer 1", "1"),
    ("second", "Answer 2", "2"),
    ("tie", "Equally good", "0"),
    ("both bad", "Both bad", "b"),
)
"""Choice, what its button says, and its key."""


def card(test: BlindTest) -> Markup:
    """Show the next ticket of a voter; at the end that there is none."""
    ticket = test.next
    if ticket is None:
        return Markup('<p class="sentence">Thank you: you have read all {:,} tickets.</p>').format(test.total)
    asked = join([Markup("<p>{}</p>").format(text) for text in ticket.asked[-3:]])
    answers = join(
        [
            Markup('<section class="verdict-pane"><h4>Answer {}</h4><p class="said">{}</p></section>').format(
                number, text.strip() or "(nothing)"
            )
            for number, text in enumerate((ticket.first, ticket.second), 1)
        ]
    )
    buttons = join(
        [
            Markup(
                '<button type="button" class="button" data-do="vote" data-choice="{}" data-ticket="{}" '
                'data-key="vote-{}">{} <kbd>{}</kbd></button>'
            ).format(choice, ticket.ticket, choice.replace(" ", "-"), label, key)
            for choice, label, key in BUTTONS
        ]
    )
    return Markup(
        '<div class="blind-card" tabindex="-1" role="group" aria-label="Ticket {} of {}">{}'
        '<div class="verdict-asked">{}</div><div class="blind-answers">{}</div>'
        '<div class="blind-buttons">{}</div></div>'
    ).format(
        test.done + 1,
        test.total,
        bar_of(test.done / test.total, f"{test.done} of {test.total}"),
        asked,
        answers,
        buttons,
    )


def tally(counted: Mapping[str, Any]) -> Markup:
    """Say what the votes say; nothing before the first."""
    if not counted.get("votes"):
        return NOTHING
    share, agreed = counted["share"], counted["agreement"]
    told = [
        f"The tuned model has {share['mean']:.0%} of the votes, between {share['low']:.0%} and {share['high']:.0%}; "
        f"{counted['ties']} ties, {counted['both_bad']} both bad."
    ]
    if agreed is not None:
        told.append(f"Two people who read the same ticket chose the same in {agreed:.0%} of the cases.")
    return Markup('<div><p><strong>{}</strong></p><p class="quiet">{}</p></div>').format(
        counted["sentence"], " ".join(told)
    )
