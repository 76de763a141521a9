import pytest

from engine.tickets.cleaning.signatures import strip_signature


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
        "Sent from my iPhone!",
        "Sent from my iPhone :)",
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
    ],
)
def test_a_signature_goes_and_the_message_stays(signature: str) -> None:
    assert strip_signature(f"The lamp is dark.\n\nPlease help.\n\n{signature}") == "The lamp is dark.\n\nPlease help."


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
        "Which brands fit?\nSamsung\nLG\nSony",
        "Sent from the server were three mails.",
        "Sent from the old server too.",
        "Sent with the lamp was a bulb.\n\nIt is dark.\n\nThe fuse is fine.\n\nThe switch clicks.\n\nHelp.",
    ],
)
def test_what_only_looks_like_a_signature_stays(text: str) -> None:
    assert strip_signature(text) == text
