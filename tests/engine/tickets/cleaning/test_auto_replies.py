import pytest

from engine.tickets.cleaning.auto_replies import is_auto_reply


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto-Submitted": "auto-replied"},
        {"auto-submitted": "auto-generated; owner=x"},
        {"X-Autoreply": "yes"},
        {"X-AutoRespond": "away"},
        {"Precedence": "bulk"},
        {"Content-Type": "multipart/report; report-type=delivery-status"},
        {"Return-Path": "<>"},
        {"Subject": "Automatic reply: lamp"},
        {"Subject": "AW: Abwesenheitsnotiz: Lampe"},
        {"Subject": "Undeliverable: lamp"},
    ],
)
def test_headers_of_a_machine_are_enough(headers: dict[str, str]) -> None:
    assert is_auto_reply("The lamp is dark.", headers)


@pytest.mark.parametrize(
    "text",
    [
        "I am out of the office until 4 March and will answer when I am back.",
        "Thank you for your email. I'm currently away until Monday.",
        "Ich bin bis zum 4. März nicht im Büro. In dringenden Fällen wenden Sie sich an die Kollegen.",
        "Je suis actuellement absente jusqu'au 4 mars.",
        "Actualmente estoy fuera de la oficina.",
        "Estou de férias até 4 de março.",
        "Sono in ferie fino al 4 marzo.",
        "Ik ben momenteel afwezig.",
        "Jestem obecnie na urlopie.",
        "Jag är på semester till den 4 mars.",
        "Jeg er på ferie til den 4. marts.",
        "Меня не будет в офисе до 4 марта.",
        "Automatic reply: I am away",
        "This is an automated message, please do not answer.",
        "Dies ist eine automatisch generierte Nachricht.",
        "Ceci est un message automatique.",
        "Your request (#48213) has been received and is being reviewed by our support staff.",
        "We have received your message and will get back to you within 24 hours.",
        "Wir haben Ihre Anfrage erhalten und melden uns schnellstmöglich.",
        "Delivery to the following recipient failed permanently.",
        "This is the mail system at host mx.lamps.example.",
    ],
)
def test_the_words_of_a_machine_are_found(text: str) -> None:
    assert is_auto_reply(text)


@pytest.mark.parametrize(
    "text",
    [
        "How do I set up an out of office reply?",
        "Out of office replies are not sent since the update?",
        "Wie richte ich eine Abwesenheitsnotiz ein?",
        "My colleague is out of the office, so I am writing instead.",
        "I have received your lamp, thank you. It is dark.",
        "We received your parcel yesterday and the bulb is missing.",
        "The automatic lamp does not switch on.",
        "Your message was very helpful!",
        "I left the lamp in the office.",
        "The mail was returned, the address does not exist.",
        "",
    ],
)
def test_a_person_who_writes_about_such_things_is_none(text: str) -> None:
    assert not is_auto_reply(text)


def test_ordinary_headers_say_nothing() -> None:
    headers = {"Auto-Submitted": "no", "Subject": "Lamp", "Content-Type": "text/plain", "Return-Path": "<a@b.example>"}
    assert not is_auto_reply("The lamp is dark.", headers)
