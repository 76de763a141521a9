from pathlib import Path

import pytest

from engine.errors import TicketsError
from engine.tickets.conversation import TWICE, Conversation, LeftOut
from engine.tickets.importing.detect import SourceOverrides, detect
from engine.tickets.importing.readers.mail_parts import HEADER_CHARS, parse_mail
from tests.engine.tickets.exports import only, read, read_all, said, write

QUESTION = b"""From: Ada Lane <ada@customer.example>
To: support@shop.example
Subject: Lamp
Date: Thu, 02 Jan 2025 10:00:00 +0100
Message-ID: <1@customer.example>
Content-Type: text/plain; charset=utf-8

The lamp is dark.
"""
ANSWER = b"""From: =?utf-8?q?Cl=C3=A9o?= <cleo@shop.example>
To: ada@customer.example
Subject: Re: [#1234] Lamp
Date: Thu, 02 Jan 2025 11:00:00 +0100
Message-ID: <2@shop.example>
In-Reply-To: <1@customer.example>
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Dr=FCcken
--b
Content-Type: text/html; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

<p>Dr=FCcken</p>
--b--
"""
AWAY = b"""From: ada@customer.example
To: support@shop.example
Subject: Automatic reply: Lamp
Date: Thu, 02 Jan 2025 11:01:00 +0100
Message-ID: <3@customer.example>
References: <1@customer.example> <2@shop.example>
Auto-Submitted: auto-replied

I am away.
"""
OTHER = b"""From: bob@else.example
To: support@shop.example
Subject: Cable
Date: Fri, 03 Jan 2025 10:00:00 +0100
Message-ID: <4@else.example>

Where is it?
"""
LATER = b"""From: support@shop.example
To: bob@else.example
Subject: AW: Cable
Date: Fri, 03 Jan 2025 12:00:00 +0100
Message-ID: <5@shop.example>

>From here it left on Monday.
"""


def mbox(*mails: bytes) -> bytes:
    return b"".join(b"From someone@example.com Thu Jan  2 10:00:00 2025\n" + mail + b"\n" for mail in mails)


def test_a_mailbox_is_threaded_and_the_support_found(tmp_path: Path) -> None:
    path = write(tmp_path / "box", mbox(ANSWER, QUESTION, OTHER, AWAY, LATER))
    assert detect([path]).format == "mail"
    lamp, cable = sorted(read(path), key=lambda conversation: conversation.created_at)
    assert said(lamp) == [
        ("user", "public", "The lamp is dark.\n\n"),
        ("assistant", "public", "<p>Drücken</p>"),
        ("user", "auto_reply", "I am away.\n\n"),
    ]
    assert (lamp.subject, lamp.customer, lamp.people) == ("Lamp", "ada@customer.example", ("Cléo", "Ada Lane"))
    assert said(cable) == [
        ("user", "public", "Where is it?\n\n"),
        ("assistant", "public", "From here it left on Monday.\n\n"),
    ]


def test_single_mails_are_threaded_across_files(tmp_path: Path) -> None:
    files = [write(tmp_path / f"{number}.eml", mail) for number, mail in enumerate((QUESTION, ANSWER, OTHER))]
    assert sorted(len(conversation.messages) for conversation in read(*files)) == [1, 2]


def test_the_person_can_say_who_the_support_is(tmp_path: Path) -> None:
    path = write(tmp_path / "box", mbox(QUESTION, ANSWER))
    (found,) = read(path, overrides=SourceOverrides(agents=("customer.example",)))
    assert [role for role, _, _ in said(found)] == ["assistant", "user"]


def test_bounces_newsletters_and_spam_are_marked(tmp_path: Path) -> None:
    bounce = QUESTION.replace(b"text/plain; charset=utf-8", b"multipart/report; boundary=x")
    bulk = OTHER.replace(b"Subject", b"Precedence: bulk\nSubject")
    spam = LATER.replace(b"Subject", b"X-Spam-Flag: YES\nSubject")
    kinds = [kind for found in read(write(tmp_path / "box", mbox(bounce, bulk, spam))) for _, kind, _ in said(found)]
    assert sorted(kinds) == ["auto_reply", "auto_reply", "spam"]


def test_attachments_and_unknown_charsets_cost_nothing(tmp_path: Path) -> None:
    mail = ANSWER.replace(b"iso-8859-1", b"x-unknown").replace(
        b"--b--",
        b"--b\nContent-Type: text/html; name=a.html\nContent-Disposition: attachment; filename=a.html\n\n"
        b"<p>file</p>\n--b--",
    )
    (found,) = read(write(tmp_path / "1.eml", mail))
    assert found.messages[0].content == "<p>Drücken</p>"


def reply(body: bytes, headers: bytes = b"") -> bytes:
    """An answer to QUESTION with headers and a body of one's own."""
    return (
        b"From: support@shop.example\nTo: ada@customer.example\nSubject: Re: Lamp\nMIME-Version: 1.0\n"
        b"Date: Thu, 02 Jan 2025 11:00:00 +0100\nMessage-ID: <2@shop.example>\nIn-Reply-To: <1@customer.example>\n"
        + headers
        + b"\n"
        + body
    )


def answer(tmp_path: Path, *mails: bytes) -> str:
    """What the support said in the one thread of QUESTION and some mails."""
    (found,) = read(write(tmp_path / "box", mbox(QUESTION, *mails)))
    return "|".join(text.strip() for role, kind, text in said(found) if (role, kind) == ("assistant", "public"))


MIXED = b"Content-Type: multipart/mixed; boundary=B\n"
PLAIN = b"--B\nContent-Type: text/plain; charset=utf-8\n\nPlease unplug the lamp.\n"
FORWARDED = b"From: boss@shop.example\nSubject: internal\nContent-Type: text/html\n\n<p>never refund</p>\n"


@pytest.mark.parametrize("disposition", [b"attachment; filename=a.eml", b"inline", b""])
def test_a_message_inside_a_message_is_an_attachment(tmp_path: Path, disposition: bytes) -> None:
    named = b"Content-Disposition: " + disposition + b"\n" if disposition else b""
    inner = b"--B\nContent-Type: message/rfc822\n" + named + b"\n" + FORWARDED
    assert answer(tmp_path, reply(PLAIN + inner + b"--B--\n", MIXED)) == "Please unplug the lamp."


def test_texts_around_a_picture_are_one_letter(tmp_path: Path) -> None:
    picture = b"--B\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\nAAAA\n"
    page = b"--B\nContent-Type: text/html\n\n<p>%s</p>\n"
    body = page % b"Look here:" + picture + page % b"Then press." + b"--B--\n"
    assert answer(tmp_path, reply(body, MIXED)).split() == ["<p>Look", "here:</p>", "<p>Then", "press.</p>"]


def test_a_plain_letter_with_a_footer_in_html_keeps_both(tmp_path: Path) -> None:
    footer = b"--B\nContent-Type: text/html\n\n<p>Sent with care</p>\n--B--\n"
    said = answer(tmp_path, reply(PLAIN.replace(b"lamp.", b"lamp <now>."), MIXED).rstrip(b"\n") + b"\n" + footer)
    assert "Please unplug the lamp &lt;now&gt;." in said
    assert "Sent with care" in said


def test_of_alternatives_one_is_read_and_the_rest_of_the_mail_beside_it(tmp_path: Path) -> None:
    inner = (
        b"--B\nContent-Type: multipart/alternative; boundary=C\n\n--C\nContent-Type: text/plain\n\nplain\n"
        b"--C\nContent-Type: multipart/related; boundary=D\n\n--D\nContent-Type: text/html\n\n<p>page</p>\n"
        b"--D\nContent-Type: text/plain\n\nlegend of a picture\n--D--\n--C--\n"
        b"--B\nContent-Type: text/plain\n\nand the footer\n--B--\n"
    )
    found = answer(tmp_path, reply(inner, MIXED))
    assert "page" in found and "and the footer" in found
    assert "plain" not in found.replace("<p>page</p>", "") and "legend" not in found


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (b"Content-Type: text/plain; name=answer.txt\n", b"Please unplug the lamp."),
        (b"Content-Type: text/plain\nContent-Disposition: attachment; filename=a.txt\n", b"Please unplug the lamp."),
        (MIXED, PLAIN.replace(b"utf-8", b"utf-8; name=a.txt\nContent-Disposition: inline; filename=a.txt")),
    ],
)
def test_the_first_text_is_the_letter_though_it_has_a_file_name(tmp_path: Path, headers: bytes, body: bytes) -> None:
    log = b"--B\nContent-Type: text/plain; name=log.txt\n\n2025 ERROR\n--B--\n" if headers is MIXED else b""
    assert answer(tmp_path, reply(body + log, headers)) == "Please unplug the lamp."


@pytest.mark.parametrize(
    ("label", "codec", "words"),
    [
        ("gb2312", "gb18030", "您好，请等一分钟，朱镕基路。"),
        ("GBK", "gb18030", "㐂㐄请等"),
        ("ks_c_5601-1987", "cp949", "펲시 똠방 램프를 뽑고 기다려 주세요."),
        ("euc-kr", "cp949", "똠방각하 램프를 뽑고"),
        ("shift_jis", "cp932", "①分待ってください。髙橋"),
        ("x-sjis", "cp932", "①分待って"),
        ("windows-31j", "cp932", "①分待って"),
        ("iso-8859-8-i", "cp1255", "נא לנתק את המנורה"),
        ("big5", "big5hkscs", "請把燈拔掉，恒等一分鐘。"),
        ("windows-874", "cp874", "กรุณาถอดปลั๊กโคมไฟ"),
        ("tis-620", "cp874", "กรุณาถอดปลั๊ก…"),
        ("iso-8859-1", "cp1252", "Drücken Sie „Start“ – 5 €"),
        ("us-ascii", "cp1252", "Drücken"),
        ("iso-8859-9", "cp1254", "Lütfen lambayı çıkarın – şimdi"),
        ("x-mac-cyrillic", "mac_cyrillic", "Выключите лампу"),
        ("cp-850", "cp850", "Drücken"),
        ("utf-8", "utf-8", "Drücken 🎉"),
        ("iso-8859-1", "utf-8", "Drücken – 您好"),
        ("", "utf-8", "Drücken"),
        ("utf-8", "cp1252", "Drücken"),
        ("x-nobody-knows", "cp1252", "Drücken"),
    ],
)
def test_charsets_are_read_as_browsers_read_them(tmp_path: Path, label: str, codec: str, words: str) -> None:
    typed = f"Content-Type: text/plain; charset={label}\n" if label else "Content-Type: text/plain\n"
    mail = reply(words.encode(codec), f"{typed}Content-Transfer-Encoding: 8bit\n".encode())
    assert answer(tmp_path, mail) == words


def test_japanese_of_mail_has_the_characters_of_microsoft_too(tmp_path: Path) -> None:
    circled = b"\x1b$B-!\x1b(B " + "分待って".encode("iso2022_jp")
    assert answer(tmp_path, reply(circled, b"Content-Type: text/plain; charset=iso-2022-jp\n")) == "① 分待って"


@pytest.mark.parametrize(
    "meta", ["<meta charset='{}'>", '<META http-equiv="Content-Type" content="text/html; charset={}">']
)
@pytest.mark.parametrize(
    ("name", "codec", "words"), [("koi8-r", "koi8_r", "Выключите лампу"), ("gb2312", "gb18030", "请等一分钟朱镕基")]
)
def test_a_page_says_its_charset_itself(tmp_path: Path, meta: str, name: str, codec: str, words: str) -> None:
    page = f"<html><head>{meta.format(name)}</head><p>{words}</p></html>".encode(codec)
    assert words in answer(tmp_path, reply(page, b"Content-Type: text/html\nContent-Transfer-Encoding: 8bit\n"))


def test_an_answer_that_cannot_be_read_is_counted_and_not_learnt(tmp_path: Path) -> None:
    broken = "请等一分钟".encode("gb18030") + b"\xff\xff\x81"
    mail = reply(broken, b"Content-Type: text/plain; charset=gb2312\nContent-Transfer-Encoding: 8bit\n")
    (found,) = read(write(tmp_path / "box", mbox(QUESTION, mail)))
    assert [kind for _, kind, _ in said(found)] == ["public", "unreadable"]


@pytest.mark.parametrize(
    "line",
    [
        b"From our side nothing has changed since March 2025",
        b"From support@shop.example you will get a letter",
        b"From memory the lamp was made in 2019",
    ],
)
def test_a_line_that_begins_with_from_does_not_end_a_mail(tmp_path: Path, line: bytes) -> None:
    body = b"Thank you.\n\n" + line + b"\n\nPlease unplug it."
    assert answer(tmp_path, reply(body)) == body.decode()


@pytest.mark.parametrize(("quoted", "plain"), [(b">From here", b"From here"), (b">>From here", b">From here")])
def test_what_a_mailbox_put_before_such_a_line_goes(tmp_path: Path, quoted: bytes, plain: bytes) -> None:
    assert answer(tmp_path, reply(b"Thank you.\n\n" + quoted + b" on.\n")).endswith(plain.decode() + " on.")


def test_the_same_mail_of_two_folders_is_learnt_once_and_counted(tmp_path: Path) -> None:
    inbox = write(tmp_path / "Inbox", mbox(QUESTION, b"Status: RO\nX-Gmail-Labels: Inbox\n" + ANSWER))
    sent = write(tmp_path / "Sent", mbox(ANSWER, LATER))
    anonymous = OTHER.replace(b"Message-ID: <4@else.example>\n", b"")
    more = [write(tmp_path / name, mbox(anonymous)) for name in ("a", "b")]
    items = read_all(inbox, sent, *more)
    assert [item.reason for item in items if isinstance(item, LeftOut)] == [TWICE, TWICE]
    assert sum(len(item.messages) for item in items if isinstance(item, Conversation)) == 4


@pytest.mark.parametrize(
    "mark",
    [b"Precedence: bulk\n", b"Auto-Submitted: auto-generated\n", b"Precedence: list\nAuto-Submitted: auto-generated\n"],
)
def test_what_a_help_desk_marks_as_sent_by_a_program_is_an_answer(tmp_path: Path, mark: bytes) -> None:
    assert answer(tmp_path, reply(b"Please unplug the lamp.", mark)) == "Please unplug the lamp."


@pytest.mark.parametrize(
    ("mark", "body"),
    [
        (b"Auto-Submitted: auto-replied\n", b"Please unplug the lamp."),
        (b"Precedence: bulk\n", b"This is an automated reply. Your request has been received."),
        (b"Precedence: bulk\nX-Autoreply: yes\n", b"Please unplug the lamp."),
    ],
)
def test_what_a_program_wrote_is_none(tmp_path: Path, mark: bytes, body: bytes) -> None:
    assert answer(tmp_path, reply(body, mark)) == ""


def test_a_mark_before_the_headers_is_passed_over(tmp_path: Path) -> None:
    files = [write(tmp_path / f"{n}.eml", b"\xef\xbb\xbf" + mail) for n, mail in enumerate((QUESTION, ANSWER))]
    assert detect(files).format == "mail"
    (found,) = read(*files)
    assert len(found.messages) == 2 and found.subject == "Lamp"


def test_lines_that_a_mail_program_broke_are_joined(tmp_path: Path) -> None:
    flowed = b"Content-Type: text/plain; format=flowed\n"
    body = b"Please unplug \nthe lamp. \n\n  indented\n> quoted \n> goes on\n-- \nCleo\n"
    found = answer(tmp_path, reply(body, flowed))
    assert found.split("\n") == ["Please unplug the lamp. ", "", " indented", "> quoted goes on", "-- ", "Cleo"]
    joined = flowed.replace(b"flowed", b"flowed; delsp=yes")
    assert answer(tmp_path, reply(b"See https://shop.example/a- \nlong-link now.\n", joined)) == (
        "See https://shop.example/a-long-link now."
    )


def test_of_a_subject_of_a_hundred_thousand_encoded_words_the_beginning_is_read() -> None:
    """Joining them takes the square of their number."""
    words = "=?utf-8?B?eHl6?= " * 100_000
    mail = parse_mail(b"From: a@b.co\nSubject: " + words.encode() + b"\n\nHello\n", "a")
    assert mail is not None
    assert 1000 < len(mail.subject) < HEADER_CHARS


def test_real_mails_never_break_the_reader(shared: Path) -> None:
    files = [path for path in (shared / "mail").rglob("*.eml") if path.stat().st_size]
    assert len(files) > 80
    items = read_all(*files, overrides=SourceOverrides(format="mail"))
    assert {item.reason for item in items if isinstance(item, LeftOut)} <= {TWICE}
    found = [item for item in items if isinstance(item, Conversation)]
    assert sum(len(conversation.messages) for conversation in found) > 80
    assert {message.kind for conversation in found for message in conversation.messages} >= {"public", "auto_reply"}


def test_outlooks_headers_are_those_of_its_language(tmp_path: Path) -> None:
    table = (
        "Objet,Corps,De\u00a0: (nom),De\u00a0: (adresse),\u00c0\u00a0: (adresse)\n"
        "Lampe,Elle est noire.,Ada,ada@a.example,aide@shop.example\n"
        "RE: Lampe,Tournez-la.,Aide,aide@shop.example,ada@a.example\n"
    )
    path = write(tmp_path / "t.csv", table)
    assert detect([path]).format == "outlook"
    assert [turn[2] for turn in said(only(path))] == ["Elle est noire.", "Tournez-la."]


def test_what_apples_mail_program_puts_around_a_mail_is_taken_off(tmp_path: Path) -> None:
    mail = QUESTION.strip() + b"\n"
    path = write(tmp_path / "1.emlx", b"%d\n" % len(mail) + mail + b"<?xml version='1.0'?><plist><dict/></plist>\n")
    bare = read(write(tmp_path / "1.eml", mail))[0]
    assert (said(only(path)), only(path).subject) == (said(bare), bare.subject)


def test_outlooks_table_is_threaded_without_dates(tmp_path: Path) -> None:
    rows = [
        ("RE: Kettle", "Turn the lid.\n\n> It leaks.", "Ben Holt", "help@kettles.example", "ada@example.org"),
        ("RE: Kettle", "It is dry.\n\n> Turn the lid.\n>> It leaks.", "Ada", "ada@example.org", "help@kettles.example"),
        ("Kettle", "It leaks.", "Ada", "ada@example.org", "help@kettles.example"),
        ("Colours", "Which are there?", "Cara", "cara@example.net", "help@kettles.example"),
        ("RE: Colours", "Red and blue.\n\n> Which are there?", "Ben Holt", "help@kettles.example", "cara@example.net"),
    ]
    table = '"Subject","Body","From: (Name)","From: (Address)","To: (Address)"\n'
    table += "".join(",".join(f'"{cell}"' for cell in row) + "\n" for row in rows)
    path = write(tmp_path / "inbox.csv", table)
    assert detect([path]).format == "outlook" and "no dates" in detect([path]).cautions[0]
    kettle, colours = read(path)
    assert [(message.role, message.content.split("\n")[0]) for message in kettle.messages] == [
        ("user", "It leaks."),
        ("assistant", "Turn the lid."),
        ("user", "It is dry."),
    ]
    assert [message.role for message in colours.messages] == ["user", "assistant"]
    assert {"Ben Holt", "Ada"} <= set(kettle.people) and kettle.subject == "Kettle"
    with pytest.raises(TicketsError, match="without their words"):
        detect([write(tmp_path / "bare.csv", '"Subject","From: (Address)"\n"Kettle","ada@example.org"\n')])
