"""The masker, and its precision and recall on the set under data/.

privacy_cases.jsonl: invented messages in 19 languages; ``<<KIND:words>>`` marks what a person would mask. The rules
were tuned on all cases but those with ``held_out``; the floors are what was reached on 2026-11-22, each set on its own.
First tries, before tuning: 91 % precision and 88 % recall on the second hundred, 97 % and 92 % on the third sixty.
"""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.tickets.privacy.masking import ConversationMasker, PrivacyOptions
from tests.benchmarks.privacy_set import KINDS, clean, labelled
from tests.engine.tickets.importing.hostile import PRIVATE_UNITS, grows_in_proportion, seconds

CASES = Path(__file__).parent / "data" / "privacy_cases.jsonl"
MARK = re.compile(r"<<([A-Z]+):(.+?)>>", re.DOTALL)
PLACEHOLDER = re.compile(r"\[[A-Z]+_\d+\]")

# kind: (precision, recall)
TUNED_FLOORS = {
    "EMAIL": (1.0, 1.0),
    "PHONE": (1.0, 1.0),
    "CARD": (0.88, 1.0),
    "IBAN": (1.0, 1.0),
    "IP": (1.0, 1.0),
    "KEY": (1.0, 1.0),
    "PASSWORD": (1.0, 1.0),
    "NAME": (0.98, 0.97),
    "ID": (1.0, 1.0),
    "USER": (1.0, 1.0),
}
HELD_OUT_FLOORS = {
    "EMAIL": (1.0, 1.0),
    "PHONE": (1.0, 1.0),
    "CARD": (1.0, 1.0),
    "IBAN": (1.0, 1.0),
    "IP": (0.5, 1.0),
    "KEY": (1.0, 1.0),
    "PASSWORD": (1.0, 0.85),
    "NAME": (1.0, 1.0),
    "USER": (1.0, 1.0),
}


def cases(*, held_out: bool) -> list[dict[str, Any]]:
    read = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    return [case for case in read if case.get("held_out", False) is held_out]


def expected(marked: str) -> tuple[str, set[tuple[str, int, int]]]:
    """Take the marks off; return the text and (kind, start, end) of each."""
    text, spans, position = "", set(), 0
    for match in MARK.finditer(marked):
        text += marked[position : match.start()]
        spans.add((match[1], len(text), len(text) + len(match[2])))
        text += match[2]
        position = match.end()
    return text + marked[position:], spans


def found(case: dict[str, Any], text: str) -> set[tuple[str, int, int]]:
    """Mask a text; return (kind, start, end) of each placeholder, in the places of the original."""
    masker = ConversationMasker(PrivacyOptions(country=case["country"]), case["people"])
    masked = masker.mask(text)
    spans, shift, redactions = set(), 0, iter(masker.found)
    kept = {match[0] for match in PLACEHOLDER.finditer(text)}
    for match in PLACEHOLDER.finditer(masked):
        if match[0] in kept:
            continue
        redaction = next(redactions)
        start = match.start() + shift
        spans.add((redaction.kind, start, start + len(redaction.original)))
        shift += len(redaction.original) - len(match[0])
    return spans


@pytest.mark.parametrize(("held_out", "floors"), [(False, TUNED_FLOORS), (True, HELD_OUT_FLOORS)])
def test_precision_and_recall_stay_at_what_was_reached(held_out: bool, floors: dict[str, tuple[float, float]]) -> None:
    right, wrong, missed = Counter[str](), Counter[str](), Counter[str]()
    for case in cases(held_out=held_out):
        text, wanted = expected(case["marked"])
        got = found(case, text)
        right.update(kind for kind, *_ in got & wanted)
        wrong.update(kind for kind, *_ in got - wanted)
        missed.update(kind for kind, *_ in wanted - got)
    reached = {
        kind: (right[kind] / (right[kind] + wrong[kind]), right[kind] / (right[kind] + missed[kind])) for kind in floors
    }
    assert set(right) | set(wrong) | set(missed) == set(floors)
    for kind, (precision, recall) in floors.items():
        assert reached[kind] >= (precision, 0), (kind, reached[kind])
        assert reached[kind][1] >= recall, (kind, reached[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_what_carries_a_label_is_found_whole_in_every_language(kind: str) -> None:
    for sample in labelled(seed=3, per_language=8):
        if sample.kind == kind:
            masker = ConversationMasker(PrivacyOptions(country=sample.country), sample.people)
            masker.mask(sample.text)
            found = {(redaction.kind, redaction.original.rstrip(".")) for redaction in masker.found}
            assert (kind, sample.value.rstrip(".")) in found, sample


def test_clean_messages_keep_their_words() -> None:
    for sample in clean(seed=3, count=150):
        masker = ConversationMasker(PrivacyOptions(country=sample.country), sample.people)
        assert masker.mask(sample.text) == sample.text


def test_the_set_is_as_wide_as_it_says() -> None:
    everything = cases(held_out=False) + cases(held_out=True)
    without_any = [case for case in everything if not MARK.search(case["marked"])]
    assert len(everything) >= 450
    assert len({case["language"] for case in everything}) >= 19
    assert len(without_any) >= 130
    assert len({case["id"] for case in everything}) == len(everything)


def test_one_value_has_one_placeholder_in_all_messages_of_a_conversation() -> None:
    masker = ConversationMasker(PrivacyOptions(country="DE"), ["Ines Vale"])
    assert masker.mask("Ines Vale, INES@lamps.example, 030 23125 148") == "[NAME_1], [EMAIL_1], [PHONE_1]"
    assert masker.mask("Hallo Ines: ines@lamps.example, b@lamps.example, 030/23125-148") == (
        "Hallo [NAME_1]: [EMAIL_1], [EMAIL_2], [PHONE_1]"
    )


def test_numbering_starts_again_with_every_conversation() -> None:
    for _ in range(2):
        assert ConversationMasker(PrivacyOptions()).mask("a@lamps.example") == "[EMAIL_1]"


def test_every_redaction_is_remembered_with_what_stood_around_it() -> None:
    masker = ConversationMasker(PrivacyOptions())
    masker.mask("x" * 50 + " write to a@lamps.example before noon")
    (redaction,) = masker.found
    assert (redaction.kind, redaction.placeholder, redaction.original) == ("EMAIL", "[EMAIL_1]", "a@lamps.example")
    assert redaction.before == "x" * 30 + " write to "
    assert redaction.after == " before noon"


def test_masking_twice_changes_nothing_more() -> None:
    for case in cases(held_out=False):
        text, _ = expected(case["marked"])
        options = PrivacyOptions(country=case["country"])
        once = ConversationMasker(options, case["people"]).mask(text)
        assert ConversationMasker(options, case["people"]).mask(once) == once, case["id"]


def test_numbers_of_placeholders_that_are_there_are_not_given_out_again() -> None:
    assert ConversationMasker(PrivacyOptions()).mask("[EMAIL_3] and a@lamps.example") == "[EMAIL_3] and [EMAIL_4]"


def test_allowed_terms_stay_in_any_case() -> None:
    options = PrivacyOptions(allow=("outlook", "HELP@lamps.example", "@shop.example", "Vale"))
    masker = ConversationMasker(options, ["Otto Outlook", "Ines Vale"])
    text = "Outlook: help@lamps.example, a@shop.example, Vale"
    assert masker.mask(text) == text
    assert masker.mask("b@lamps.example") == "[EMAIL_1]"


def test_own_terms_go_in_any_case_but_only_as_words() -> None:
    masker = ConversationMasker(PrivacyOptions(extra=("project k-7", "Zephyrine Okoro")))
    assert masker.mask("PROJECT K-7 and project k-77; zephyrine okoro") == "[TERM_1] and project k-77; [NAME_1]"


def test_of_two_finds_that_overlap_the_longer_one_stays() -> None:
    masker = ConversationMasker(PrivacyOptions(), ["Ines Vale"])
    assert masker.mask("Ines.Vale@lamps.example") == "[EMAIL_1]"


def test_a_link_stays_a_link_unless_it_holds_an_address_or_a_token() -> None:
    masker = ConversationMasker(PrivacyOptions(country="US"), ["Ines Vale"])
    plain = "https://lamps.example/Vale/2125550187?order=4111111111111111"
    assert masker.mask(plain) == plain
    assert masker.mask("https://lamps.example/?mail=a@b.example&x=1") == "https://lamps.example/?mail=[EMAIL_1]&x=1"


@pytest.mark.parametrize(
    ("country", "text", "masked"),
    [
        ("JP", "電話０９０\u2212１２３４\u2212５６７８です", "電話[PHONE_1]です"),
        (None, "４１１１ １１１１ １１１１ １１１１", "[CARD_1]"),
        (None, "https://lamps.example/out?e=jo%40customer.example", "https://lamps.example/out?e=[EMAIL_1]"),
        (None, "user/pass: admin / S3cret!", "user/pass: admin / [PASSWORD_1]"),
        (None, "NIR 1 55 78 123 555 43", "NIR [ID_1]"),
        ("DE", "Geburtsdatum: 12.03.1980, Login: bob77", "Geburtsdatum: [BIRTHDATE_1], Login: [USER_1]"),
        (None, "I live at 12 Rose Lane, Leeds LS1 4AP.", "I live at [ADDRESS_1]."),
        ("US", "Order 302-7654301-1234567, ORD-0844683161", "Order 302-7654301-1234567, ORD-0844683161"),
    ],
)
def test_finders_leave_each_other_whole_values(country: str | None, text: str, masked: str) -> None:
    assert ConversationMasker(PrivacyOptions(country=country)).mask(text) == masked


def test_people_who_stand_in_no_field_are_masked_once_they_are_met() -> None:
    masker = ConversationMasker(PrivacyOptions())
    texts = ["The lamp that Ines wanted is dark.", "Hi Ines,\nplease wait.", "my wife Ines Vale says thanks"]
    masker.meet(texts)
    assert [masker.mask(text) for text in texts] == [
        "The lamp that [NAME_1] wanted is dark.",
        "Hi [NAME_1],\nplease wait.",
        "my wife [NAME_2] says thanks",
    ]


def test_what_looks_like_a_name_is_told_and_stays() -> None:
    masker = ConversationMasker(PrivacyOptions(allow=("Roger",)))
    masked = masker.mask("Then Geoff Moon and Roger called a@lamps.example.")
    assert "Geoff Moon" in masked
    [suspect] = masker.suspected
    assert (suspect.words, suspect.before, suspect.after) == ("Geoff Moon", "Then ", " and Roger called [EMAIL_1].")
    idle = ConversationMasker(PrivacyOptions(enabled=False))
    idle.mask("Then Geoff Moon called")
    assert idle.suspected == []


def test_numbers_of_orders_and_customers_go_by_choice() -> None:
    text = "Order 302-7654301-1234567, Kundennummer: 4471123, invoice no. RE-2025-0041, line 4711"
    assert ConversationMasker(PrivacyOptions()).mask(text) == text
    assert ConversationMasker(PrivacyOptions(numbers=True)).mask(text) == (
        "Order [NUMBER_1], Kundennummer: [NUMBER_2], invoice no. [NUMBER_3], line 4711"
    )


def test_switched_off_it_changes_nothing() -> None:
    masker = ConversationMasker(PrivacyOptions(enabled=False), ["Ines Vale"])
    assert masker.mask("Ines Vale a@lamps.example") == "Ines Vale a@lamps.example"
    assert masker.found == []


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_any_string_is_masked_without_an_error(text: str) -> None:
    masker = ConversationMasker(PrivacyOptions(country="DE", extra=("k",), allow=("x",)), ["Ines Vale", "田中太郎"])
    masked = masker.mask(text)
    assert masked == text or masker.found


_PIECES = st.sampled_from(
    [
        *("a@b.example", "030 23125 148", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "203.0.113.9", " "),
        *(
            "password: hunter2",
            "Ines",
            "Vale",
            "https://l.example/?token=a1b2c3d4e5f6g7",
            "\n",
            ",",
            "[EMAIL_1]",
            "Hi ",
        ),
        *("sk-EXAMPLE0example1EXAMPLE2", "-----BEGIN PRIVATE KEY-----", "田中太郎", "order 12345678", "'", '"', "(at)"),
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_PIECES, max_size=12))
def test_the_original_can_be_put_together_from_text_and_finds(parts: list[str]) -> None:
    text = "".join(parts)
    masker = ConversationMasker(PrivacyOptions(country="DE"), ["Ines Vale", "田中太郎"])
    masked = masker.mask(text)
    originals = iter(masker.found)
    already = set(PLACEHOLDER.findall(text))
    restored = PLACEHOLDER.sub(lambda match: match[0] if match[0] in already else next(originals).original, masked)
    assert restored == text


@pytest.mark.parametrize("unit", PRIVATE_UNITS)
@pytest.mark.parametrize("tail", ["", "@b.co"])
def test_hostile_text_is_masked_in_bounded_time(unit: str, tail: str) -> None:
    options = PrivacyOptions(country="DE", extra=("Extra", "project k-7"), allow=("@b.co",))
    people = ["Anna Schmidt", "Mark Will", "田中太郎", "de la Cruz, María José", "user77431"]
    assert grows_in_proportion(lambda text: ConversationMasker(options, people).mask(text), unit, tail)


def test_thousands_of_people_cost_one_index() -> None:
    people = frozenset(
        f"Given{number:04d}x Family{number:04d}x".replace("0", "o").translate(_LETTERS) for number in range(5000)
    )
    few = frozenset(sorted(people)[:5])
    many, little = (min(_masking(names) for _ in range(5)) for names in (people, few))
    assert many < 20 * little


def _masking(people: frozenset[str]) -> float:
    """How long conversations take once the index of their people is there."""

    def mask(times: int) -> None:
        for _ in range(times):
            ConversationMasker(PrivacyOptions(), people).mask("The lamp is dark again, said nobody.")

    mask(1)
    return seconds(mask, 50)


_LETTERS = str.maketrans("123456789", "abcdefghi")


def test_real_tickets_are_masked_where_they_should_be_and_hardly_elsewhere(shared: Path) -> None:
    from engine.tickets.cleaning.message import clean_message

    kinds: Counter[str] = Counter()
    messages = 0
    for line in (shared / "tickets" / "zendesk_tickets.ndjson").open(encoding="utf-8"):
        masker = ConversationMasker(PrivacyOptions(country="US"))
        for comment in json.loads(line)["comments"]:
            masker.mask(clean_message(comment["body"], html=False))
            messages += 1
        kinds.update(redaction.kind for redaction in masker.found)
    # Its publishers masked addresses and numbers already: what is left is a handful, and no false alarm was seen.
    assert messages > 1000
    assert kinds["CARD"] == kinds["IBAN"] == kinds["KEY"] == 0
    assert kinds["PASSWORD"] <= 2
    assert kinds["PHONE"] <= 3
    assert kinds["IP"] <= 3
