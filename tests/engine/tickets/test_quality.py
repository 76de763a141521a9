from pathlib import Path

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
    assert quality["canned"] == [{"answer": LONG, "times": 8}]
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
