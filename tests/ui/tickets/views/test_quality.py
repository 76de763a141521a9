from dataclasses import replace

from engine.training.data.token_counts import TokenCounts
from tests.ui.fake_tickets import HOSTILE, FakeDataSet
from ui import bars
from ui.tickets.views import quality

REPORT = replace(
    FakeDataSet().report,
    languages={"en": 50, "de": 8, "und": 2},
    median_answer_chars=120,
    quality={
        "verdict": "poor",
        "headline": "Not ready: Too few to train: 12; at least 50 are wanted.",
        "findings": [
            {"level": "poor", "text": "Too few to train: 12; at least 50 are wanted."},
            {"level": "good", "text": "Several languages: en 80 %, de 20 %."},
        ],
        "topics": [[HOSTILE, 30], *([f"tag{number}", 5] for number in range(12))],
        "topics_from": "tags",
        "answer_histogram": [1, 2, 3, 0, 0],
        "edges": [0, 25, 50, 100, 200],
        "near_identical_share": 0.24,
        "canned": [{"answer": HOSTILE, "times": 9}],
        "contradictions": [{"question": HOSTILE, "tickets": ["50", "51"], "answers": ["Yes.", HOSTILE]}],
    },
)


def test_the_verdict_is_in_words_and_every_plot_can_be_read_aloud():
    shown = quality.sheet(REPORT)
    assert shown.count("Too few to train: 12; at least 50 are wanted.") == 1
    assert "Several languages" in shown
    assert shown.count("Tickets per tag") == 1
    assert "German" in shown and "undetermined" in shown
    assert "24 %" in shown and "9×" in shown
    assert 'role="img" aria-label="Length of the answers. Half of the answers have 120' in shown
    assert "<caption>Length of the answers" in shown


def test_answers_that_contradict_each_other_stand_side_by_side_and_can_be_opened():
    shown = quality.sheet(REPORT)
    assert "1 question asked word for word again" in shown
    assert shown.count('data-do="pick"') == 2
    assert 'data-ticket="51"' in shown


def test_text_from_outside_is_never_a_part_of_the_page():
    assert "<img" not in quality.sheet(REPORT)
    assert "<img" not in quality.verdict_line(replace(REPORT, quality={**REPORT.quality, "headline": HOSTILE}))


def test_more_topics_than_fit_are_summed_up():
    assert "3 more tags." in quality.sheet(REPORT)
    worded = replace(REPORT, quality={**REPORT.quality, "topics_from": "words"})
    assert "There are no tags; these are words of the subjects." in quality.sheet(worded)


def test_a_data_set_of_an_older_version_says_how_to_get_a_report():
    assert "Prepare the tickets again" in quality.sheet(FakeDataSet().report)
    assert quality.verdict_line(FakeDataSet().report) == ""


def test_columns_name_their_bins_and_nothing_draws_nothing():
    shown = bars.columns("Lengths", [("0", 3), ("25", 6)], "characters", "answers")
    assert "25 to more characters: 6 answers" in shown
    assert shown.count("<rect") == 2
    assert bars.columns("Lengths", [("0", 0)], "characters", "answers") == ""
    assert bars.bar_table(("Topic", "Tickets"), [], 3) == ""


def test_what_was_left_out_since_is_said_to_be_counted_still():
    whole = replace(REPORT, conversations_kept=60)
    assert "left out since" not in quality.sheet(whole)
    assert "left out since" in quality.sheet(replace(whole, conversations_kept=59))


def test_every_language_has_a_name_or_stays_as_it_is():
    assert quality.language_name("de") == "German"
    assert quality.language_name("tlh") == "tlh"


def test_there_is_one_verdict_and_it_knows_the_tokens():
    good = {**REPORT.quality, "verdict": "good", "headline": "Ready to train: nothing stands out."}
    report = replace(REPORT, quality=good)
    fits = TokenCounts(512, 300, (100,) * 300, 9_000, 4_000, 300, 0, 0)
    cut = TokenCounts(512, 300, (100,) * 300, 9_000, 4_000, 300, 0, 0, endless=7)
    assert "nothing stands out" in quality.verdict_line(report) and "badge-fits" in quality.verdict_line(report, fits)
    assert "nothing stands out" not in quality.sheet(report), "below the line that knows the tokens"
    assert "not counted yet" in quality.verdict_line(report)
    assert "not counted yet" not in quality.verdict_line(report, fits)
    shown = quality.verdict_line(report, cut)
    assert "nothing stands out" not in shown and "badge-tight" in shown
    assert "In 7 conversations the end of the answer is cut off" in shown
    assert quality.verdict_line(REPORT, cut) == quality.verdict_line(REPORT)
    fair = replace(report, quality={**good, "verdict": "fair", "findings": [{"level": "fair", "text": "Few."}]})
    assert "with 2 things to know: In 7 conversations" in quality.verdict_line(fair, cut)
