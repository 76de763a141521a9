import json
import re
from dataclasses import replace

from markupsafe import Markup

from engine.training.data.learn_view import LearnView, Piece
from engine.training.data.token_counts import TokenCounts
from tests.ui.fake_tickets import HOSTILE, FakeDataSet
from ui.tickets.views import learning

VIEW = LearnView(
    "7",
    (
        Piece(f"<|im_start|>user\n{HOSTILE}<|im_end|>\n", "context", 20),
        Piece("Hello!", "learnt", 2),
        Piece("<|im_end|>", "end", 1),
        Piece("too long", "cut", 2),
    ),
)


def test_every_part_is_told_by_more_than_colour():
    shown = learning.learning(FakeDataSet().rows[0], VIEW)
    assert "<mark class='piece piece-learnt'>Hello!</mark>" in shown
    assert "<del class='piece piece-cut'>too long</del>" in shown
    assert "piece-end" in shown
    for text in ("20 tokens", "2 tokens", "1 token", "read, not learnt", "so that the model stops", "struck through"):
        assert text in shown


def test_who_speaks_is_said_in_words_and_the_marks_of_the_template_on_request():
    """A support lead read '<|im_start|>user' above each message."""
    for mark, speaker in {
        "<|im_start|>user\n": "Customer",
        "<|start_header_id|>assistant<|end_header_id|>\n\n": "Agent",
        "<start_of_turn>model\n": "Agent",
        "<|system|>\n": "Standing instruction",
    }.items():
        shown = str(learning._in_words(f"{mark}Hello"))
        marks = str(Markup('<span class="special">{}</span>').format(mark))
        assert shown == f'<span class="speaker in-words">{speaker}</span>{marks}Hello'
    assert learning._in_words("the user said: assistant") == "the user said: assistant"
    shown = learning.learning(FakeDataSet().rows[0], VIEW)
    seen = re.sub(r'<span class="special">.*?</span>|title="[^"]*"', "", shown, flags=re.DOTALL)
    assert "im_start" not in seen
    assert "im_end" not in seen
    assert "show-marks" in seen


def test_text_from_outside_is_never_a_part_of_the_page():
    row = FakeDataSet().rows[0]
    assert "<img" not in learning.learning(row, VIEW)
    assert "<img" not in learning.plain_conversation(row, HOSTILE)
    assert "&lt;|im_start|&gt;" in learning.learning(row, VIEW)


def test_the_histogram_counts_every_conversation_once_and_draws_the_limit():
    lengths = (10, 64, 65, 511, 512, 513, 900)
    plot = json.loads(learning.histogram(counted(lengths, 512)))
    assert sum(bar["count"] for bar in plot["bars"]) == len(lengths)
    assert plot["line"]["x"] == 512
    assert all(left["to"] == right["from"] for left, right in zip(plot["bars"], plot["bars"][1:], strict=False))


def test_no_lengths_draw_nothing():
    assert learning.histogram(counted((), 512)) == ""


def test_the_verdict_says_what_is_cut():
    assert learning.verdict(counted((100,) * 200, 512)) == "No conversation is cut at 512 tokens."
    assert "4 % of the conversations are longer" in learning.verdict(counted((100,) * 96 + (600,) * 4, 512))


def test_tickets_that_the_recipe_cuts_are_named_with_the_way_to_them():
    cut = TokenCounts(512, 3, (600, 900, 100), 0, 0, 0, 0, 0, cut_tickets=((HOSTILE, 900), ("7", 600)))
    shown = learning.token_note(cut)
    assert "2 conversations longer than 512 tokens" in shown
    assert shown.index("900 tokens") < shown.index("600 tokens")
    assert 'data-do="pick" data-ticket="7"' in shown
    assert "<img" not in shown
    assert learning.cut_list(counted((100,), 512)) == ""


def test_each_answer_can_be_rewritten_by_its_own_number():
    row = FakeDataSet().rows[0]
    roles = [message.role for message in row.messages]
    assert roles == ["user", "assistant", "user", "assistant"]
    pieces = [
        Piece("a", "context", 1),
        Piece("b", "learnt", 1, 1),
        Piece("<|im_end|>", "end", 1, 1),
        Piece("c", "context", 1),
    ]
    shown = learning.learning(row, LearnView("7", (*pieces, Piece("d", "learnt", 1, 3), Piece("e", "cut", 1))))
    assert shown.index('data-number="1"') < shown.index('data-number="3"')
    assert shown.count('data-do="rewrite"') == 2
    assert learning.plain_conversation(row).count('data-do="rewrite"') == 2


def test_an_answer_of_weight_0_is_shown_as_what_it_is():
    row = FakeDataSet().rows[0]
    assert "not learnt" not in learning.plain_conversation(row)
    first, answer, *rest = row.messages
    shown = learning.plain_conversation(replace(row, messages=(first, replace(answer, learnt=False), *rest)))
    assert shown.count("Agent, read and not learnt") == 1


def test_a_conversation_offers_to_leave_out_itself_its_tags_and_its_agents():
    shown = learning.plain_conversation(replace(FakeDataSet().rows[1], tags=(HOSTILE,)), agents=[HOSTILE, "9"])
    assert 'data-do="drop"' in shown
    assert shown.count('data-do="agent"') == 2
    assert shown.count('data-do="tag"') == 1
    assert "<img" not in shown


def test_the_counts_of_the_whole_set_come_with_every_warning_and_its_remedy():
    counts = TokenCounts(
        512, 98, (600,) * 30 + (100,) * 70, 9_000, 4_000, 60, 120, 30, nothing_learnt=2, endless=5, not_found=1
    )
    shown = learning.token_note(counts)
    for text in (
        "9,000",
        "4,000",
        "end of turn",
        "nothing is learnt",
        "does not learn to stop",
        "lose an answer or a part of one",
    ):
        assert text in shown
    assert shown.count("Raise it to 640") == 1
    assert "template alters" in shown
    whole = TokenCounts(512, 70, (100,) * 70, 9_000, 4_000, 60, 0, 0)
    assert "banner" not in learning.token_note(whole)


def test_the_worst_finding_comes_first_and_nothing_is_called_good_beside_it():
    counts = TokenCounts(512, 98, (600,) * 30 + (100,) * 70, 9_000, 4_000, 60, 120, 30, nothing_learnt=2, endless=5)
    assert learning.verdict(counts).startswith("In 2 conversations nothing is learnt")
    assert "Good" not in learning.token_note(counts)


def test_what_a_template_costs_and_what_is_not_learnt_is_said():
    counts = TokenCounts(512, 70, (100,) * 70, 9_000, 4_000, 60, 0, 0, reasoning=1, context_only=3, read_again=1_234)
    shown = learning.token_note(counts)
    for text in ("reasoning in 1 answer", "3 answers marked with weight 0", "1,234 tokens are read again"):
        assert text in shown
    view = LearnView("7", VIEW.pieces, read_again=17)
    assert "17 tokens read again" in learning.learning(FakeDataSet().rows[0], view)


def counted(lengths, max_length):
    return TokenCounts(max_length, len(lengths), lengths, 0, 0, 0, 0, 0)
