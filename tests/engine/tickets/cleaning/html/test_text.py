import pytest

from engine.tickets.cleaning.html.guard import is_affordable, strip_tags, without_payloads
from engine.tickets.cleaning.html.links import link_text
from engine.tickets.cleaning.html.text import html_to_text


def test_a_div_is_a_line_and_a_paragraph_a_block() -> None:
    assert html_to_text("<div>a</div><div>b</div><p>c</p><p>d</p>") == "a\nb\n\nc\n\nd"


def test_an_empty_div_is_a_blank_line() -> None:
    assert html_to_text("<div>a</div><div><br></div><div>b</div>") == "a\n\nb"


def test_line_breaks_and_white_space_are_read_as_a_browser_does() -> None:
    assert html_to_text("a\n  b<br>c<br><br>d &nbsp; e") == "a b\nc\n\nd e"


def test_words_are_not_glued_and_not_torn_by_inline_markup() -> None:
    assert html_to_text("<p>Open <b>File </b>then<b> Save</b>, <i>re</i>start</p>") == "Open File then Save, restart"


def test_lists_keep_their_marks_numbers_and_depth() -> None:
    html = "<p>Do:</p><ol start=3><li>one<ul><li>x</li><li><p>y</p></li></ul></li><li>two</li></ol><p>Done</p>"
    assert html_to_text(html) == "Do:\n\n3. one\n   - x\n   - y\n4. two\n\nDone"


def test_code_keeps_its_white_space() -> None:
    html = "<p>Run <code>lamp  on</code>:</p><pre><code>if dark:\n    on()</code></pre>"
    assert html_to_text(html) == "Run `lamp on`:\n\n```\nif dark:\n    on()\n```"


def test_a_fence_is_longer_than_the_back_ticks_inside() -> None:
    assert html_to_text("<pre>a\n```\nb</pre>") == "````\na\n```\nb\n````"


def test_links_keep_their_address_once() -> None:
    assert link_text("the guide", "https://lamps.example/guide") == "[the guide](https://lamps.example/guide)"
    assert link_text("https://lamps.example/", "https://lamps.example") == "https://lamps.example/"
    assert link_text("lamps.example", "http://www.lamps.example/") == "lamps.example"
    assert link_text("a@b.example", "mailto:a@b.example") == "a@b.example"
    assert link_text("https://lamps.example/gui...", "https://lamps.example/guide") == "https://lamps.example/guide"


@pytest.mark.parametrize("address", ["#top", "javascript:alert(1)", "", "/relative", "https://x.example/?" + "t" * 600])
def test_an_address_that_leads_nowhere_is_left_out(address: str) -> None:
    assert link_text("here", address) == "here"


def test_redirects_are_taken_off() -> None:
    safe = "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Flamps.example%2Fg&data=ines%40x.example"
    assert link_text("guide", safe) == "[guide](https://lamps.example/g)"
    assert (
        link_text("guide", "https://www.google.com/url?q=https://lamps.example/g&sa=D")
        == "[guide](https://lamps.example/g)"
    )


def test_a_data_table_becomes_rows_and_a_layout_table_lines() -> None:
    data = "<table><tr><th>Lamp</th><th>Price</th></tr><tr><td>Green</td><td>12</td></tr></table>"
    assert html_to_text(data) == "| Lamp | Price |\n| --- | --- |\n| Green | 12 |"
    layout = "<table><tr><td><table><tr><td>Hello Ines</td></tr></table></td></tr><tr><td><p>Bye</p></td></tr></table>"
    assert html_to_text(layout) == "Hello Ines\n\nBye"


def test_styles_scripts_pixels_and_hidden_words_go() -> None:
    html = (
        "<style>p{}</style><script>x()</script><p>Seen</p><p style='display: none'>Preheader</p>"
        "<img src='https://t.example/p.gif' width=1 height=1 alt='tracking pixel'><p hidden>Hidden</p>"
    )
    assert html_to_text(html) == "Seen"


def test_an_emoji_image_is_a_word() -> None:
    assert html_to_text("<p>Great <img class='emoji' alt='😀' src='x'></p>") == "Great 😀"


def test_an_indented_block_is_the_writers_own_text() -> None:
    html = "<div>Steps</div><blockquote style='margin:0 0 0 40px;border:none;padding:0px'><div>Reset</div></blockquote>"
    assert html_to_text(html) == "Steps\n\nReset"


def test_entities_cannot_bring_back_what_was_taken_out() -> None:
    assert html_to_text("<p>a&#8203;b&#xE000;c&#7;</p><pre>d&#8203;e</pre>") == "abc\n\n```\nde\n```"


@pytest.mark.parametrize(
    "html", ["<p>a", "a</p></div>", "<ul><li>a</ul>", "<a href=x>a", "<pre>a", "<table><td>a", "<b><p>a</b></p>", "a<"]
)
def test_broken_markup_keeps_its_words(html: str) -> None:
    assert "a" in html_to_text(html)


def test_dear_markup_is_found_before_it_is_parsed() -> None:
    assert is_affordable("<div><p>a</p></div>" * 5000)
    assert not is_affordable("<div>" * 50_000)
    assert not is_affordable("<p>" + "<b id=1>" * 300 + "</p>" + "<p>x</p>" * 10_000)


def test_the_way_round_the_parser_keeps_words_and_lines() -> None:
    assert strip_tags("<style>p{}</style><p>a<br>b</p><!-- c --><b>d</b>").split() == ["a", "b", "d"]


def test_inline_images_are_dropped_before_parsing() -> None:
    assert len(without_payloads(f'<img src="data:image/png;base64,{"A" * 5000}">')) < 50
