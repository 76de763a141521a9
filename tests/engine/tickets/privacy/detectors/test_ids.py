import pytest

from engine.tickets.privacy.detectors.forms import Forms
from engine.tickets.privacy.detectors.ids import find_labelled_ids
from engine.tickets.privacy.detectors.national_ids import find_national_ids
from engine.tickets.privacy.detectors.spans import Covered, without_overlaps

# Examples from the issuers' own documentation, or made with right checksums; none belongs to anybody.
BY_FORM = {
    "US social security": "078-05-1120",
    "Spain, DNI": "12345678Z",
    "Spain, NIE": "X1234567L",
    "Brazil, CPF": "529.982.247-25",
    "Brazil, CNPJ": "11.222.333/0001-81",
    "Italy": "RSSMRA85T10A562S",
    "China": "11010519491231002X",
    "India, Aadhaar": "2341 2341 2346",
    "Germany, in groups": "65 929 970 489",
    "Sweden": "811218-9876",
    "Finland": "131052-308T",
    "Norway": "15076500565",
    "France": "2 55 08 14 168 025 38",
    "Belgium": "85.07.30-033.28",
    "Switzerland": "756.9217.0769.85",
    "Czechia": "780123/3540",
    "Romania": "1800101221144",
    "Korea": "850505-1234567",
    "Argentina": "20-12345678-6",
    "Chile": "12.345.678-5",
    "Mexico": "HEGG560427MVZRRL04",
    "Britain, insurance": "AB 12 34 56 C",
}
AT_HOME = {
    "DE": "65929970489",
    "PL": "44051401359",
    "NL": "111222333",
    "GB": "943 476 5919",
    "TR": "10000000146",
    "HR": "33392005961",
    "ZA": "7802034800088",
    "BR": "52998224725",
}
LABELLED = [
    ("My SSN is {}, thanks", "123-45-6788"),
    ("passport number {}", "123456789"),
    ("My driving licence no. is {}.", "MORGA753116SM9IJ"),
    ("NHS number: {}", "943 476 5919"),
    ("VAT number GB {}", "123 4567 89"),
    ("Steuer-ID: {}", "12 345 678 903"),
    ("meine Steuer-ID lautet {}", "12345678903"),
    ("Personalausweis {}", "L01X00T47"),
    ("Sozialversicherungsnummer: {}", "65 170839 J 003"),
    ("NIR {}", "1 55 78 123 555 43"),
    ("numéro de passeport : {}", "12AB34567"),
    ("Mi DNI es {}", "12345678a"),
    ("CPF {}", "52998224726"),
    ("il mio codice fiscale è {}", "rssmra85t10a562x"),
    ("BSN: {}", "123456789"),
    ("mój PESEL to {}", "44051401358"),
    ("personnummer {}", "811218-9875"),
    ("CPR-nummer: {}", "010190-1234"),
    ("fødselsnummer {}", "010190 12345"),
    ("henkilötunnukseni on {}", "131052-308U"),
    ("rodné číslo: {}", "780123/3541"),
    ("ИНН {}", "500100732259"),
    ("СНИЛС: {}", "112-233-445 95"),
    ("TC kimlik no: {}", "10000000147"),
    ("身份证号：{}", "110105194912310021"),
    ("マイナンバーは{}です", "1234 5678 9012"),
    ("주민등록번호: {}", "850505-9234567"),
]


def by_form(text: str, country: str | None = None) -> list[str]:
    return [text[span.start : span.end] for span in find_national_ids(text, country, Covered())]


def labelled(text: str) -> list[str]:
    spans = without_overlaps(list(find_labelled_ids(Forms(text), Covered())))
    return [text[span.start : span.end] for span in spans]


@pytest.mark.parametrize("number", BY_FORM.values(), ids=BY_FORM)
def test_a_form_that_nothing_else_has_is_enough(number: str) -> None:
    assert by_form(f"it is {number}, please") == [number]
    assert by_form(f"order {number}") == []


@pytest.mark.parametrize(("country", "number"), AT_HOME.items(), ids=AT_HOME)
def test_plain_digits_with_a_checksum_count_at_home_only(country: str, number: str) -> None:
    assert by_form(f"it is {number}, please", country) == [number]
    assert by_form(f"it is {number}, please", "XX") == []


@pytest.mark.parametrize(("country", "number"), AT_HOME.items(), ids=AT_HOME)
def test_a_wrong_checksum_is_none(country: str, number: str) -> None:
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert by_form(f"it is {wrong}, please", country) == []


@pytest.mark.parametrize(("text", "number"), LABELLED, ids=[text for text, _ in LABELLED])
def test_a_label_is_enough_whatever_the_checksum(text: str, number: str) -> None:
    wanted = f"GB {number}" if text.startswith("VAT") else number
    assert labelled(text.format(number)) == [wanted]


@pytest.mark.parametrize(
    "text",
    [
        "Order 302-7654301-1234567 and ORD-0844683161",
        "Version 18.16.2.2749, build 20250304",
        "My passport expired in 2024 and the NHS 111 line is busy",
        "The tax number has a wrong format, and the ID card is in the post",
        "2025-03-04 10:11:12.123456 ERROR 4711",
        "12345678A and 123-45-67890 and 000-12-3456",
        "Sizes 120 200 300, amounts 1.234.567-8 and 12 345 678",
        "part 6036 2812 3456 7890 1234",
    ],
)
def test_other_numbers_are_none(text: str) -> None:
    assert by_form(text) == []
    assert labelled(text) == []
