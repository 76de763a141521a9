import pytest

from engine.tickets.cleaning.boilerplate import strip_notices


@pytest.mark.parametrize(
    "line",
    [
        "You are receiving this because you are subscribed to this ticket.",
        "Reply to this email directly or view it on GitHub",
        "This email is a service from Lamp Shop. Delivered by Zendesk",
        "[K7QXWE-1MJ3]",
        "[#48213]",
        "Ticket: https://desk.lamps.example/tickets/48213",
        "ref:_00D20abc._500K0xyz:ref",
        "To add additional comments, reply to this email.",
        "Please consider the environment before printing this email.",
        "[image: lamp.png]",
        "Powered by Freshdesk",
        "Unsubscribe",
    ],
)
def test_a_line_that_the_ticket_system_added_goes(line: str) -> None:
    assert strip_notices(f"The lamp is dark.\n\n{line}") == "The lamp is dark."


@pytest.mark.parametrize(
    "notice",
    [
        "This e-mail and any attachments are confidential and intended solely for the addressee.\nDelete it otherwise.",
        "CONFIDENTIALITY NOTICE: the contents are private.",
        "Diese E-Mail enthält vertrauliche Informationen.",
        "Ce message est confidentiel et destiné à son seul destinataire.",
        "Este mensaje y sus adjuntos son confidenciales.",
        "Questo messaggio è riservato al destinatario.",
    ],
)
def test_a_legal_notice_goes(notice: str) -> None:
    assert strip_notices(f"The lamp is dark.\n\n{notice}") == "The lamp is dark."


def test_a_warning_about_outside_mail_goes_from_the_top() -> None:
    warning = "CAUTION: This email originated from outside of the organization. Do not click links."
    assert strip_notices(f"{warning}\n\nThe lamp is dark.") == "The lamp is dark."


def test_a_mailing_lists_footer_goes() -> None:
    footer = "_______________________________________________\nlamp-users mailing list\nlamp-users@lists.lamps.example"
    assert strip_notices(f"The lamp is dark.\n\n{footer}") == "The lamp is dark."


@pytest.mark.parametrize(
    "text",
    [
        "The bill is confidential, I think.",
        "Disclaimer: I am no electrician. The lamp is dark.",
        "Please unsubscribe me from the lamp news.",
        "External lamps do not switch on.",
        "If you are not getting the error any more, close the ticket.",
        "This e-mail asks for confidential data. Is it phishing?",
        "This message appears: lamp not found.",
        "Ticket 48213 and ticket 48214 are the same.",
        "You received this lamp because you ordered it, and it is dark.",
        "_______________________\nis where I sign",
    ],
)
def test_what_a_person_wrote_about_such_things_stays(text: str) -> None:
    assert strip_notices(text) == text


def test_what_follows_a_disclaimers_heading_goes_with_it() -> None:
    legal = "Disclaimer\n\nThe contents belong to the company.\n\nThis email has been scanned for viruses."
    assert strip_notices(f"The lamp is dark.\n\n{legal}") == "The lamp is dark."


def test_a_notice_under_a_rule_goes() -> None:
    notice = "------------------------\nThis message is intended solely for the addressee.\nDelete it otherwise."
    assert strip_notices(f"The lamp is dark.\n\n{notice}") == "The lamp is dark."
