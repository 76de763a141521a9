import pytest

from engine.tickets.privacy.detectors.network import find_addresses
from engine.tickets.privacy.detectors.spans import Covered


def addresses(text: str) -> list[str]:
    return [text[span.start : span.end] for span in find_addresses(text, Covered())]


@pytest.mark.parametrize("address", ["203.0.113.57", "10.20.31.44", "2001:db8:85a3::8a2e:370:7334", "2600:1f18:41b::5"])
def test_addresses_are_found_with_a_port_and_without(address: str) -> None:
    assert addresses(f"from {address} today") == [address]
    assert addresses(f"服务器{address},失败") == [address]


@pytest.mark.parametrize(
    "text",
    [
        "version 10.4.2.1",
        "Firmware: 1.2.3.4",
        "upgraded from 5.1.0.2 to 5.1.0.3",
        "Chrome 120.0.6099.130",
        "1.2.3.4.5",
        "v1.2.3.4",
        "256.1.1.1",
        "01.02.03.04",
        "127.0.0.1, 0.0.0.0, 255.255.255.0, 192.168.1.1, 8.8.8.8",
        "172.16.0.0/12",
        "12:30:45",
        "00:1A:2B:3C:4D:5E",
        "std::vector, a::b, ::1, fe80::1",
    ],
)
def test_versions_times_and_addresses_of_nobody_stay(text: str) -> None:
    assert addresses(text) == []


def test_one_address_in_two_spellings_is_one() -> None:
    first, second = find_addresses("2001:db8:0:0:0:0:0:9 and 2001:DB8::9", Covered())
    assert first.identity == second.identity


@pytest.mark.parametrize(
    "text",
    [
        *("see section 3.1.2.4 of the manual", "§ 4.2.1.1", "Abschnitt 3.1.2.4", "chapitre 2.3.1.4", "figure 3.2.1.1"),
        *("First this.\n1.2.3.4. Setting up the printer", "## 1.2.3.4. Setting up", "4.3.2.1 Setting up the lamp"),
        *("Step 1.2.3.4: press it", "as described in 2.4.1.3 below", "the table 3.1.4.2 lists"),
    ],
)
def test_numbers_of_sections_are_no_addresses(text: str) -> None:
    assert addresses(text) == []


@pytest.mark.parametrize(
    "text", ["It is 84.23.12.9. Now down", "84.23.12.9 is down", "84.23.12.9 Is down", "intersection 84.23.12.9"]
)
def test_an_address_that_begins_or_ends_a_sentence_is_one(text: str) -> None:
    assert addresses(text) == ["84.23.12.9"]
