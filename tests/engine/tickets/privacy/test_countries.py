from pathlib import Path

import pytest

from engine.errors import TicketsError
from engine.tickets.importing.detect import detect
from engine.tickets.importing.files.sources import find_sources
from engine.tickets.options import PrepareOptions
from engine.tickets.privacy.countries import COUNTRIES, guess_country
from tests.engine.tickets.exports import comment, lines, write, zendesk
from tests.engine.tickets.importing.hostile import grows_in_proportion


def export(tmp_path: Path, *words: str) -> Path:
    tickets = [zendesk(n, comment(7, said), comment(9, "It is on its way.")) for n, said in enumerate(words)]
    return write(tmp_path / "t.jsonl", lines(*tickets))


@pytest.mark.parametrize(
    ("words", "country"),
    [
        (["+49 170 1234567", "call +49-30-1234567", "0049 30 7654321", "+1 555 0100 200"], "DE"),
        (["a@shop.co.uk", "b@shop.co.uk", "c@mail.example.uk"], "GB"),
        (["+420 601 123 456", "+420 601 123 457", "+420 601 123 458"], "CZ"),
        (["+49 170 1234567", "+33 1 23 45 67 89", "+39 06 1234567", "+34 600 123 456"], ""),
        (["+49 170 1234567"], ""),
        (["a@start.io", "b@start.io", "c@start.io"], ""),
        (["nothing at all"], ""),
    ],
)
def test_the_country_is_guessed_from_prefixes_and_addresses_that_agree(
    tmp_path: Path, words: list[str], country: str
) -> None:
    assert guess_country(find_sources([export(tmp_path, *words)]))[0] == country


def test_the_guess_comes_with_its_evidence(tmp_path: Path) -> None:
    found = detect([export(tmp_path, "+49 170 1234567 or +49 170 1234568", "a@shop.de")])
    assert (found.country, found.country_evidence) == ("DE", "2 numbers with its prefix and 1 addresses")


@pytest.mark.parametrize("unit", ["a", "a.", "a@b.", "a@", "@", "+", "00", "+1 ", "0", "-"])
def test_the_guess_takes_time_in_proportion_to_the_text(tmp_path: Path, unit: str) -> None:
    def guess(text: str) -> tuple[str, str]:
        return guess_country(find_sources([write(tmp_path / "t.csv", f"question,answer\n{text},b\n")]))

    assert grows_in_proportion(guess, unit)


def test_every_country_to_choose_from_is_one_that_can_be_prepared_with() -> None:
    assert len(COUNTRIES) > 50
    for code in COUNTRIES:
        assert PrepareOptions(country=code).country == code
    with pytest.raises(TicketsError, match="country"):
        PrepareOptions(country="Germany")
