"""What mail programs and help desks write into their HTML to mark quotes, signatures and hidden text.

Tables and the one function that reads them. Sources: the mails in the test corpora of talon, mail-parser-reply and
email_reply_parser, and the vendors' own editors. This module does not walk the tree and renders nothing.
"""

import re
from collections.abc import Mapping
from typing import Literal

Mark = Literal["quote", "signature", "hidden", "history"]
"""``history``: from here to the end of the mail everything is old."""

_CLASSES: dict[str, Mark] = {
    **dict.fromkeys(
        [
            *("gmail_quote", "gmail_quote_container", "gmail_attr", "yahoo_quoted", "moz-cite-prefix"),
            *("protonmail_quote", "tutanota_quote", "zmail_extra", "fd_quote", "freshdesk_quote"),
            *("front-blockquote", "hs_reply", "mail_android_quote", "nylas-quote", "airmail_quote"),
            *("sh-quoted-content", "outlook_quote", "quoted-mail", "zd-quote", "reply-quote", "previous-message"),
            *("hub-quote"),
        ],
        "quote",
    ),
    **dict.fromkeys(
        [
            *("gmail_signature", "moz-signature", "signature", "email-signature", "mail-signature"),
            *("ms-outlook-mobile-signature", "ms-signature", "protonmail_signature_block", "tutanota_signature"),
            *("zd-signature", "hs-signature", "js-signature", "front-signature", "edo-signature", "airmail_sign"),
            *("fd-signature", "intercom-signature", "gorgias-signature"),
        ],
        "signature",
    ),
    "outlookmessageheader": "history",
}
_IDS: dict[str, Mark] = {
    "divrplyfwdmsg": "history",
    "appendonsend": "history",
    "stopspelling": "history",
    "mail-editor-reference-message-container": "quote",
    "olk_src_body_section": "quote",
    "isreplycontent": "quote",
    "messagereplysection": "quote",
    "signature": "signature",
    "applemailsignature": "signature",
    "ms-outlook-mobile-signature": "signature",
    "mail-app-auto-default-signature-ios": "signature",
    "messagesignaturesection": "signature",
}
# The name attribute: GMX and Web.de write name="quote", Spark name="messageReplySection".
_NAMES: dict[str, Mark] = {
    "quote": "quote",
    "messagereplysection": "quote",
    "messagesignaturesection": "signature",
}
_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|max-height\s*:\s*0(?![.\d])",
    re.IGNORECASE,
)
# Gmail and Outlook on the web indent with a blockquote that shows no border: that is the writer's own text.
_INDENTED = re.compile(
    r"border\s*:\s*(?:none|0|medium none)|margin(?:-left)?\s*:\s*(?:0(?:px)? ){3}40px", re.IGNORECASE
)

_HINTS = (
    *("quote", "signature", "sign", "hs_reply", "moz-", "divrplyfwdmsg", "appendonsend", "stopspelling", "olk_src"),
    *("reference-message", "replycontent", "replysection", "messageheader", "previous-message", "hidden", "display"),
    *("max-height", "mso-hide", "__divider__", "__headers__", "zmail_"),
)


def holds_marks(html: str) -> bool:
    """Say whether looking at attributes is worth it: most messages of a help desk carry none of these words."""
    lowered = html.lower()
    return any(map(lowered.__contains__, _HINTS))


def mark_of(tag: str, attributes: Mapping[str, str | None]) -> Mark | None:
    """Return what an element is to the reader of the newest message.

    Args:
        tag: The element's name in lower case.
        attributes: Its attributes as the parser gives them; a value is None for ``<p hidden>``.
    """
    if not attributes:
        return None
    if "hidden" in attributes or _HIDDEN_STYLE.search(attributes.get("style") or ""):
        return "hidden"
    if (attributes.get("data-signature") or "").lower() == "true" or attributes.get(
        "data-smartmail"
    ) == "gmail_signature":
        return "signature"
    if attributes.get("data-marker") in ("__DIVIDER__", "__HEADERS__"):
        return "history"
    for name in (attributes.get("class") or "").lower().split():
        # Outlook.com and Hotmail put x_ and ecx before the classes of the mails they quote.
        mark = _CLASSES.get(name) or _CLASSES.get(name.removeprefix("x_").removeprefix("ecx"))
        if mark:
            return mark
    by_id = _IDS.get((attributes.get("id") or "").lower().removeprefix("x_"))
    if by_id:
        return by_id
    if tag == "blockquote" and (attributes.get("type") or "").lower() == "cite":
        return "quote"
    return _NAMES.get((attributes.get("name") or "").lower()) if tag == "div" else None


def is_indented_text(attributes: Mapping[str, str | None]) -> bool:
    """Say whether a ``<blockquote>`` only indents what its writer wrote."""
    return _INDENTED.search(attributes.get("style") or "") is not None
