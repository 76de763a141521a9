import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.tickets.cleaning.message import clean_message
from tests.engine.tickets.importing.hostile import HTML_UNITS, MAIL_UNITS, grows_in_proportion


def test_a_gmail_reply_is_left_without_quote_and_signature() -> None:
    html = (
        '<div dir="ltr">The green lamp works now.<div><br></div><div>Can I keep the old one?</div></div><br>'
        '<div class="gmail_signature">Ines<br>Harbour Street 4</div>'
        '<div class="gmail_quote"><div class="gmail_attr">On Tue, 4 Mar 2025 at 10:11, Lamp Shop &lt;'
        '<a href="mailto:help@lamps.example">help@lamps.example</a>&gt; wrote:<br></div>'
        "<blockquote>Please try the green one.</blockquote></div>"
    )
    assert clean_message(html, html=True) == "The green lamp works now.\n\nCan I keep the old one?"


def test_an_outlook_reply_is_cut_at_its_header_block() -> None:
    html = (
        '<p class="MsoNormal">Still dark.<o:p></o:p></p><p class="MsoNormal"><o:p>&nbsp;</o:p></p>'
        '<p class="MsoNormal">I checked the fuse.</p>'
        '<div style="border:none;border-top:solid #E1E1E1 1.0pt"><p class="MsoNormal"><b>From:</b> Lamp Shop<br>'
        "<b>Sent:</b> Tuesday, March 4, 2025 10:11 AM<br><b>To:</b> Ines<br><b>Subject:</b> RE: lamp</p></div>"
        "<p>Did you check the fuse?</p>"
    )
    assert clean_message(html, html=True) == "Still dark.\n\nI checked the fuse."


def test_outlook_on_the_web_is_cut_at_its_reply_mark() -> None:
    html = (
        '<div>It came today.</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg">From: Shop</div>'
        "<div>Did it come?</div>"
    )
    assert clean_message(html, html=True) == "It came today."


def test_apple_mail_loses_its_cited_block_and_the_line_before_it() -> None:
    html = (
        "<div>Yes, <i>both</i> bulbs.</div><div><br><blockquote type='cite'><div>On 4 Mar 2025, at 10:11, "
        "Lamp Shop &lt;help@lamps.example&gt; wrote:</div><div>Both?</div></blockquote></div>"
    )
    assert clean_message(html, html=True) == "Yes, both bulbs."


def test_thunderbird_loses_its_cite_prefix() -> None:
    html = (
        '<p>No.</p><div class="moz-cite-prefix">Am 04.03.25 um 10:11 schrieb Lampenladen:<br></div>'
        '<blockquote type="cite">Brennt sie?</blockquote><div class="moz-signature">-- <br>Ines</div>'
    )
    assert clean_message(html, html=True) == "No."


def test_a_forum_quote_goes_with_the_line_that_names_its_writer() -> None:
    html = '<em><p>ines4 <a href="#a1">said</a></p></em><blockquote>Dark again.</blockquote><p>Which bulb?</p>'
    assert clean_message(html, html=True) == "Which bulb?"


def test_a_citation_that_its_writer_announced_stays() -> None:
    html = "<p>The screen shows this message:</p><blockquote>Bulb 3 not found</blockquote><p>What now?</p>"
    assert clean_message(html, html=True) == "The screen shows this message:\n\n> Bulb 3 not found\n\nWhat now?"


def test_forwarded_mail_stays_because_it_is_the_message() -> None:
    text = (
        "Please see below.\n\n---------- Forwarded message ---------\nFrom: Carrier <post@carrier.example>\n"
        "Date: Tue, 4 Mar 2025\nSubject: Parcel\nTo: Ines\n\nYour parcel is lost."
    )
    assert clean_message(text, html=False) == "Please see below.\n\nYour parcel is lost."


def test_what_a_field_says_about_itself_is_checked() -> None:
    assert clean_message("<p>One</p><p>Two</p>", html=False) == "One\n\nTwo"
    assert clean_message("One\nTwo & three", html=True) == "One\nTwo & three"
    assert clean_message("One<br/>Two", html=False) == "One\nTwo"


def test_code_in_plain_text_is_not_taken_for_markup() -> None:
    text = "Put <div>x</div> into the page, then a <b> tag."
    assert clean_message(text, html=False) == text


@pytest.mark.parametrize(
    "body",
    [
        "> all of it\n> is quoted",
        "On Tue, 4 Mar 2025 at 10:11, Shop <a@b.example> wrote:\n> Lamp?",
        "-- \nInes",
        "Best regards,\nInes",
        "Sent from my iPhone",
        "-----Original Message-----",
        "From: a\nSent: 1 March 2025\nTo: b\nSubject: c",
        "##- Please type your reply above this line -##",
        "Am 04.03.25 um 10:11 schrieb Lampenladen:",
        "This email is confidential and intended solely for its recipient.",
    ],
)
def test_text_never_becomes_nothing(body: str) -> None:
    assert re.search(r"\w", clean_message(body, html=False))
    assert re.search(r"\w", clean_message(f"<div>{body}</div>", html=True))


@pytest.mark.parametrize(
    "html",
    [
        '<div class="gmail_quote">Only a quote</div>',
        "<blockquote type=cite>Only a quote</blockquote>",
        '<p style="display:none">Only hidden</p>',
        '<div class="signature">Only a signature</div>',
        "<template>Only a template</template>",
        "<div>" * 3000 + "Deep",
    ],
)
def test_markup_with_words_never_becomes_nothing(html: str) -> None:
    assert re.search(r"Only|Deep", clean_message(html, html=True))


def test_markup_without_words_is_empty() -> None:
    assert clean_message('<p><img src="https://track.example/1.gif" width="1" height="1">&nbsp;</p>', html=True) == ""
    assert clean_message(" \n\t", html=False) == ""
    assert clean_message("", html=True) == ""


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=400), st.booleans())
def test_any_string_gives_text_that_can_be_written(body: str, html: bool) -> None:
    cleaned = clean_message(body, html=html)
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert "\r" not in cleaned
    assert "\x00" not in cleaned
    if not html and re.search(r"[^\W_]", body.replace("<", "")) and "<" not in body and "&" not in body:
        assert cleaned


_PIECES = st.sampled_from(
    [
        *(
            "On Tue, 4 Mar 2025, Ines <a@b.example> wrote:\n",
            "> quoted\n",
            "-- \n",
            "word ",
            "\n\n",
            "From: a\nSent: 1\n",
        ),
        *("To: b\nSubject: c\n", "Best regards\n", "<p>", "</p>", "<blockquote>", "</blockquote>", "<ul><li>", "<pre>"),
        *("```\n", "said\n", "Ines\n", "&nbsp;", "Thanks,\n", "<b>", "<table><tr><td>", '<div class="gmail_quote">'),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_PIECES, max_size=25), st.booleans())
def test_any_mix_of_mail_parts_keeps_something(parts: list[str], html: bool) -> None:
    body = "".join(parts)
    cleaned = clean_message(body, html=html)
    assert cleaned or "word" not in body


@pytest.mark.parametrize("unit", MAIL_UNITS)
@pytest.mark.parametrize("tail", ["", "wrote:"])
def test_hostile_text_is_cleaned_in_bounded_time(unit: str, tail: str) -> None:
    assert grows_in_proportion(lambda text: clean_message(text, html=False), unit, tail)


@pytest.mark.parametrize("unit", [*HTML_UNITS, "&amp;", "> ", "-- \n"])
def test_hostile_markup_is_cleaned_in_bounded_time(unit: str) -> None:
    assert grows_in_proportion(lambda text: clean_message(text, html=True), unit, "end")


def test_markup_that_multiplies_itself_is_not_given_to_the_parser() -> None:
    # 80 kB of this made 1 GB of nodes in lexbor 2026-11.
    bomb = "<p>" + "".join(f"<b id={number}>" for number in range(300)) + "</p>" + "<p>x</p>" * 10_000
    assert clean_message(bomb, html=True).startswith("x")


def test_a_log_of_megabytes_comes_back_whole() -> None:
    log = "2025-03-04 10:11:12 worker 7 wrote: block\n" * 30_000
    assert clean_message(log, html=False).count("\n") == 29_999


def _mails(shared: Path, folder: str, pattern: str) -> list[Path]:
    found = sorted((shared / "mail" / folder).rglob(pattern))
    assert found
    return found


def test_one_reply_in_nine_mail_programs_is_one_text(shared: Path) -> None:
    replies = {
        clean_message(path.read_text(encoding="utf-8", errors="replace"), html=True)
        for path in _mails(shared, "talon/tests/fixtures/html_replies", "*.html")
    }
    assert len(replies) == 1
    assert len(replies.pop()) < 20


def test_no_quote_is_left_in_the_mails_of_two_parsers(shared: Path) -> None:
    texts = _mails(shared, "mail-parser-reply", "*.txt") + _mails(shared, "email_reply_parser", "*.txt")
    # The first is one line of 766 kB; the second is nothing but attributions, so its text is kept as it is.
    apart = {"email_long_quote.txt", "multiline_on_de.txt"}
    for path in texts:
        cleaned = clean_message(path.read_text(encoding="utf-8", errors="replace"), html=False)
        assert cleaned.strip(), path.name
        if path.name not in apart:
            assert not re.search(
                r"^>|wrote:$|schrieb .*:$|skrev .*:$|schreef.*:$|^-+ ?Original Message", cleaned, re.M
            ), path.name


def test_every_real_answer_keeps_its_words(shared: Path) -> None:
    different = total = 0
    for line in (shared / "tickets" / "zendesk_tickets.ndjson").open(encoding="utf-8"):
        for comment in json.loads(line)["comments"]:
            if "blockquote" in comment["html_body"]:
                continue
            from_html = re.sub(r"\]\(\S+?\)", "", clean_message(comment["html_body"], html=True))
            from_text = clean_message(comment["body"], html=False)
            total += 1
            different += _letters(from_html) != _letters(from_text)
    assert total > 1000
    assert different / total < 0.01


def _letters(text: str) -> str:
    """Letters and digits without the numbers of lists, which the plain bodies have lost."""
    return re.sub(r"[\W_]+", "", re.sub(r"^ *\d+\. ", "", text, flags=re.M))
