from pathlib import Path

from engine.tickets.detect import SourceOverrides, detect
from tests.engine.tickets.exports import read, said, write

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


def test_real_mails_never_break_the_reader(shared: Path) -> None:
    files = [path for path in (shared / "mail").rglob("*.eml") if path.stat().st_size]
    assert len(files) > 80
    found = read(*files, overrides=SourceOverrides(format="mail"))
    assert sum(len(conversation.messages) for conversation in found) > 80
    assert {message.kind for conversation in found for message in conversation.messages} >= {"public", "auto_reply"}
