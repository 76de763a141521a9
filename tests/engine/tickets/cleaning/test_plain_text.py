import pytest

from engine.tickets.cleaning.message import clean_message
from engine.tickets.cleaning.plain_text import (
    QUOTED,
    decode_quoted_printable,
    has_words,
    mend_mojibake,
    sanitise,
    tidy,
    unescape_entities,
)


def test_characters_that_nobody_sees_go() -> None:
    assert sanitise("a\x00b\u200bc\ufeffd\xade\x07") == "abcde"
    assert sanitise(f"a{QUOTED}b") == "ab"


def test_line_ends_become_line_feeds_and_odd_spaces_spaces() -> None:
    assert sanitise("a\r\nb\rc\u2028d\u00a0e\u202ff") == "a\nb\nc\nd e f"


def test_joiners_stay_for_emoji_families_and_persian() -> None:
    assert sanitise("👨\u200d👩 می\u200cروم") == "👨\u200d👩 می\u200cروم"


def test_a_lone_surrogate_is_replaced_so_that_the_text_can_be_written() -> None:
    assert sanitise("a\ud800b") == "a\ufffdb"


def test_windows_controls_become_the_characters_they_were() -> None:
    assert sanitise("it\x92s \x93dark\x94 \x85") == "it’s “dark” …"


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        ("it&amp;#x27;s &amp;#39;on&amp;#39;", "it's 'on'"),
        ("caf&amp;eacute; &amp;ndash; 5&amp;nbsp;&amp;euro;", "café – 5\xa0€"),
        ("&amp;quot;a&amp;quot; &amp;amp; b", '"a" & b'),
        ("write &amp;lt; for <", "write &lt; for <"),
        ("in `&amp;nbsp;` and &amp;nbsp;", "in `&nbsp;` and \xa0"),
    ],
)
def test_entities_that_were_escaped_twice_are_turned_back_outside_of_code(escaped: str, text: str) -> None:
    assert unescape_entities(escaped) == text


def test_entities_that_were_escaped_twice_are_turned_back_in_markup() -> None:
    body = (
        "<p>It&amp;#x27;s &amp;quot;on&amp;quot;, caf&amp;eacute;</p><p>Write <code>&amp;nbsp;</code> or &amp;lt;.</p>"
    )
    assert clean_message(body, html=True) == 'It\'s "on", café\n\nWrite `&nbsp;` or &lt;.'
    assert clean_message("<p>a&amp;#8203;b&amp;#7;c</p>", html=True) == "abc"


def test_entities_are_turned_back_but_not_in_query_strings() -> None:
    assert unescape_entities("a &amp; b &lt;c&gt; &#39;d&#39; &nbsp;") == "a & b <c> 'd' \xa0"
    assert unescape_entities("a&amp;nbsp;b &amp;quot;c&amp;quot;") == 'a\xa0b "c"'
    assert unescape_entities("https://lamps.example/?a=1&copy=2&reg=3") == "https://lamps.example/?a=1&copy=2&reg=3"


def test_mojibake_is_mended_and_healthy_text_left_alone() -> None:
    assert mend_mojibake("GrÃ¼ÃŸe aus KÃ¶ln â€“ itâ€™s dark") == "Grüße aus Köln – it’s dark"
    for healthy in ("Grüße aus Köln – it’s dark", "ÃO", "Â", "São Paulo, ÇA VA", "Ångström â la carte"):
        assert mend_mojibake(healthy) == healthy


def test_quoted_printable_is_decoded_only_where_it_is_some() -> None:
    assert decode_quoted_printable("Gr=C3=BC=C3=9Fe aus=\n K=C3=B6ln und=\n mehr") == "Grüße aus Köln und mehr"
    for plain in ("a =\nb", "x=20\ny=3D", "1 + 1 =\n2 =\n3"):
        assert decode_quoted_printable(plain) == plain


def test_blank_lines_and_trailing_spaces_go_and_columns_stay() -> None:
    assert tidy("a  \n\n\n\nb.  c\t\n") == "a\n\nb. c"
    assert tidy("lamp      12\nbulb       3") == "lamp      12\nbulb       3"
    assert tidy("    indented\n") == "    indented"


def test_a_pictogram_is_an_answer_and_a_dash_is_none() -> None:
    assert has_words("👍")
    assert has_words("谢谢")
    assert not has_words(f"— {QUOTED} …\n")
