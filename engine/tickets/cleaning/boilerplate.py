"""Takes off what no writer wrote: legal notices, and the lines of ticket systems, mailing lists and virus scanners.

A legal notice must both open like one and speak of recipients, so that a customer who asks about 'this e-mail with
confidential data' keeps the question. Every line is looked at a fixed number of times; no pattern sees more than 300
characters of a line, or 600 of a paragraph.
"""

import re

from engine.tickets.cleaning.plain_text import has_words

_MAX_LINE = 300
_MAX_PARAGRAPH = 600
_MAX_FOOTER_LINES = 8
_MAX_FOOTER = 1000
"""Characters under a mailing list's rule."""

_LIST_RULE = re.compile(r"[_-]{20,}")
_NAMES_A_LIST = re.compile(r"mailing list|mailman/listinfo|lists?\.\w|e-?mail disclaimer", re.IGNORECASE)

_ADDED_LINE = re.compile(
    r"^\W{0,6}(?:"
    r"you (?:are )?receiv(?:ed|ing) this (?:(?:e-?mail|mail|message|notification|alert) )?because.{0,200}"
    r"|reply to this e-?mail directly.{0,120}"
    r"|view (?:it|this|the) (?:\S+ ){0,4}on (?:github|gitlab|zendesk).{0,80}"
    r"|this (?:e-?mail|message) is a service from .{0,120}|(?:delivered|powered) by (?:zendesk|freshdesk"
    r"|freshworks|intercom|help ?scout|zammad|osticket|jira service.{0,20}|zoho desk|gorgias|hubspot)\W{0,40}"
    r"|your request \(?#?\d+\)? has been (?:updated|received|solved|closed).{0,200}|to (?:add"
    r"|leave) (?:an? )?(?:additional )?comments?, (?:please )?reply to this e-?mail.{0,120}"
    r"|to (?:view|see|review) (?:the status of )?(?:the|your|this) (?:ticket|request|case).{0,200}"
    r"|please (?:do not|don't|consider the environment before) (?:reply to this|print).{0,160}"
    r"|think before you print.{0,80}"
    r"|(?:diese|sie erhalten diese) (?:e-?mail|nachricht).{0,20}(?:, weil"
    r"|ist ein service von).{0,200}|bitte (?:antworten sie nicht auf diese|denken sie an die umwelt).{0,160}"
    r"|(?:cet e-?mail est un service de|vous recevez cet e-?mail|merci de ne pas répondre à ce).{0,200}"
    r"|(?:este correo electrónico es un servicio de|ha recibido este (?:correo|mensaje)|no responda a este).{0,200}"
    r"|(?:dit e-?mailbericht is een service van|u ontvangt deze e-?mail).{0,200}"
    r"|unsubscribe(?: from (?:this|these|our) .{0,80}| here)?|manage (?:your )?(?:notification"
    r"|e-?mail) (?:settings|preferences).{0,60}"
    r"|how would you rate the (?:support|help) you received\?|(?:good|bad), i'm (?:un)?satisfied.{0,40}"
    r"|virus-?free\.? ?(?:www\.)?\S{0,60}|(?:this e-?mail|diese e-?mail) (?:has been checked"
    r"|wurde) .{0,40}(?:viruses|viren).{0,100}"
    r"|(?:ticket|case|incident|request)(?: id| number)?[ :#-]{1,4}(?:https?://\S{1,200}|\S{0,3}\d[\w-]{2,20})"
    r"|ref:_?[\w.]{6,60}:ref|thread[:_ ]+[\w.-]{8,60}|\[image: [^\]\n]{0,100}\]|\[cid:[^\]\n]{1,120}\]"
    r")\W{0,6}$|^\[[A-Z0-9]{5,8}-[A-Z0-9]{4,6}\]$|^\[(?:#|ticket[ #:]{0,3})[\w-]{2,20}\]$"
    r"|^\{[A-Z0-9]{4,8}-[A-Z0-9]{4,6}\}$",
    re.IGNORECASE,
)
"""A whole line that a ticket system, a mailing list or a virus scanner adds."""


_OPENS_LIKE_A_NOTICE = re.compile(
    r"\W{0,6}(?:"
    r"(?:confidentiality|privileged|confidential|legal|privacy) (?:notice|note|information|disclaimer)\b"
    r"|confidential(?:ity)?:|disclaimer\b|caution: ?(?:this|external)|\[external\]|external e-?mail\b"
    r"|this e-?mail has been (?:scanned|checked)|warning: this (?:e-?mail|message)"
    r"|this message (?:was sent|originated|came) from outside|this e-?mail originated"
    r"|(?:this|(?:the |any )?information (?:contained )?in this) (?:e-?mail|message|communication|transmission)\b"
    r".{0,160}?\b(?:confidential|privileged|intended|legally protected)"
    r"|if you are not the (?:intended|named|correct)"
    r"|if you (?:have )?received? this (?:e-?mail|message) (?:in error|by mistake)"
    r"|diese (?:e-?mail|nachricht).{0,60}(?:vertraulich|ausschließlich für)|der inhalt dieser e-?mail ist"
    r"|wenn sie nicht der (?:richtige|beabsichtigte)|vertraulichkeitshinweis|haftungsausschluss"
    r"|ce (?:message|courriel|mail).{0,80}(?:confidentiel|destiné|destinataire)"
    r"|(?:este|esta) (?:mensaje|correo|mensagem|e-?mail).{0,80}(?:confidencial|destinatari|dirigid)"
    r"|aviso (?:de confidencialidad|legal)"
    r"|(?:questo|il presente) (?:messaggio|e-?mail).{0,80}(?:riservat|confidenzial|destinatari)"
    r"|(?:dit|deze) (?:e-?mail|bericht).{0,80}(?:vertrouwelijk|bestemd)"
    r"|(?:ta|niniejsza) wiadomość.{0,80}(?:poufn|adresat)"
    r"|detta (?:e-?post|meddelande).{0,80}konfidentiell"
    r"|denne (?:e-?mail|e-?post|melding).{0,80}(?:fortrolig|konfidensiel)"
    r")",
    re.IGNORECASE,
)
_HEADING = re.compile(
    r"\W{0,6}(?:e-?mail )?(?:disclaimer|haftungsausschluss|confidentiality notice)\W{0,6}", re.IGNORECASE
)
"""A heading after which nothing but legal text comes."""
_SPEAKS_OF_RECIPIENTS = re.compile(
    r"intended|addressee|virus|malware|disclos|unauthori[sz]|dissemination|in error|by mistake|delete (?:it|this)"
    r"|legally|notice|liab"
    r"|outside (?:of )?(?:the|this|your|our)|do not click|unknown sender|external sender|private"
    r"|empfänger|adressat|vernichten|irrtümlich|unbefugt|vertrauliche informationen"
    r"|destinatair|par erreur|destinatari|por error|por engano|adjunt|anexos|per errore|allegati"
    r"|geadresseerde|bestemd|ontvanger|adresat|omyłkow|mottagare|modtager|mottaker",
    re.IGNORECASE,
)


def strip_notices(text: str) -> str:
    """Return a message without legal notices and without the lines that a machine added.

    Args:
        text: Sanitised text of one message, quotes already off.

    Returns:
        What is left; it may be empty.
    """
    lines = _without_list_footer(text.split("\n"))
    return "\n".join(line for line in _without_legal_notices(lines) if not _is_added(line)).strip("\n")


def _is_added(line: str) -> bool:
    return 5 < len(line) <= _MAX_LINE and _ADDED_LINE.match(line) is not None


def _without_list_footer(lines: list[str]) -> list[str]:
    """Cut a mailing list's footer: a long rule and, under it, few lines that name the list."""
    for number in range(len(lines) - 1, max(0, len(lines) - _MAX_FOOTER_LINES), -1):
        if len(lines[number]) <= _MAX_LINE and _LIST_RULE.fullmatch(lines[number].strip()):
            footer = "\n".join(lines[number + 1 :])[:_MAX_FOOTER]
            if _NAMES_A_LIST.search(footer) and any(has_words(line) for line in lines[:number]):
                return lines[:number]
    return lines


def _without_legal_notices(lines: list[str]) -> list[str]:
    kept: list[str] = []
    start = 0
    while start < len(lines):
        end = start
        while end < len(lines) and lines[end].strip():
            end += 1
        paragraph = lines[start:end]
        if len(paragraph) == 1 and _HEADING.fullmatch(paragraph[0]) and any(map(has_words, kept)):
            break
        if not (paragraph and _is_legal_notice(paragraph)):
            kept += lines[start : end + 1]
        start = end + 1
    return kept


def _is_legal_notice(paragraph: list[str]) -> bool:
    opening = next((line for line in paragraph if has_words(line)), "")
    if len(opening) < 8 or not _OPENS_LIKE_A_NOTICE.match(opening[:_MAX_LINE]):
        return False
    return _SPEAKS_OF_RECIPIENTS.search(" ".join(paragraph)[:_MAX_PARAGRAPH]) is not None
