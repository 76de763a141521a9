"""Finds passwords, PINs and one-time codes that people write into tickets: 'my password is ...' in many languages.

The hard part is what is no password: 'my password is wrong', 'Password: required'. A word without digit, symbol or
capital in its middle counts only after a colon, or where the sentence ends with it, and never when it is on the list
of things that people say about passwords.
"""

import re
from collections.abc import Iterator

from engine.tickets.detectors.password_words import NO_PASSWORD, PASSWORD_HINTS, PASSWORD_WORDS, PIN_HINTS, PIN_WORDS
from engine.tickets.detectors.spans import Span

_IS = (
    r"(?:is now|is|was|lautet|lautete|ist|war|est|era|es|é|è|är|er|jest|to|je|on|olarak)(?![^\W_])"
    r"|(?:は|是|为)|(?<=[는가])\s"
)
_OPEN_QUOTE = "\"'\u201c\u201e\u2018«`\u300c"
_CLOSE_QUOTE = "\"'\u201d\u201c\u2019»`\u300d"
_QUOTED = rf"[{_OPEN_QUOTE}](?P<quoted>[^\n{_CLOSE_QUOTE}]{{3,64}})[{_CLOSE_QUOTE}]"
_BARE = r"(?P<bare>[!-~¡-\u024f\u0400-\u04ff]{3,64})"
# 'the password for the portal is ...'
_OF = r"(?:\s(?:for|to|of|on|für|zum|zur|von|pour|de|du|para|per|voor|do|till|til)\s[^\n.:=!?]{1,40}?)??"
# 'the password I set was ...', 'la contraseña nueva es ...': then only what is plainly a secret counts.
_ASIDE = r"(?P<aside>(?:\s[^\W\d_]{1,12}){0,3}?)"
_CONNECTOR = rf"(?:(?P<colon>[:=\uff1a])|(?P<verb>{_IS})\s{{0,2}}[:\uff1a]?)"
_BETWEEN = rf"(?:{_OF}|{_ASIDE})[*_]{{0,2}}\s{{0,2}}{_CONNECTOR}[*_]{{0,2}}\s{{0,2}}"
_PASSWORD = re.compile(
    rf"(?:(?<![^\W_])(?:{PASSWORD_WORDS})(?![^\W_])|パスワード|密码|密碼|口令|비밀번호(?:는|가)?)"
    rf"(?:{_BETWEEN}|(?P<space>\s))(?:{_QUOTED}|{_BARE})",
    re.IGNORECASE,
)
_PIN = re.compile(
    rf"(?<![^\W_])(?:{PIN_WORDS})(?![^\W_]){_OF}\s{{0,2}}(?:[:=#\uff1a]|(?:{_IS})\s{{0,2}}[:\uff1a]?|(?=\d))"
    rf"\s{{0,2}}[{_OPEN_QUOTE}]?(?P<pin>\d[\d -]{{1,8}}\d)(?![\w.,]\d)",
    re.IGNORECASE,
)
_IN_LINK = re.compile(r"(?<![\w])[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/@]{1,64}:([^\s@/]{3,128})@")
_PASSPHRASE_HYPHENS = 2
_SHORTEST_NEIGHBOUR = 6
_TRAILING = ".,;:?)]}>\"'*_\u2026"
_ENDS_SENTENCE = re.compile(r"\s*(?:[.!;)\n]|$)")


def find_passwords(text: str, lowered: str) -> Iterator[Span]:
    """Yield passwords; identity is the secret.

    Args:
        text: The message.
        lowered: The same in lower case.
    """
    if "://" in text and "@" in text:
        for match in _IN_LINK.finditer(text):
            yield Span(match.start(1), match.end(1), "PASSWORD", match[1])
    if not any(map(lowered.__contains__, PASSWORD_HINTS)):
        return
    for match in _PASSWORD.finditer(text):
        found = _quoted(match) or _bare(text, match)
        if found:
            yield Span(*found, "PASSWORD", text[slice(*found)])


def find_pins(text: str, lowered: str) -> Iterator[Span]:
    """Yield PINs, one-time codes and card security codes: digits that the words before call so.

    Args:
        text: The message.
        lowered: The same in lower case.
    """
    if any(map(lowered.__contains__, PIN_HINTS)):
        for match in _PIN.finditer(text):
            yield Span(match.start("pin"), match.end("pin"), "PASSWORD", match["pin"])


def _quoted(match: re.Match[str]) -> tuple[int, int] | None:
    value = match["quoted"]
    if value is None or value.strip().lower() in NO_PASSWORD:
        return None
    # Without a verb only a secret may stand in quotes: the button 'Forgot password' is none.
    return match.span("quoted") if match["space"] is None or any(letter.isdigit() for letter in value) else None


def _bare(text: str, match: re.Match[str]) -> tuple[int, int] | None:
    if match["bare"] is None:
        return None
    start = match.start("bare")
    value = match["bare"].rstrip(_TRAILING)
    core = value.strip("!-").lower()
    if (
        len(value) < 3
        or not re.search(r"[^\W_]", value)
        or core in NO_PASSWORD
        or core.startswith(("http", "www.", "["))
    ):
        return None
    if match["space"] is not None:  # 'password Birne77': a bare neighbour must be unmistakable
        mixed = any(letter.isdigit() for letter in value) and any(letter.isalpha() for letter in value)
        return (start, start + len(value)) if mixed and len(value) >= _SHORTEST_NEIGHBOUR else None
    if _looks_secret(value):
        return start, start + len(value)
    if match["aside"]:
        return None
    value = value.rstrip("!")
    end = start + len(value)
    if len(value) < 4 or not value.isalnum() or core.endswith(("ed", "ing", "able")):
        return None
    ends = _stands_alone(text, end) if match["colon"] else _ENDS_SENTENCE.match(text, end) is not None
    return (start, end) if ends else None


def _looks_secret(value: str) -> bool:
    """Say whether no sentence goes on with this word: a digit, a symbol inside, or a capital inside."""
    inner = value[1:].rstrip("!")
    if inner.count("-") >= _PASSPHRASE_HYPHENS:
        return True
    has_symbol = any(not (character.isalnum() or character in "-'\u2019/") for character in inner)
    has_capital = any(character.isupper() for character in inner) and any(character.islower() for character in value)
    return any(character.isdigit() for character in value) or has_symbol or has_capital


def _stands_alone(text: str, end: int) -> bool:
    """Say whether the value ends its line or clause: 'Password: banana' and not 'Password: enter it twice'."""
    return re.match(r"\s*(?:[.,;!)\n/|]|$)", text[end : end + 20]) is not None
