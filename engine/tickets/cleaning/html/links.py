"""What a link becomes in plain text: itself, or ``[words](address)``. Knows nothing about messages."""

import re
from urllib.parse import parse_qs, urlsplit

_MAX_ADDRESS = 500
"""Characters; a longer address is a tracking link, of which nobody can learn anything."""

_KEPT_SCHEMES = ("http://", "https://", "mailto:", "tel:", "ftp://")
_DECORATION = re.compile(r"^(?:https?://|mailto:|tel:)?(?:www\.)?|/$", re.IGNORECASE)
_WRAPPERS = {
    # Outlook's and Google's redirects hide the address that the writer meant, and Outlook's adds the recipient's own.
    "safelinks.protection.outlook.com": "url",
    "www.google.com/url": "q",
    "l.facebook.com": "u",
    "slack-redir.net": "url",
}


def link_text(words: str, address: str) -> str:
    """Return a link as text.

    Args:
        words: What the page showed, white space already collapsed; may be empty.
        address: The raw ``href``.

    Returns:
        ``words`` alone where they say the same as the address, or where the address leads nowhere outside the page.
    """
    target = unwrap(address.strip())
    if not target.lower().startswith(_KEPT_SCHEMES) or len(target) > _MAX_ADDRESS:
        return words
    if not words:
        return ""
    shown, meant = _DECORATION.sub("", words), _DECORATION.sub("", target)
    if shown.lower() == meant.lower():
        return words
    shortened = shown.rstrip(".\u2026")
    if shortened != shown and len(shortened) > 8 and meant.startswith(shortened):
        return target
    if any(map(str.isspace, target)):
        return words
    if "[" in words or "\n" in words or "(" in target:
        return f"{words} ({target})"
    return f"[{words}]({target})"


def unwrap(address: str) -> str:
    """Return the address inside a redirect of Outlook, Google, Facebook or Slack; any other comes back unchanged."""
    if "?" not in address:
        return address
    for host, field in _WRAPPERS.items():
        if host in address[:200]:
            return _query_field(address, field) or address
    return address


def _query_field(address: str, field: str) -> str:
    try:
        values = parse_qs(urlsplit(address).query, max_num_fields=50).get(field, [""])
    except ValueError:  # '[' without ']' in the host, or too many fields
        return ""
    return values[0] if values[0].lower().startswith(("http://", "https://")) else ""
