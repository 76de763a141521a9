"""Strings of 100 kB that make careless patterns and parsers take minutes."""

import time
from collections.abc import Callable

SIZE = 100_000
"""Characters."""
MOMENT = 1.0
"""Seconds of computing; what grows with the square takes tens of them."""
MOST_GROWTH = 9.0
"""Between four, of what grows in proportion, and sixteen, of what grows with the square."""

MAIL_UNITS = (
    *(
        "On a ",
        "On 1.1.2020 wrote:\n",
        "On 1.1.2020 a@b wrote:\n\n",
        "wrote:\n",
        "20:20 wrote: ",
        "user\nsaid\n\nx\n\n",
    ),
    *("\n", " \n", "\t", "> ", ">\n", "\n>a\n\n", ":\n", "-- \n", "--\n", "_", "-", "=\n", "```\n", "a@b "),
    *("From: x\nSent: 1\n", "*From:* a\n", "From: a Sent: b To: c ", "Von: ", "-----Original Message-----\n"),
    *("Begin forwarded message:\n", "##- Please type your reply above this line -##\n", "Received: x\n"),
    *("Best regards\n", "Thanks\nA\n", "Sent from my a ", "This email is confidential ", "CAUTION: this ", "I am "),
    *(">>> a ", ">>> a\n", "Ann <\n", "Ann <a@b>\n", "On 1.1.2020 <\n\n", "1 a@b <a\n", "> " + "a" * 80 + "\nb\n"),
    *("&amp;", "&#", "&nbsp", "Ã¤", "â€™", "\x00", "\u200b", "\ud800", "\ue000\n", "\r", "\u2028", "写道"),
)
HTML_UNITS = (
    *("<", "<div>", "<p>", "<b>", "<b id=1>", "<p><b id=1>", '<a href="', '<a href="x:">', "<blockquote>", "<ul><li>"),
    *(
        '<blockquote style="border:none">',
        "<table><tr><td>",
        "<pre>",
        "<code>",
        "</div>",
        "<!--",
        "<![CDATA[",
        "<script>",
    ),
    *("<style>", "<svg>", "<select><option>", "<o:p>", "<br>", "data:image/png;base64,", "<ol><li><p>", "</p>"),
)
PRIVATE_UNITS = (
    *("1", "1 ", "1.", "1-", "+1", "00 ", "12 34 ", "1.1.1.1 ", "1:1:1:", "::", "a:", "a@", "a@b.co ", "a.", "a", "Aa"),
    *("DE89 3704 ", "DE89 3704 0044 0532 0130 00 ", "4111 1111 1111 1111 ", "+49 30 23125 148 ", "order # ", "tel "),
    *(
        "sk-",
        "eyJ" + "a" * 10 + ".",
        "-----BEGIN PRIVATE KEY-----",
        "key: ",
        "key: a1b2c3d4e5f6g7h8 ",
        "a=",
        "aBaBaB1 ",
    ),
    *("password is ", "password: ", "password for a ", "password is a ", "pin: 12 ", "http://a:b@", "?token=", "://"),
    *("https://a.b/?token=", "[EMAIL_1] a@b.co ", "[", "Anna ", "Schmidt, Anna ", "Hi Mark ", "\nMark\n", "a (at) "),
    *(
        "SSN ",
        "SSN: 1 ",
        "my SSN number is ",
        "DNI 1-",
        "born on 1 ",
        "born 1.",
        "login: ",
        "login: a/",
        "user: a ",
        "user/",
    ),
    *(
        "address: ",
        "address: A 1\n",
        "live at A ",
        "1 A ",
        "1 Rose Rd ",
        "rue A ",
        "Astr. 1 ",
        "A ",
        "12345678",
        "1234567Z ",
    ),
    *(
        "code sent ",
        "code you sent 1",
        "1 rue de la ",
        "ul. A 1, 00-000 A ",
        "北京市",
        "a at b dot ",
        "a%40",
        "AA0",
        "AA00 ",
    ),
    *("田中", "密码是", '"a', "\u2019", "1 000 ", "is ", "x://" + "a" * 60 + ":", "\ud800", "\x00"),
)


def filled(unit: str, tail: str = "", size: int = SIZE) -> str:
    """Return the unit repeated to so many characters, and a tail."""
    return (unit * (size // len(unit) + 1))[:size] + tail


def grows_in_proportion(work: Callable[[str], object], unit: str, tail: str = "") -> bool:
    """Say whether four times the text takes about four times the work, on any processor and however busy it is.

    What is done in a moment is not measured: a second look would see noise.
    """
    whole = seconds(work, filled(unit, tail))
    if whole < MOMENT:
        return True
    quarter = min(seconds(work, filled(unit, tail, SIZE // 4)) for _ in range(3))
    return min(whole, seconds(work, filled(unit, tail))) < MOST_GROWTH * quarter


def seconds(work: Callable[..., object], *given: object) -> float:
    """Return how long this thread computes; what others do meanwhile does not count."""
    began = time.thread_time()
    work(*given)
    return time.thread_time() - began
