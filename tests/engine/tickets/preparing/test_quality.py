import random
from pathlib import Path

import pytest

from engine.tickets.preparing.oddities import leftover, mark_of, unfilled
from tests.engine.tickets.exports import comment, lines, prepared, write, zendesk

LONG = "Please open the settings, choose the account, and press the blue button to confirm the change."


def test_too_few_are_called_too_few(tmp_path: Path) -> None:
    tickets = [zendesk(number, requester_id=100 + number) for number in range(12)]
    report, _ = prepared([write(tmp_path / "t.jsonl", lines(*tickets))], tmp_path / "out")
    quality = report.quality
    assert quality["verdict"] == "poor"
    assert "Too few to train: 12; at least 50 are wanted." in quality["headline"]


def test_topics_come_from_tags_or_else_from_words(tmp_path: Path) -> None:
    tickets = [
        zendesk(number, requester_id=100 + number, tags=["billing"], subject="Invoice wrong") for number in range(9)
    ]
    tagged, _ = prepared([write(tmp_path / "a.jsonl", lines(*tickets))], tmp_path / "a")
    assert (tagged.quality["topics"], tagged.quality["topics_from"]) == ([["billing", 9]], "tags")
    mixed = [
        {**ticket, "tags": [], "subject": "Invoice wrong" if ticket["id"] < 4 else "Parcel lost"} for ticket in tickets
    ]
    bare, _ = prepared([write(tmp_path / "b.jsonl", lines(*mixed))], tmp_path / "b")
    assert ["parcel", 5] in bare.quality["topics"] and ["invoice", 4] in bare.quality["topics"]


def test_canned_share_and_contradictions_are_shown(tmp_path: Path) -> None:
    tickets = [
        zendesk(n, comment(100 + n, f"Question {n} about thing{n}?"), comment(9, LONG), requester_id=100 + n)
        for n in range(8)
    ]
    odd = [
        "No, the warranty ends after one year and covers neither glass nor cable.",
        "Yes of course, we exchange lamps for three years without asking why.",
    ]
    for number, answer in enumerate(odd, start=50):
        tickets.append(
            zendesk(
                number,
                comment(number, "How long does the warranty of the lamp last?"),
                comment(9, answer),
                requester_id=number,
                subject="",
            )
        )
    report, _ = prepared([write(tmp_path / "t.jsonl", lines(*tickets))], tmp_path / "out", heldout=0)
    quality = report.quality
    assert quality["canned"] == [{"answer": LONG, "times": 8, "kept": 8}]
    assert quality["near_identical_share"] == 0.8
    (found,) = quality["contradictions"]
    assert found["tickets"] == ["50", "51"] and len(found["answers"]) == 2
    texts = " ".join(finding["text"] for finding in quality["findings"])
    assert (
        "80 % of the answers are copies" in texts and "answered differently" in texts and "Nothing is held out" in texts
    )


def test_histograms_count_every_answer(tmp_path: Path) -> None:
    tickets = [zendesk(number, requester_id=100 + number) for number in range(12)]
    report, _ = prepared([write(tmp_path / "t.jsonl", lines(*tickets))], tmp_path / "out")
    assert sum(report.quality["answer_histogram"]) == sum(report.quality["question_histogram"]) == 12
    assert len(report.quality["edges"]) == len(report.quality["answer_histogram"])


HOLDING = [
    "Thank you for your message, one of our colleagues will get back to you as soon as possible.",
    "We are sorry for the delay and are looking into this with the team that is responsible.",
    "Your request has reached us and waits in line; please do not write again in the meantime.",
]


def test_a_set_of_holding_sentences_alone_is_not_called_good(tmp_path: Path) -> None:
    chats = [
        {
            "messages": [
                {"role": "user", "content": f"Where is order {n} of thing{n} about{n}?"},
                {"role": "assistant", "content": HOLDING[n % 3]},
            ]
        }
        for n in range(240)
    ]
    report, _ = prepared([write(tmp_path / "t.jsonl", lines(*chats))], tmp_path / "out")
    quality = report.quality
    assert report.conversations_kept == 240
    assert quality["near_identical_share"] == 1.0
    assert [(entry["times"], entry["kept"]) for entry in quality["canned"]] == [(80, 80)] * 3
    assert quality["verdict"] == "poor"
    assert "100 % of the answers are copies of each other, 3 different ones in all" in quality["headline"]


def test_a_canned_answer_is_listed_with_its_true_number_from_old_to_new(tmp_path: Path) -> None:
    tickets = [
        zendesk(
            n,
            comment(100 + n, f"Question {n} about thing{n} and matter{n}?", created_at=f"2024-01-{1 + n % 28:02}"),
            comment(9, LONG if n % 2 else f"Take part{n} of shelf{n}, turn it to side{n}, and press knob{n} hard."),
            requester_id=100 + n,
            created_at=f"2024-{1 + n // 28:02}-{1 + n % 28:02}T10:00:00Z",
        )
        for n in range(80)
    ]
    report, _ = prepared([write(tmp_path / "t.jsonl", lines(*tickets))], tmp_path / "out")
    assert report.dropped == {"same answer as many others": 20}
    assert report.quality["canned"] == [{"answer": LONG, "times": 40, "kept": 20}]
    assert report.quality["near_identical_share"] == round(20 / 60, 3)


def test_answers_of_a_word_and_links_alone_are_a_finding_and_the_worst_comes_first(tmp_path: Path) -> None:
    thin = ["apparently.", "See https://shop.example/help/1", "Sure thing!"]
    tickets = [
        zendesk(
            n,
            comment(100 + n, f"Question {n} about thing{n} and matter{n}?"),
            comment(9, thin[n % 3] if n < 6 else f"Take part{n} of shelf{n}, turn it to side{n}, and press knob{n}."),
            requester_id=100 + n,
        )
        for n in range(60)
    ]
    report, _ = prepared([write(tmp_path / "t.jsonl", lines(*tickets))], tmp_path / "out")
    levels = [finding["level"] for finding in report.quality["findings"]]
    assert levels == sorted(levels, key=["poor", "fair", "good"].index)
    texts = [finding["text"] for finding in report.quality["findings"] if finding["level"] == "fair"]
    assert any("6 answers are a word or two, or a link alone" in text for text in texts)
    assert report.quality["headline"].startswith(f"Usable, with {len(texts)} things to know")


def test_languages_are_named_as_what_they_are(tmp_path: Path) -> None:
    asked = {
        "it": "Buongiorno, vorrei sapere quando arriva la mia lampada, grazie mille.",
        "nl": "Goedemiddag, ik wil graag weten wanneer mijn lamp wordt bezorgd, alvast bedankt.",
    }
    tickets = [
        zendesk(n, comment(100 + n, text), comment(9, f"{LONG} {n}"), requester_id=100 + n, subject="")
        for n, text in enumerate([asked["it"]] * 6 + [asked["nl"]], 1)
    ]
    report, _ = prepared([write(tmp_path / "t.jsonl", lines(*tickets))], tmp_path / "out")
    assert any("Italian 86 %, Dutch 14 %" in finding["text"] for finding in report.quality["findings"])


def test_tags_of_equal_frequency_stand_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    """And not in that of a set of words, which is another one in every process."""
    tags = [f"tag-{number}" for number in (7, 3, 9, 1, 8, 2, 6, 4)]
    report, _ = prepared([write(tmp_path / "t.jsonl", lines(zendesk(1, tags=tags)))], tmp_path / "out", heldout=0)
    assert list(report.tags) == tags and [topic for topic, _ in report.quality["topics"]] == tags


def told(report_findings: list[dict[str, str]], part: str) -> str:
    return next((entry["text"] for entry in report_findings if part in entry["text"]), "")


def test_what_nobody_wrote_is_named(tmp_path: Path) -> None:
    answers = ["Your order {{Order Number}} left us.", "See <image> for the lid.", "Press it gently.", "Turn the lid."]
    rows = [
        zendesk(
            n, comment(n, f"Where is lamp {n}?"), comment(9, f"{answer} {n}"), requester_id=n, subject=f"[lamps] {n}"
        )
        for n, answer in enumerate(answers * 3, start=100)
    ]
    findings = prepared([write(tmp_path / "t.jsonl", lines(*rows))], tmp_path / "out")[0].quality["findings"]
    assert "3 conversations hold placeholders that nobody filled, such as {{Order Number}}" in told(findings, "filled")
    assert "'<image>'" in told(findings, "in place of pictures")
    assert "begin with [lamps]" in told(findings, "subjects")
    assert not told(findings, "at random")


def test_places_in_addresses_and_code_are_not_called_unfilled() -> None:
    texts = ["GET /users/{user_id}", "f'{name}'", "`{token}`", "if (a) {return}", "${HOME}"]
    assert [text for text in texts if unfilled([text])] == []
    assert unfilled(["Hi {first_name}, thanks"]) == "{first_name}"
    assert unfilled(["Dear [Customer Name],"]) == "[Customer Name]"


def test_answers_of_random_words_are_not_ready(tmp_path: Path) -> None:
    dice = random.Random(1)
    pool = ["case", "maybe", "show", "recently", "computer", "follow", "west", "decision", "evidence", "bit", "join"]

    def answer(n: int) -> str:
        return " ".join(dice.choice(pool) for _ in range(30)).capitalize() + f" {n}."

    rows = [
        zendesk(n, comment(n, f"Why does the lamp {n} flicker in the evening?"), comment(9, answer(n)), requester_id=n)
        for n in range(100, 130)
    ]
    quality = prepared([write(tmp_path / "t.jsonl", lines(*rows))], tmp_path / "out")[0].quality
    assert told(quality["findings"], "drawn at random")


@pytest.mark.parametrize(
    "place",
    [
        *("{{Order Number}}", "{product_purchased}", "{vorname}", "{Customer First Name}", "{!Contact.FirstName}"),
        *("{$client_name}", "${customer.name}", "<first name>", "<insert name>", "[Your Name]", "[CUSTOMER_NAME]"),
        *("[Name]", "%%FIRST NAME%%", "%FIRST_NAME%", "*|FNAME|*"),
    ],
)
def test_a_place_that_nobody_filled_is_found_in_whatever_template_it_is_written(place: str) -> None:
    assert unfilled([f"Hi {place}, your lamp is on its way."]) == place


@pytest.mark.parametrize(
    "text",
    [
        *("```\n{{ user.name }}\n```", "Vec<number> holds", "save it as <name>.txt", "row[name] is empty"),
        *("see [name](https://shop.example)", "[NAME_1] wrote", "in `{name}` it stands"),
    ],
)
def test_code_and_links_hold_no_places_to_fill(text: str) -> None:
    assert unfilled([text]) == ""


@pytest.mark.parametrize(
    "text",
    [
        *("[image0.jpeg]", "[inline image]", "A non-text attachment was scrubbed...", "<attached: lamp.jpg>"),
        *("<Media omitted>", "Look:\n<video>\n", "\ufffc"),
    ],
)
def test_what_stands_for_a_picture_is_found(text: str) -> None:
    assert leftover([text]) and not leftover(["Write <video> and </video> around it, [1] as well."])


def test_a_forums_mark_is_found_behind_any_number_of_re() -> None:
    assert {mark_of(f"{before}[lamps] Bulb") for before in ("", "Re: ", "RE: AW: ", "Fwd: Re:")} == {"[lamps]"}
