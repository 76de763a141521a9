import pytest

from engine.tickets.privacy.detectors.emails import find_emails
from engine.tickets.privacy.detectors.forms import Forms


def emails(text: str) -> list[str]:
    return [text[span.start : span.end] for span in find_emails(Forms(text))]


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example",
        "FIRST.Last+tag@mail.lamps.example",
        "karl.müller@beispiel.example",
        "o_o@x-y.example",
        "jo (at) lamps (dot) example",
        "jo at lamps dot com",
        "jo.vale arroba lamps punto es",
        "用户@例子.公司",
    ],
)
def test_addresses_are_found_inside_a_sentence(address: str) -> None:
    assert emails(f"Write to {address}, please.") == [address]
    assert emails(f"<{address}>") == [address]


def test_a_space_before_the_sign_is_forgiven_where_no_sentence_runs_on() -> None:
    assert emails("jo @lamps.example") == ["jo @lamps.example"]
    assert emails("My mail: jo@ lamps.example") == ["jo@ lamps.example"]
    assert emails("it is jo.vale @lamps.example now") == ["jo.vale @lamps.example"]
    assert emails("Mail to this @lamps.example address, as my address is @lamps.example") == []


def test_an_address_in_a_link_is_found_in_its_encoded_form() -> None:
    assert emails("https://lamps.example/out?e=jo.vale%40customer.example&x=1") == ["jo.vale%40customer.example"]


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
        "look at lamps dot com",
        "follow us @lamps.example",
        "meet at noon, dot on the map",
        "a lateral move at this point in time",
        "postgres://a:b@c.example/d",
    ],
)
def test_what_only_has_an_at_sign_stays(text: str) -> None:
    assert emails(text) == []
