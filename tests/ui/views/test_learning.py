import json

from engine.training.examples import LearnView, Piece
from tests.ui.fake_studio import HOSTILE, FakeDataSet
from ui.views import learning

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


def test_text_from_outside_is_never_a_part_of_the_page():
    row = FakeDataSet().rows[0]
    assert "<img" not in learning.learning(row, VIEW)
    assert "<img" not in learning.plain_conversation(row, HOSTILE)
    assert "&lt;|im_start|&gt;" in learning.learning(row, VIEW)


def test_the_histogram_counts_every_conversation_once_and_draws_the_limit():
    lengths = (10, 64, 65, 511, 512, 513, 900)
    plot = json.loads(learning.histogram(lengths, 512))
    assert sum(bar["count"] for bar in plot["bars"]) == len(lengths)
    assert plot["line"]["x"] == 512
    assert all(left["to"] == right["from"] for left, right in zip(plot["bars"], plot["bars"][1:], strict=False))


def test_no_lengths_draw_nothing():
    assert learning.histogram((), 512) == ""


def test_the_verdict_says_what_is_cut():
    assert learning.verdict((100,) * 200, 512) == "Good: enough for a first run. No conversation is cut."
    assert "4 % of the conversations are longer" in learning.verdict((100,) * 96 + (600,) * 4, 512)
    assert learning.verdict((100,) * 10, 512).startswith("A very small set")
