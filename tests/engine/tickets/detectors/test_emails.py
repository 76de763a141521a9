import pytest

from engine.tickets.detectors.emails import find_emails


def emails(text: str) -> list[str]:
    return [text[span.start : span.end] for span in find_emails(text, text.lower())]


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example",
        "FIRST.Last+tag@mail.lamps.example",
        "karl.müller@beispiel.example",
        "o_o@x-y.example",
        "jo (at) lamps (dot) example",
    ],
)
def test_addresses_are_found_inside_a_sentence(address: str) -> None:
    assert emails(f"Write to {address}, please.") == [address]
    assert emails(f"<{address}>") == [address]


def test_an_address_does_not_swallow_the_chinese_before_it() -> None:
    assert emails("邮箱wang@youxiang.example。") == ["wang@youxiang.example"]


@pytest.mark.parametrize(
    "text",
    [
        "[name@domain]",
        "root@localhost",
        "logo@2x.png",
        "left-pad@1.3.0",
        "@brightlamp",
        "a @ b",
        "postgres://a:b@c.example/d",
    ],
)
def test_what_only_has_an_at_sign_stays(text: str) -> None:
    assert emails(text) == []
