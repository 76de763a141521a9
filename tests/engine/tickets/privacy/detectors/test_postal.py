import pytest

from engine.tickets.privacy.detectors.forms import Forms
from engine.tickets.privacy.detectors.postal import find_postal_addresses
from engine.tickets.privacy.detectors.spans import Covered, without_overlaps


def addresses(text: str) -> list[str]:
    spans = list(find_postal_addresses(Forms(text), Covered()))
    return [text[span.start : span.end] for span in without_overlaps(spans)]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("My address is {}. Please send the lamp there.", "12 Rose Lane, Leeds LS1 4AP"),
        ("Shipping address: {}", "4 rose lane, leeds"),
        ("Please ship to {}", "221B Baker Street, London NW1 6XE"),
        ("Please send it to {}.\n\nThanks", "12 Mill Road\nOxford OX4 1AB"),
        ("Meine Adresse ist {}", "Am Hang 46\n10115 Berlin"),
        ("Lieferadresse:\n{}\n\nDanke", "Ines Vale\nRosenstraße 5\n50667 Köln"),
        ("Ich wohne in der {} und warte.", "Rosenstraße 5, 50667 Köln"),
        ("Adresse de livraison : {}", "12 rue de la Paix, 75002 Paris"),
        ("Dirección: {}", "Calle Mayor 5, 28013 Madrid"),
        ("Endereço: {}", "Rua das Flores 100, 4050-262 Porto"),
        ("Indirizzo: {}", "Via Roma 12, 00184 Roma"),
        ("Adres: {}", "ul. Długa 5, 00-238 Warszawa"),
        ("Bezorgadres: {}", "Keizersgracht 12, 1015 CJ Amsterdam"),
        ("Leveransadress: {}", "Storgatan 5, 111 22 Stockholm"),
        ("Leveringsadresse: {}", "Nørregade 7, 1165 København"),
        ("Osoite: {}", "Mannerheimintie 5, 00100 Helsinki"),
        ("Doručovací adresa: {}", "Dlouhá 12, 110 00 Praha"),
        ("адрес: {}", "ул. Ленина, д. 5, кв. 12"),
        ("Teslimat adresi: {}", "Atatürk Caddesi No: 12, 34000 İstanbul"),
        ("住所：{}", "東京都渋谷区神南1-2-3"),
        ("收货地址：{}", "北京市朝阳区建国路88号"),
        ("주소: {}", "서울시 강남구 테헤란로 152"),
    ],
)
def test_what_a_label_announces_is_an_address(text: str, address: str) -> None:
    assert addresses(text.format(address)) == [address]


@pytest.mark.parametrize(
    "address",
    [
        "12 Rose Lane, Leeds LS1 4AP",
        "Rosenstraße 5, 50667 Köln",
        "Rosenstr. 12a",
        "12 rue de la Paix, 75002 Paris",
        "Calle Mayor 5, 28013 Madrid",
        "ul. Długa 5, 00-238 Warszawa",
        "Storgatan 5, 111 22 Stockholm",
        "北京市朝阳区建国路88号",
    ],
)
def test_a_street_with_its_number_needs_no_label(address: str) -> None:
    assert addresses(f"It went to {address}, again.") == [address]


@pytest.mark.parametrize(
    "text",
    [
        "your IP address is 10.2.3.4 and the e-mail address: bob1",
        "The address is 3 digits short",
        "Address 3 different issues at once",
        "I changed it via Outlook 2016 on Arbeitsplatz 3",
        "Memory address: 0x7fff1234",
        "See page 12 of the road map, or take the 5 o'clock lane",
        "Adresse unbekannt, Fehler 12",
    ],
)
def test_what_only_sounds_like_an_address_stays(text: str) -> None:
    assert addresses(text) == []
