import pytest

from engine.tickets.privacy.detectors.numbers import find_ibans, find_numbers
from engine.tickets.privacy.detectors.spans import Covered


def numbers(text: str, country: str | None = None) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in find_numbers(text, country, Covered())]


@pytest.mark.parametrize(
    ("country", "text"),
    [
        ("US", "(212) 555-0187"),
        ("US", "1-800-555-0175"),
        ("GB", "020 7946 0412"),
        ("DE", "0221/4710-123"),
        ("DE", "+49 (0)30 23125-177"),
        ("FR", "01.99.00.47.11"),
        ("ES", "612 34 56 78"),
        ("IT", "347 123 4567"),
        ("NL", "06 12345678"),
        ("PL", "22 123 45 67"),
        ("BR", "(11) 91234-5678"),
        ("SE", "070-174 06 58"),
        ("JP", "090-1234-5678"),
        ("CN", "138 1234 5678"),
        (None, "+34 912 345 678"),
        ("IN", "98765 43210"),
        ("CN", "18911192389"),
        ("BR", "11912345678"),
        ("US", "2125550123"),
        (None, "0049 30 23125 133"),
    ],
)
def test_numbers_in_their_countrys_form_are_telephones(country: str | None, text: str) -> None:
    assert numbers(f"{text} please", country) == [("PHONE", text)]


@pytest.mark.parametrize(
    "text",
    [
        "order 0301234567",
        "Ticket #0301234567",
        "Bestellung Nr. 030 1234567",
        "commande n° 0639981452",
        "заказ № 4951234567",
    ],
)
def test_what_the_words_before_call_an_order_stays(text: str) -> None:
    assert numbers(text, "DE") == []


@pytest.mark.parametrize(
    "text",
    [
        "26.08.2025",
        "2025-08-26 11:42",
        "1.234.567,89",
        "12 345 678 points",
        "40.712776",
        "1200-1500 g",
        "10-20-30",
        "1 200 000",
        "18.16.2.2749",
        "ORD-0844683161",
        "REF_2125550123",
        "302-7654301-1234567",
    ],
)
def test_dates_amounts_and_sizes_are_no_telephones(text: str) -> None:
    for country in ("US", "DE", "ES", None):
        assert numbers(text, country) == []


def test_a_number_that_is_announced_needs_no_form() -> None:
    assert numbers("Call me: 98765 43210") == [("PHONE", "98765 43210")]
    assert numbers("My order: 98765 43210") == []


def test_two_numbers_in_a_row_are_two() -> None:
    assert numbers("212-555-0187 212-555-0188", "US") == [("PHONE", "212-555-0187"), ("PHONE", "212-555-0188")]


@pytest.mark.parametrize("card", ["4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005", "6011000990139424"])
def test_cards_pass_their_checksum(card: str) -> None:
    assert numbers(f"paid with {card}.") == [("CARD", card)]
    wrong = card[:-1] + str((int(card[-1]) + 1) % 10)
    assert numbers(f"paid with {wrong}.") == []


@pytest.mark.parametrize(
    "card", ["4111.1111.1111.1111", "4111  1111  1111  1111", "4111\n1111\n1111\n1111", "3782/822463/10005"]
)
def test_cards_are_cards_whatever_divides_their_groups(card: str) -> None:
    assert numbers(f"paid with {card} today") == [("CARD", card)]


def test_a_card_written_in_groups_is_masked_even_after_an_order() -> None:
    assert numbers("order 4111 1111 1111 1111") == [("CARD", "4111 1111 1111 1111")]
    assert numbers("order 4111111111111111") == []


@pytest.mark.parametrize(
    "iban",
    [
        "DE89 3704 0044 0532 0130 00",
        "GB29NWBK60161331926819",
        "NL91 ABNA 0417 1643 00",
        "fr14 2004 1010 0505 0001 3m02 606",
        "DE89.3704.0044.0532.0130.00",
        "DE89  3704  0044  0532  0130  00",
        "DE 89 3704 0044 0532 0130 00",
        "DE89/3704/0044/0532/0130/00",
        "DE89\n3704\n0044\n0532\n0130\n00",
    ],
)
def test_ibans_pass_their_checksum_and_end_where_they_end(iban: str) -> None:
    text = f"to {iban} today"
    assert [text[span.start : span.end] for span in find_ibans(text)] == [iban]
    wrong = iban[:-1] + str((int(iban[-1]) + 1) % 10)
    assert list(find_ibans(f"to {wrong} today")) == []


def test_the_word_iban_may_be_glued_to_the_number() -> None:
    text = "IBANDE89370400440532013000"
    assert [text[span.start : span.end] for span in find_ibans(text)] == ["DE89370400440532013000"]


@pytest.mark.parametrize(
    "text",
    [
        *("303-555-0100 + 2 = 5", "212 555 0123 * 4", "x = 2125550123 - 5", "2125550100 + 2125550123 = 4251100223"),
        *("return 2125550123;", "uint32_t n = 4155550123;", "SELECT * FROM t WHERE id = 4155550123"),
        *("for (i = 0; i < 2125550123; i++)", "if (size >= 2125550123)"),
    ],
)
def test_arithmetic_and_code_hold_no_telephones(text: str) -> None:
    assert numbers(text, "US") == []


@pytest.mark.parametrize("text", ["Phone = 2125550123", "call 2125550123 - ask for Ann", "212-555-0123 / 212-555-0100"])
def test_telephones_beside_such_signs_are_masked_all_the_same(text: str) -> None:
    assert numbers(text, "US")
