"""Finds passwords that people write into tickets: 'my password is ...' in many languages.

The hard part is what is no password: 'my password is wrong', 'Password: required'. A word without digit, symbol or
capital in its middle counts only after a colon, or where the sentence ends with it, and never when it is on the list
of things that people say about passwords.
"""

import re
from collections.abc import Iterator

from engine.tickets.privacy.detectors.forms import Forms
from engine.tickets.privacy.detectors.spans import Span
from engine.tickets.privacy.words import pattern, words

IS = (
    r"(?:is now|is still|is|was|lautet|lautete|ist(?: jetzt| nun)?|war|est(?: maintenant)?|c['\u2019]est|era"
    r"|es(?: ahora)?|ahora es|é|è(?: ora)?|är(?: nu)?|er(?: nu)?|jest|to|je|olarak"
    r"|(?<=salasana )on|(?<=salasanani )on)(?![^\W_])"
    r"|(?:は|是|为)|(?<=[는가])\s"
)
OPEN_QUOTE = "\"'\u201c\u201e\u2018«`\u300c"
_CLOSE_QUOTE = "\"'\u201d\u201c\u2019»`\u300d"
_QUOTED = rf"[{OPEN_QUOTE}](?P<quoted>[^\n{_CLOSE_QUOTE}]{{3,64}})[{_CLOSE_QUOTE}]"
_BARE = r"(?P<bare>[!-~¡-\u024f\u0400-\u04ff]{3,64})"
# 'the password for the portal is ...'
OF = r"(?:\s(?:for|to|of|on|für|zum|zur|von|pour|de|du|para|per|voor|do|till|til)\s[^\n.:=!?]{1,40}?)??"
# 'the password I set was ...', 'la contraseña nueva es ...': then only what is plainly a secret counts.
_TOPIC = rf"(?!(?:{pattern('password_topics')})(?![^\W_]))"
_ASIDE = rf"(?P<aside>(?:\s{_TOPIC}[^\W\d_]{{1,12}}){{0,3}}?)"
_CONNECTOR = rf"(?:(?P<colon>:=|=>|[:=\uff1a]|>(?=[^<>\s]{{3,64}}</))|(?P<verb>{IS})\s{{0,2}}[:\uff1a]?)"
_KEY = r"(?P<key>[\"']\]?)?"
"""Behind a label that is a key, as in JSON or ``env["PW"] = ...``; then only what is plainly a secret counts."""
_BETWEEN = rf"(?:{OF}|{_ASIDE})[*_]{{0,2}}\s{{0,2}}{_CONNECTOR}[*_]{{0,2}}\s{{0,2}}"
_PASSWORD = re.compile(
    rf"(?:(?<![^\W_])(?:{pattern('password_words')}|{pattern('wifi_keys')})(?![^\W_])|パスワード|密码|密碼|口令|비밀번호(?:는|가)?)"
    rf"(?:{_KEY}{_BETWEEN}|(?P<space>\s))(?:{_QUOTED}|{_BARE})",
    re.IGNORECASE,
)
_IN_LINK = re.compile(r"(?<![\w])[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/@]{1,64}:([^\s@/]{3,128})@")
_OF_A_USER = re.compile(r"(?<!\S)(?:-u|--user)[ =][\"']?[\w.@+-]{1,64}:([^\s\"':/]{4,64})")
"""curl -u ada:secret"""
_CODE = re.compile(
    r"(?:os|process|settings|config|conf|env|self|this|request|app|args|options|secrets|params|credentials|cfg)\.[A-Za-z_]"
    r"|[A-Za-z_][\w.]{1,40}(?:\[[\"'a-z]|\((?:[\"')]|[a-z_]{2,40}\)))"
    r"|\$\{?[A-Z]+(?:_[A-Z0-9_]+)?\}?(?![\w!-/])|\$\{[A-Za-z_]|\$\(|%[A-Z_]{3,40}%|\{\{"
)
"""Where code or a template takes a password from: os.environ["PW"], ${PW}, {{ pw }}."""
_PASSPHRASE_HYPHENS = 2
_SHORTEST_NEIGHBOUR = 6
_EAST_ASIAN = re.compile("パスワード|密码|密碼|口令|비밀번호")
_NO_PASSWORD = words("no_password")
_PASSWORD_HINTS = words("password_hints")
_TRAILING = ".,;:?)]}>\"'*_\u2026"
_ENDS_SENTENCE = re.compile(r"\s*(?:[.!;)\n]|$)")


def find_passwords(forms: Forms) -> Iterator[Span]:
    """Yield passwords; identity is the secret.

    Args:
        forms: The message.
    """
    text = forms.text
    if "://" in text and "@" in text:
        for match in _IN_LINK.finditer(text):
            yield Span(match.start(1), match.end(1), "PASSWORD", match[1])
    if "-u" in text:
        for match in _OF_A_USER.finditer(text):
            if looks_secret(match[1]) and not match[1].isdigit():
                yield Span(match.start(1), match.end(1), "PASSWORD", match[1])
    if _PASSWORD_HINTS.isdisjoint(forms.words) and (text.isascii() or not _EAST_ASIAN.search(text)):
        return
    for match in _matches(forms):
        found = _quoted(match) or _bare(text, match)
        if found:
            yield Span(*found, "PASSWORD", text[slice(*found)])


def _matches(forms: Forms) -> Iterator[re.Match[str]]:
    """Yield where a label and a value stand, looking only where a label's first word does."""
    starts = forms.starts_of(_PASSWORD_HINTS & forms.words)
    if not forms.text.isascii():
        starts = sorted({*starts, *(match.start() for match in _EAST_ASIAN.finditer(forms.text))})
    position = 0
    for start in starts:
        match = _PASSWORD.match(forms.text, start) if start >= position else None
        if match:
            position = match.end()
            yield match


def is_said_of_passwords(word: str) -> bool:
    """Say whether a word is one that people say about passwords ('wrong', 'required') and so none itself."""
    return word.strip("!-.,;:").lower() in _NO_PASSWORD


def _quoted(match: re.Match[str]) -> tuple[int, int] | None:
    value = match["quoted"]
    if value is None or value.strip().lower() in _NO_PASSWORD:
        return None
    if match["key"] and (" " in value or not looks_secret(value)):
        return None
    # Without a verb only a secret may stand in quotes: the button 'Forgot password' is none.
    return match.span("quoted") if match["space"] is None or any(letter.isdigit() for letter in value) else None


def _bare(text: str, match: re.Match[str]) -> tuple[int, int] | None:
    if match["bare"] is None:
        return None
    start = match.start("bare")
    value = (match["bare"].partition("<")[0] if match["colon"] == ">" else match["bare"]).rstrip(_TRAILING)
    core = value.strip("!-").lower()
    if (
        len(value) < 3
        or _CODE.match(match["bare"])
        or (match["key"] and value[0] in "{[(<")
        or not re.search(r"[^\W_]", value)
        or core in _NO_PASSWORD
        or core.startswith(("http", "www.", "["))
    ):
        return None
    if match["space"] is not None:  # 'password Birne77': a bare neighbour must be unmistakable
        mixed = any(letter.isdigit() for letter in value) and any(letter.isalpha() for letter in value)
        return (start, start + len(value)) if mixed and len(value) >= _SHORTEST_NEIGHBOUR else None
    if looks_secret(value):
        return start, start + len(value)
    if match["aside"] or match["key"] or match["colon"] == ">":
        return None
    value = value.rstrip("!")
    end = start + len(value)
    if len(value) < 4 or not value.isalnum() or core.endswith(("ed", "ing", "able")):
        return None
    ends = _stands_alone(text, end) if match["colon"] else _ENDS_SENTENCE.match(text, end) is not None
    return (start, end) if ends else None


def looks_secret(value: str) -> bool:
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
