import pytest

from engine.tickets.privacy.detectors.forms import Forms
from engine.tickets.privacy.detectors.introductions import find_introduced
from engine.tickets.privacy.detectors.suspects import find_suspects


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("my name is Ines Vale and the lamp is dark", "Ines Vale"),
        ("Hello, this is Ines speaking.", "Ines"),
        ("My wife Ines bought it", "Ines"),
        ("I asked my colleague Ines Vale yesterday", "Ines Vale"),
        ("Hi Ines,\nthe lamp is dark", "Ines"),
        ("Dear Ms Vale,\n\nthank you", "Vale"),
        ("It works now.\n\nThanks,\nInes Vale", "Ines Vale"),
        ("mein Name ist Ines Vale", "Ines Vale"),
        ("Liebe Ines,\ndanke", "Ines"),
        ("Hier spricht Ines von nebenan", "Ines"),
        ("je m'appelle Inès Vallon", "Inès Vallon"),
        ("Bonjour Inès,\nmerci", "Inès"),
        ("me llamo Inés", "Inés"),
        ("meu nome é Inês Vale", "Inês Vale"),
        ("mi chiamo Ines", "Ines"),
        ("ik heet Ines de Vale", "Ines de Vale"),
        ("nazywam się Inez Wal", "Inez Wal"),
        ("jag heter Ines", "Ines"),
        ("меня зовут Инна", "Инна"),
    ],
)
def test_people_are_met_where_hardly_anything_but_a_name_stands(text: str, name: str) -> None:
    assert list(find_introduced(Forms(text))) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "Hi Team,",
        "Dear Customer,",
        "Hello World!",
        "Hallo zusammen,",
        "Hi Support,\nmy wife is ill and my son on Yahoo gets no mail",
        "Good morning!\nSuddenly, it went dark",
        "This is Outlook 2016, this is Important",
        "Hi there, My colleague says no",
        "Dear Sir or Madam,",
        "Thanks,\nThe lamp is dark",
        "my name is misspelt",
        "Hello Thunderbird,",
        "Buongiorno Chiarimento",
    ],
)
def test_others_are_not_taken_for_people(text: str) -> None:
    assert list(find_introduced(Forms(text))) == []


def test_a_given_name_is_suspected_with_what_follows_it_and_never_inside_a_word() -> None:
    text = "Then Geoff Moon called. The Geoff-2 lamp of geoff, GEOFF@x and [NAME_1]."
    assert [text[start:end] for start, end in find_suspects(Forms(text))] == ["Geoff Moon"]
