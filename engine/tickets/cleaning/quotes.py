"""Takes the older messages out of a mail's text: '>' lines, 'On Monday, Anna wrote:', Outlook's header blocks.

Own code, because the libraries tried could not be bounded: mail-parser-reply 1.36 needs 51 s for 40 kB of 'On a a a'.
Here every line is looked at a fixed number of times, and no pattern sees a line of more than 400 characters. All
languages are tried on every text, so that none has to be detected. Knows nothing about HTML, except that
:data:`~engine.tickets.cleaning.plain_text.QUOTED` stands where one quoted message was.
"""

import re
from collections.abc import Iterator

from engine.tickets.cleaning.attributions import AFTER_COLON, COLONS, VERB, Endings, find_attribution, names_a_writer
from engine.tickets.cleaning.plain_text import QUOTED, has_words
from engine.tickets.cleaning.quote_headers import header_length
from engine.tickets.cleaning.words import pattern

_MAX_LINE = 400
"""Characters; no header line of any mail program is longer."""
_MAX_HANDING_ON = 8
"""Lines that may precede a forwarded mail."""
_MAX_NAME_LINE = 100
"""Characters of 'user17 said', where nothing but the verb tells it from a sentence."""
_MAX_VERB = 30
_ANNOUNCING_WORDS = 2
"""'Hello:' greets, 'It says:' announces."""
_WRAPPED_FROM = 65
"""Characters of a quoted line that its program may have broken, leaving the rest without a mark."""
_LONGEST_REST = 40

_ENDS_IN_WROTE = re.compile(rf"{VERB}\W{{0,4}}$", re.IGNORECASE)
_LONE_VERB = re.compile(rf"^{VERB}\W{{0,3}}$", re.IGNORECASE)

_SEPARATOR = re.compile(rf"^\W{{2,40}}(?:{pattern('original_message')})\W{{0,40}}$", re.IGNORECASE)
_FORWARDED = re.compile(rf"^\W{{0,40}}(?:{pattern('forwarded_message')})\W{{0,40}}$", re.IGNORECASE)
_REPLY_LINE = re.compile(pattern("reply_line"), re.IGNORECASE)
_GROUPWISE = re.compile(r"^>>> ?[^>].{0,200}(?:>|\d) ?>>>$")
"""Novell's '>>> Anna <a@b> 04.03.2025 10:11 >>>'."""
_RULE = re.compile(r"^\W{0,3}[_\-=*\u2014\u2500]{5,}\W{0,3}$")
_PLEASE_SEE_BELOW = re.compile(
    r"\b(?:fyi|see below|below is|forward(?:ed|ing)?|siehe unten|s\. ?u\.|weiterleit\w*|zur info|ci-dessous|ver abajo"
    r"|vedi sotto|zie hieronder|poniżej)\b",
    re.IGNORECASE,
)
_PROMPT = re.compile(r">>>(?: |$)")
_LOOKS_LIKE_CODE = re.compile(r"[()=\[\]{}]|^(?:import|from|def|del|print|for|while|if|with|help) |\w\.\w|^\d|^$")
_FENCE = re.compile(r"^\s*`{3,}")


class _Source:
    """The lines of one text, and what can be known of them at a glance."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.fenced = _fenced(self.lines) if "```" in text else frozenset()
        self.prompts = frozenset(_prompts(self.lines)) if ">>>" in text else frozenset()
        """Lines of a Python session, whose '>>>' quotes nobody."""
        self.endings = Endings(self.lines, list(self._before_quotes()))

    def is_quoted(self, number: int) -> bool:
        """Say whether a line is marked as quoted."""
        line = self.lines[number]
        return line.startswith(QUOTED) or (line[:4].lstrip(" ").startswith(">") and number not in self.prompts)

    def next_with_words(self, index: int) -> int:
        """Return the first line from ``index`` on that is not blank, or the number of lines."""
        while index < len(self.lines) and not self.lines[index].strip():
            index += 1
        return index

    def _before_quotes(self) -> Iterator[int]:
        last = -1
        for number, line in enumerate(self.lines):
            if self.is_quoted(number) and last >= 0:
                yield last
            if line.strip():
                last = number


class _Newest:
    """The lines of the newest message so far; never two blank ones in a row, so that looking back is cheap."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.started = False
        """Whether there are words among them."""
        self.announced = False
        """Whether 'Anna wrote:' has just been skipped, so that a quote that follows is hers."""

    def add(self, line: str) -> None:
        if line or (self.lines and self.lines[-1]):
            self.lines.append(line)
            self.started = self.started or has_words(line)
            self.announced = self.announced and not line

    @property
    def last(self) -> int | None:
        """The number of the last line that is not blank."""
        for number in range(len(self.lines) - 1, max(-1, len(self.lines) - 4), -1):
            if self.lines[number].strip():
                return number
        return None


def strip_quotes(text: str) -> str:
    """Return the newest message of a mail's text.

    Answers between quoted lines are kept, and so is a citation that its writer announced ('It says:' and then '>').
    A header block or 'X wrote:' that opens the text is taken off without cutting what follows.

    Args:
        text: Sanitised text with line feeds as line ends.

    Returns:
        The text without quotes; empty when everything was quoted.
    """
    source, newest = _Source(text), _Newest()
    index = 0
    while index < len(source.lines):
        line = source.lines[index]
        if index in source.fenced:
            newest.add(line)
            index += 1
        elif source.is_quoted(index) and not _GROUPWISE.match(line[:_MAX_LINE]):
            index = _past_quoted_block(source, index, newest)
        elif not line or len(line) > _MAX_LINE:
            newest.add(line)
            index += 1
        else:
            ends_here, length = _history_at(source, index, newest)
            if ends_here:
                _drop_trailing_rules(newest.lines)
                break
            if length:
                newest.announced = True
            else:
                newest.add(line)
            index += length or 1
    return "\n".join(newest.lines).strip("\n")


def unquote(text: str) -> str:
    """Return the text with its '>' marks taken off: what is left when a message is nothing but a quote."""
    lines = (re.sub(r"^(?:[ ]{0,3}>){1,20} ?", "", line) for line in text.split("\n"))
    return "\n".join(lines).replace(QUOTED, "").strip()


def introduces(line: str) -> bool:
    """Say whether a line announces a citation of its writer ('The window says:') and not a mail ('Anna wrote:')."""
    line = line.rstrip(AFTER_COLON)[-_MAX_LINE:]
    return line[-1:] in COLONS and len(line.split()) >= _ANNOUNCING_WORDS and not _names_a_writer(line)


def _names_a_writer(line: str) -> bool:
    return names_a_writer(line) or _ENDS_IN_WROTE.search(line) is not None


def _history_at(source: _Source, index: int, newest: _Newest) -> tuple[bool, int]:
    """Look for the start of old messages at a line.

    Returns:
        Whether everything from here on is old, and how many lines are to be skipped when it is not.
    """
    line = source.lines[index]
    may_be_marker = not line[0].isalnum() or "bove" in line
    if may_be_marker and (_REPLY_LINE.search(line) or _SEPARATOR.match(line) or _GROUPWISE.match(line)):
        return (True, 0) if newest.started else (False, 1)
    if _FORWARDED.match(line):
        after = source.next_with_words(index + 1)
        return False, header_length(source.lines, after) + after - index
    said = _said_length(source, index)
    if said:
        return False, said
    header = header_length(source.lines, index, announced=_is_announced(newest))
    if header:
        return (True, 0) if newest.started and not _is_forwarding(newest) else (False, header)
    attribution = find_attribution(source.lines, index, source.endings)
    if not attribution:
        return False, 0
    after = source.next_with_words(index + attribution.lines)
    if after < len(source.lines) and source.is_quoted(after):
        return False, attribution.lines
    if not attribution.is_sure:
        return False, 0
    return (True, 0) if newest.started else (False, attribution.lines)


def _is_announced(newest: _Newest) -> bool:
    """Say whether the last line so far leads to what follows: 'The bounce says:'."""
    return newest.last is not None and introduces(newest.lines[newest.last])


def _is_forwarding(newest: _Newest) -> bool:
    """Say whether the few words so far only hand something on, which is then the message."""
    if len(newest.lines) > _MAX_HANDING_ON:
        return False
    return _PLEASE_SEE_BELOW.search("\n".join(newest.lines)) is not None


def _past_quoted_block(source: _Source, index: int, newest: _Newest) -> int:
    """Skip a run of quoted lines with the 'X said' before it, or keep it where its writer announced it."""
    end = index
    while end < len(source.lines) and (source.is_quoted(end) or _is_rest(source, index, end)):
        end += 1
    last = newest.last
    if last is not None and len(newest.lines[last]) <= _MAX_LINE:
        if not newest.announced and source.lines[index][0] != QUOTED and introduces(newest.lines[last]):
            for line in source.lines[index:end]:
                newest.add(line)
        elif len(newest.lines[last]) <= _MAX_NAME_LINE and _ENDS_IN_WROTE.search(newest.lines[last]):
            del newest.lines[last:]
    return end


def _is_rest(source: _Source, first: int, number: int) -> bool:
    """Say whether a line without a mark is what a mail program broke off the quoted line above it."""
    line = source.lines[number]
    if number == first or not line.strip() or len(line) > _LONGEST_REST or not source.is_quoted(number - 1):
        return False
    above = source.lines[number - 1].rstrip()
    overflows = len(above) + len(line.split(" ", 1)[0]) >= _WRAPPED_FROM + 8 and len(above) >= _WRAPPED_FROM
    goes_on = not above.endswith((".", "!", "?", ":")) and (line[0].islower() or "://" in above[-_WRAPPED_FROM:])
    ends = number + 1 == len(source.lines) or not source.lines[number + 1].strip() or source.is_quoted(number + 1)
    return overflows and goes_on and ends


def _said_length(source: _Source, index: int) -> int:
    """Return how many lines a forum's quote takes after its markup was flattened: a name, 'said', a blank, a paragraph.

    Without a line of its own for the verb there is no telling it from the writer's words, so anything else is 0.
    """
    lines = source.lines
    if not (index + 3 < len(lines) and _LONE_VERB.match(lines[index + 1][:_MAX_VERB]) and not lines[index + 2]):
        return 0
    if len(lines[index]) > _MAX_NAME_LINE or (index and lines[index - 1]):
        return 0
    end = index + 3
    while end < len(lines) and lines[end]:
        end += 1
    return end - index if source.next_with_words(end) < len(lines) else 0


def _drop_trailing_rules(lines: list[str]) -> None:
    while lines and (not lines[-1].strip() or (len(lines[-1]) <= _MAX_LINE and _RULE.match(lines[-1]))):
        lines.pop()


def _fenced(lines: list[str]) -> frozenset[int]:
    inside = False
    numbers: list[int] = []
    for number, line in enumerate(lines):
        fence = _FENCE.match(line) is not None
        if fence or inside:
            numbers.append(number)
        inside = inside != fence
    return frozenset(numbers)


def _prompts(lines: list[str]) -> Iterator[int]:
    """Yield the lines of Python sessions: runs of '>>>' of which one at least reads like code."""
    start = 0
    while start < len(lines):
        end = start
        while end < len(lines) and _PROMPT.match(lines[end]):
            end += 1
        run = [line[4 : _MAX_LINE + 4] for line in lines[start:end]]
        if any(map(_LOOKS_LIKE_CODE.search, run)):
            yield from range(start, end)
        start = max(end, start + 1)
