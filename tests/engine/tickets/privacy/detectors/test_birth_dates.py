import pytest

from engine.tickets.privacy.detectors.birth_dates import find_birth_dates
from engine.tickets.privacy.detectors.forms import Forms


def dates(text: str) -> list[str]:
    return [text[span.start : span.end] for span in find_birth_dates(Forms(text))]


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("Date of birth: {}", "12/03/1980"),
        ("my DOB is {}.", "1980-03-12"),
        ("born on {} in Leeds", "March 12th, 1980"),
        ("D.O.B. {}", "12.3.80"),
        ("geboren am {}", "12. März 1980"),
        ("Mein Geburtsdatum ist der {}", "12.03.1980"),
        ("née le {} à Lyon", "12 mars 1980"),
        ("Fecha de nacimiento: {}", "12 de marzo de 1980"),
        ("data de nascimento {}", "12/03/1980"),
        ("nata il {}", "12 marzo 1980"),
        ("geboortedatum: {}", "12-03-1980"),
        ("data urodzenia: {}", "12.03.1980 r"),
        ("född {}", "1980-03-12"),
        ("fødselsdato: {}", "12. marts 1980"),
        ("syntymäaika {}", "12.3.1980"),
        ("született: {}", "1980. március 12"),
        ("дата рождения {}", "12.03.1980"),
        ("doğum tarihi: {}", "12 Mart 1980"),
        ("生年月日：{}", "1980年3月12日"),
        ("出生日期: {}", "1980-03-12"),
        ("생년월일 {}", "1980년 3월 12일"),
    ],
)
def test_a_date_that_is_called_one_is_a_date_of_birth(text: str, date: str) -> None:
    assert dates(text.format(date)) == [date.removesuffix(" r")]


def test_full_width_digits_are_digits() -> None:
    assert dates("生年月日：１９８０/０３/１２") == ["１９８０/０３/１２"]


@pytest.mark.parametrize(
    "text",
    [
        "The parcel came on 12/03/2025.",
        "Our birthday discount until 12.03.2025 is over",
        "born to be wild since 12",
        "The date of birth field is empty, see 12.03.2025",
    ],
)
def test_any_other_date_stays(text: str) -> None:
    assert dates(text) == []
