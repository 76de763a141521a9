"""Finds e-mail addresses, also those written as 'jo (at) example (dot) com'."""

import re
from collections.abc import Iterator

from engine.tickets.privacy.detectors.forms import Forms
from engine.tickets.privacy.detectors.spans import Span
from engine.tickets.privacy.words import pattern, words

# Latin, Greek and Cyrillic: an address glued to Chinese or Japanese words must not swallow them.
_LETTERS = "A-Za-z0-9\u00c0-\u024f\u0370-\u03ff\u0400-\u04ff"
_DOMAIN = (
    rf"(?:[{_LETTERS}](?:[{_LETTERS}-]{{0,62}})\.){{1,8}}[A-Za-z\u00c0-\u024f\u0400-\u04ff]{{2,24}}(?![{_LETTERS}])"
)
_EMAIL = re.compile(rf"(?<![{_LETTERS}.+%_-])[{_LETTERS}_+%][{_LETTERS}._+%'-]{{0,99}}@{_DOMAIN}")
# In links: rita%40customer.example.
_ENCODED = re.compile(
    r"(?<![A-Za-z0-9.+_-])[A-Za-z0-9][A-Za-z0-9._+-]{0,63}%40(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}", re.I
)
# Addresses in scripts without spaces between words, whose domains end in such a word too: 用户@例子.公司.
_EAST_ASIAN = re.compile(
    rf"(?<![^\W_])[\w.+-]{{1,24}}@[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{0,3}}\.(?:{pattern('domain_endings_unspaced')})"
)
_NOBODY = rf"(?!(?:{pattern('email_not_before_at')})\s)"
# 'rita @customer.example': a space slipped in. A word of a sentence is none ('this @outlook.com address').
_SPACED = re.compile(
    rf"(?:(?<![{_LETTERS}.+%_-])(?=[{_LETTERS}]{{1,40}}[._+\d-])|(?:^|(?<=[:(<,;]\s)|(?<=[:(<,;])))"
    rf"{_NOBODY}[{_LETTERS}][{_LETTERS}._+-]{{1,63}}(?: @ ?|@ ){_DOMAIN}",
    re.IGNORECASE | re.MULTILINE,
)
# 'rita at customer dot com', with an ending that is one.
_IN_WORDS = re.compile(
    rf"(?<![{_LETTERS}.+_-]){_NOBODY}[{_LETTERS}][{_LETTERS}._+-]{{0,63}}"
    rf"\s(?:{pattern('email_at')})\s[{_LETTERS}-]{{1,63}}"
    rf"(?:\s(?:{pattern('email_dot')})\s[{_LETTERS}-]{{2,63}}){{0,2}}"
    # 'at this point in time' and 'au point de' are no domains.
    rf"(?!\s(?:point|punt|prik)\s(?:in|de|me|no|it|at|us|es|se|co|be)(?![{_LETTERS}]))"
    rf"\s(?:{pattern('email_dot')})\s(?:{pattern('domain_endings')})(?![{_LETTERS}])",
    re.IGNORECASE,
)
_DOT_HINTS = words("email_dot")
_AT = r"\s?[\[({]\s?(?:at|@|ät|arroba|chiocciola)\s?[\])}]\s?|\s(?:AT|\[at\])\s"
_DOT = r"\s?[\[({]\s?(?:dot|punkt|point|punto|ponto|\.)\s?[\])}]\s?|\s(?:DOT|dot|punkt)\s|\."
_SPELT = re.compile(
    rf"(?<![{_LETTERS}.+_-])[{_LETTERS}][{_LETTERS}._+-]{{0,63}}(?:{_AT})"
    rf"[{_LETTERS}-]{{1,63}}(?:(?:{_DOT})[{_LETTERS}-]{{2,63}}){{1,4}}(?![{_LETTERS}])",
    re.IGNORECASE,
)
_SPELT_HINTS = ("(at)", "[at]", "{at}", "( at )", "[ at ]", "(@)", "[@]", "(ät)", "[ät]", "(arroba)", "(chiocciola)")

# 'logo@2x.png' and 'module@1.2.js' are files.
_FILE_ENDINGS = frozenset({"png", "jpg", "jpeg", "gif", "svg", "webp", "pdf", "js", "css", "ts", "html", "json", "zip"})


def find_emails(forms: Forms) -> Iterator[Span]:
    """Yield e-mail addresses; identity is the address in lower case.

    Args:
        forms: The message. Placeholders such as ``[name@domain]`` and ``root@localhost`` have no top-level domain
            and are left alone.
    """
    text, lowered = forms.text, forms.lowered
    if "@" in text:
        for match in _EMAIL.finditer(text):
            address = match[0]
            if address.rpartition(".")[2].lower() not in _FILE_ENDINGS and not _is_credential(text, match.start()):
                start = match.start() + (1 if address[0] == "'" else 0)
                yield Span(start, match.end(), "EMAIL", address.lower())
        if " @" in text or "@ " in text:
            for match in _SPACED.finditer(text):
                yield Span(*match.span(), "EMAIL", re.sub(r"\s", "", match[0]).lower())
        if not text.isascii():
            for match in _EAST_ASIAN.finditer(text):
                yield Span(*match.span(), "EMAIL", match[0].lower())
    if "%40" in text:
        for match in _ENCODED.finditer(text):
            yield Span(*match.span(), "EMAIL", match[0].lower().replace("%40", "@"))
    if not _DOT_HINTS.isdisjoint(forms.words):
        for match in _IN_WORDS.finditer(text):
            yield Span(*match.span(), "EMAIL", re.sub(r"\s", "", match[0]).lower())
    if " AT " in text or any(map(lowered.__contains__, _SPELT_HINTS)):
        for match in _SPELT.finditer(text):
            yield Span(match.start(), match.end(), "EMAIL", re.sub(r"\s", "", match[0]).lower())


def _is_credential(text: str, start: int) -> bool:
    """Say whether this is 'secret@host' of a link such as postgres://user:secret@host."""
    if text[start - 1 : start] != ":":
        return False
    word = text[max(0, start - 120) : start].rpartition(" ")[2]
    return "://" in word
