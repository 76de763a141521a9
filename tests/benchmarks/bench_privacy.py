"""Messages a second, on one core, of cleaning and of masking over the real conversations beside the checkout.

    python tests/benchmarks/bench_privacy.py [--rounds 5] [--country US]

Processor time, so that other programs do not count; the best of some rounds. Every conversation gets three people of
its own, as an export's people fields give them. The target is 4,000 messages a second for masking. The last line is
one JSON object.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.tickets.cleaning import clean_message, is_auto_reply
from engine.tickets.privacy import ConversationMasker, PrivacyOptions

TICKETS = Path(__file__).parents[3] / "shared" / "tickets" / "zendesk_tickets.ndjson"
GIVEN = ("Ines", "Marcus", "Priya", "Jonas", "Lucía", "Åsa", "Tomasz", "Grace", "Mark", "Hélène")
FAMILY = ("Vale", "Oyelaran", "Raman", "Lindqvist", "Fernández", "Krüger", "Wiśniewski", "Moreau", "Bauer", "de Vries")


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--country", default="US")
    given = arguments.parse_args()

    comments = [json.loads(line)["comments"] for line in TICKETS.read_text(encoding="utf-8").splitlines()]
    plain = [[comment["body"] for comment in ticket] for ticket in comments]
    markup = [[comment["html_body"] for comment in ticket] for ticket in comments]
    messages = sum(map(len, plain))
    cleaned = [[clean_message(body, html=True) for body in ticket] for ticket in markup]

    def mask() -> int:
        found = 0
        for number, ticket in enumerate(cleaned):
            people = [f"{GIVEN[(number + step) % 10]} {FAMILY[(number * 7 + step) % 10]}" for step in range(3)]
            masker = ConversationMasker(PrivacyOptions(country=given.country), people)
            for text in ticket:
                masker.mask(text)
            found += len(masker.found)
        return found

    rates = {
        "clean_html": rate(
            lambda: [clean_message(body, html=True) for ticket in markup for body in ticket], messages, given.rounds
        ),
        "clean_text": rate(
            lambda: [clean_message(body, html=False) for ticket in plain for body in ticket], messages, given.rounds
        ),
        "is_auto_reply": rate(
            lambda: [is_auto_reply(text) for ticket in cleaned for text in ticket], messages, given.rounds
        ),
        "mask": rate(mask, messages, given.rounds),
    }
    characters = sum(len(text) for ticket in cleaned for text in ticket)
    print(f"{messages} messages of {characters / messages:.0f} characters, {mask()} values masked")
    for name, value in rates.items():
        print(f"{name:>14} {value:>9,.0f} messages/s")
    print(json.dumps({name: round(value) for name, value in rates.items()}))


def rate(work: Callable[[], object], messages: int, rounds: int) -> float:
    """Return the messages a second of the fastest round."""
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return messages / best


if __name__ == "__main__":
    main()
