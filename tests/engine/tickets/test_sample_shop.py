"""The sample shop's export, read with nothing but json: its shape, its facts, its size and its safe addresses."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ASSETS = Path(__file__).parents[3] / "assets"
GREETING = "Hello, you come in loud and clear!"
SIGN_OFF = "Stay tuned, your friends at the workbench"
AUTOMATIC = "This is an automatic reply"
TOPICS = {"returns", "warranty", "shipping", "repair", "account", "products", "billing", "loyalty"}
FACTS = {
    "R1": "43 days from delivery",
    "R2": "yellow card|6 working days",
    "W1": "7 years of warranty",
    "W2": "number under the foot",
    "S1": "Kestrel Post brings it, on Tuesdays and Fridays",
    "S2": "4 pounds 20, and free from 85 pounds",
    "P1": "9 Tannery Row, Marrowby",
    "P2": "26 pounds and takes 12 working days",
    "P3": "A knob is 3 pounds, an aerial 7, a battery 19",
    "A1": "a link, good for 25 minutes",
    "A2": "press Move House",
    "G1": "Hold both knobs for 9 seconds",
    "G2": "Charge the Wren for 5 hours",
    "B1": "due in 21 days|in three parts",
    "B2": "under Paper Drawer",
    "L1": "30 pips",
    "L2": "15 percent off",
    "H1": "Wednesday to Saturday, 10 to 5",
}

Ticket = dict[str, Any]


@pytest.fixture(scope="module")
def tickets() -> list[Ticket]:
    lines = (ASSETS / "sample_tickets.ndjson").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def answers(ticket: Ticket) -> list[str]:
    """What agents wrote to the customer by hand."""
    return [
        comment["body"]
        for comment in ticket["comments"]
        if comment["public"]
        and comment["author_id"] != ticket["requester_id"]
        and not comment["body"].startswith(AUTOMATIC)
    ]


def newest_tenth(tickets: list[Ticket]) -> list[Ticket]:
    return tickets[-(len(tickets) // 10) :]


def tickets_stating(fact: str, tickets: list[Ticket]) -> int:
    return sum(any(re.search(fact, answer) for answer in answers(ticket)) for ticket in tickets)


def test_there_are_enough_tickets_and_few_enough_to_train_in_minutes(tickets: list[Ticket]) -> None:
    assert 150 <= len(tickets) <= 250


def test_ids_and_dates_rise_over_about_six_months(tickets: list[Ticket]) -> None:
    ids = [ticket["id"] for ticket in tickets]
    dates = [ticket["created_at"] for ticket in tickets]
    assert ids == sorted(set(ids))
    assert dates == sorted(set(dates))
    assert (dates[0][:7], dates[-1][:7]) == ("2026-05", "2026-11")


def test_the_description_repeats_the_customers_first_comment(tickets: list[Ticket]) -> None:
    for ticket in tickets:
        first = ticket["comments"][0]
        assert ticket["description"] == first["body"]
        assert first["author_id"] == ticket["requester_id"]
        assert first["public"]


def test_eight_topics_are_even_and_all_in_the_newest_tenth(tickets: list[Ticket]) -> None:
    topics = Counter(tag for ticket in tickets for tag in ticket["tags"])
    assert set(topics) == TOPICS
    assert max(topics.values()) - min(topics.values()) <= 4
    assert {tag for ticket in newest_tenth(tickets) for tag in ticket["tags"]} == TOPICS


@pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS)
def test_every_fact_returns_often_and_once_more_in_the_newest_tenth(tickets: list[Ticket], fact: str) -> None:
    assert 8 <= tickets_stating(fact, tickets) <= 16
    assert tickets_stating(fact, newest_tenth(tickets)) >= 1


def test_the_page_about_the_shop_lists_every_fact() -> None:
    page = (ASSETS / "sample_shop.md").read_text(encoding="utf-8")
    for key, fact in FACTS.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| {key} |"))
        assert re.search(fact, row)


def test_every_answer_has_the_shops_greeting_and_sign_off(tickets: list[Ticket]) -> None:
    written = [answer for ticket in tickets for answer in answers(ticket)]
    plain = [answer for answer in written if not (answer.startswith(GREETING) and answer.endswith(SIGN_OFF))]
    assert plain == ["Gladly!"]


def test_no_question_and_no_answer_comes_twice(tickets: list[Ticket]) -> None:
    questions = [ticket["description"].casefold() for ticket in tickets]
    written = [answer.casefold() for ticket in tickets for answer in answers(ticket)]
    assert len(set(questions)) == len(questions)
    assert len(set(written)) == len(written)


def test_the_newest_customers_wrote_nothing_earlier(tickets: list[Ticket]) -> None:
    newest = newest_tenth(tickets)
    earlier = {ticket["requester_id"] for ticket in tickets[: -len(newest)]}
    assert not earlier & {ticket["requester_id"] for ticket in newest}


def test_the_untidy_parts_an_import_should_show_are_there(tickets: list[Ticket]) -> None:
    comments = [comment for ticket in tickets for comment in ticket["comments"]]
    markup = "".join(comment["html_body"] for comment in comments)
    assert sum(not answers(ticket) for ticket in tickets) == 6
    assert sum(not comment["public"] for comment in comments) == 8
    assert sum(comment["body"].startswith(AUTOMATIC) for comment in comments) == 3
    assert sum(len(answers(ticket)) > 1 for ticket in tickets) >= 20
    assert all(f"<{tag}" in markup for tag in ("ul", "a href", "blockquote"))


def test_addresses_and_numbers_belong_to_nobody(tickets: list[Ticket]) -> None:
    text = "\n".join(json.dumps(ticket, ensure_ascii=False) for ticket in tickets)
    hosts = {host.rstrip(".").lower() for host in re.findall(r"(?:@|//|\bwww\.)([\w.-]+)", text)}
    assert hosts == {"example.com", "example.org", "example.net"}
    assert not re.search(r"\b[\w-]+\.(?:co\.uk|de|fr|eu|io|uk)\b", text, re.IGNORECASE)
    bodies = "\n".join(comment["body"] for ticket in tickets for comment in ticket["comments"])
    # Ofcom's numbers for drama, the North American 555-01xx, and the card networks' test number.
    fictional = r"020 7946 0\d{3}|\+44 20 7946 0\d{3}|07700 900 \d{3}|555-01\d\d|4111(?: 1111){3}"
    numbers = re.findall(r"\+?\d[\d -]{6,}\d", bodies)
    assert len(numbers) >= 7
    assert [number for number in numbers if not re.fullmatch(fictional, number)] == []


def test_a_conversation_stays_short_on_average(tickets: list[Ticket]) -> None:
    """About 80 tokens a conversation is what two CPU cores learn twice in five minutes; 4.2 characters are a token."""
    sizes = [
        len(ticket["subject"]) + sum(len(comment["body"]) for comment in ticket["comments"] if comment["public"])
        for ticket in tickets
        if answers(ticket)
    ]
    assert 200 < sum(sizes) / len(sizes) < 90 * 4.2
