from pathlib import Path

from tests.engine.tickets.exports import comment, lines, prepared, write, zendesk


def test_masked_terms_are_grouped_whatever_their_case_and_lead_to_their_places(tmp_path: Path) -> None:
    tickets = [
        zendesk(n, comment(7, f"Mail {who}, please, about {n}"), comment(9, f"{who} has been told about {n}."))
        for n, who in enumerate(["Jo@shop.example", "jo@shop.example", "al@shop.example"], start=1)
    ]
    _, data = prepared([write(tmp_path / "t.jsonl", lines(*tickets))], tmp_path / "out", heldout=0)
    terms, total = data.masked_terms(0, 9)
    assert [(term.term, term.times, term.tickets) for term in terms] == [
        ("Jo@shop.example", 4, 2),
        ("al@shop.example", 2, 1),
    ]
    assert total == 2 and terms[0].placeholders == ("[EMAIL_1]",)
    places = data.masked_places(terms[0].id, 3)
    assert [place.ticket for place in places] == ["1", "1", "2"]
    assert places[2].before == "Mail "
    assert data.masked_terms(0, 9, query="AL@")[1] == 1
    assert data.masked_terms(0, 9, kind="PHONE") == ([], 0)
    assert data.masked_terms(1, 1)[0][0].term == "al@shop.example"
    assert data.masked_places("nothing", 3) == []


def test_what_looks_like_a_name_is_a_list_of_its_own(tmp_path: Path) -> None:
    tickets = [
        zendesk(n, comment(7, f"The lamp is dark, said Geoff Moon {n} times"), comment(9, "Geoff Moon has been told."))
        for n in (1, 2)
    ]
    report, data = prepared([write(tmp_path / "t.jsonl", lines(*tickets))], tmp_path / "out", heldout=0)
    assert data.masked_terms(0, 9) == ([], 0)
    [suspect], total = data.masked_terms(0, 9, "SUSPECT")
    assert (suspect.term, suspect.times, suspect.tickets, total) == ("Geoff Moon", 4, 2, 1)
    assert data.term(suspect.id) == "Geoff Moon" and data.term("nothing") == ""
    assert data.masked_places(suspect.id, 9)[1].after == " has been told."
    assert report.redactions == {}
    _, again = prepared([tmp_path / "t.jsonl"], tmp_path / "out", heldout=0, extra_terms=("Geoff Moon",))
    assert again.masked_terms(0, 9, "SUSPECT")[1] == 0
    assert again.masked_terms(0, 9)[0][0].placeholders == ("[NAME_1]",)


def test_the_id_of_a_term_does_not_hold_the_term(tmp_path: Path) -> None:
    ticket = zendesk(1, comment(7, "Mail jo@shop.example"), comment(9, "It has been sent to you."))
    _, data = prepared([write(tmp_path / "t.jsonl", lines(ticket))], tmp_path / "out", heldout=0)
    [term], _ = data.masked_terms(0, 1)
    assert "jo" not in term.id and len(term.id) == 16
