import pytest

from engine.tickets.signatures import strip_signature


@pytest.mark.parametrize(
    "signature",
    [
        "-- \nInes Vale\nLamp Street 4",
        "--\nInes",
        "Best regards,\nInes Vale\nLamp Shop | Support\nTel. 030 1234",
        "Kind regards\n\nInes",
        "Mit freundlichen Grüßen\nInes Vale\nKundendienst",
        "Viele Grüße\nInes",
        "Cordialement,\nInès",
        "Un saludo,\nInés",
        "Cordiali saluti\nInes",
        "Met vriendelijke groet,\nInes",
        "Pozdrawiam,\nInes",
        "Med vänliga hälsningar\nInes",
        "Med venlig hilsen\nInes",
        "S pozdravem,\nInes",
        "Atenciosamente,\nInês",
        "С уважением,\nИнес",
        "よろしくお願いいたします。\nイネス",
        "此致\n敬礼",
        "Thanks,\nInes",
        "Danke\nInes",
        "Sent from my iPhone",
        "Get Outlook for iOS<https://aka.example/o0ukef>",
        "Von meinem iPhone gesendet",
        "Gesendet mit der Lampen Mail App",
        "Envoyé de mon iPhone",
        "Enviado desde mi móvil",
        "Inviato da iPhone",
        "Verzonden vanaf mijn telefoon",
        "Wysłane z iPhone'a",
        "Skickat från min telefon",
        "Sendt fra min telefon",
        "Отправлено с телефона",
        "iPhoneから送信",
        "发自我的iPhone",
        "Best regards, Ines Vale",
        "-Ines Vale",
        "Ines Vale\nines@lamps.example\nTel: +49 30 1234567\nwww.lamps.example",
        "_______________________________________________\nlamp-users mailing list\nlamp-users@lists.lamps.example",
    ],
)
def test_a_signature_goes_and_the_message_stays(signature: str) -> None:
    assert strip_signature(f"The lamp is dark.\n\nPlease help.\n\n{signature}") == "The lamp is dark.\n\nPlease help."


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
    assert strip_signature(f"The lamp is dark.\n\n{line}") == "The lamp is dark."


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
    assert strip_signature(f"The lamp is dark.\n\n{notice}") == "The lamp is dark."


def test_a_warning_about_outside_mail_goes_from_the_top() -> None:
    warning = "CAUTION: This email originated from outside of the organization. Do not click links."
    assert strip_signature(f"{warning}\n\nThe lamp is dark.") == "The lamp is dark."


@pytest.mark.parametrize(
    "text",
    [
        "The lamp is dark.\n\nThanks in advance!",
        "Thanks!",
        "The lamp is dark. Best regards is what the label says.",
        "Sent from my desk, is much easier than my phone.",
        "First -- this is no signature.\nSecond.",
        "Best,\n\nbut could you also check the fuse of the second lamp?",
        "Best regards\n\nP.S. The fuse is fine.",
        "Kind regards\n1. Open the lamp\n2. Change the bulb",
        "- one\n- two",
        "The bill is confidential, I think.",
        "Please unsubscribe me from the lamp news.",
    ],
)
def test_what_only_looks_like_a_signature_stays(text: str) -> None:
    assert strip_signature(text) == text
