"""A conversation that is too long loses its oldest turns, and says so."""

import pytest

from engine.chat.context import fit
from engine.chat.playground import Sampling, answer
from engine.errors import StudioError
from tests.engine.chat.test_playground import BASE, StopsAt, final, tuned

SYSTEM = {"role": "system", "content": "Be kind."}


def encode(turns) -> list[int]:
    """One token a word, as a template without marks would."""
    return [len(word) for turn in turns for word in turn["content"].split()]


def talk(*lengths: int) -> list[dict[str, str]]:
    """Customer and agent in turn, with so many words."""
    roles = ("user", "assistant")
    return [{"role": roles[n % 2], "content": f"turn{n} " + "x " * (length - 1)} for n, length in enumerate(lengths)]


def test_what_fits_is_left_alone():
    fitted = fit(talk(5, 5, 5), encode, 100, 20)
    assert (len(fitted.prompt), fitted.room, fitted.left_off, fitted.note) == (15, 20, 0, "")


def test_a_model_whose_limit_is_not_known_reads_everything():
    assert fit(talk(500, 500, 500), encode, None, 20).left_off == 0


@pytest.mark.parametrize(("context", "left"), [(100, 0), (95, 0), (94, 2), (58, 2), (57, 4), (33, 4), (16, 4)])
def test_no_more_turns_are_left_off_than_has_to_be(context, left):
    fitted = fit(talk(20, 11, 20, 11, 13), encode, context, 20)
    assert fitted.left_off == left
    assert len(fitted.prompt) + fitted.room <= context
    assert fitted.prompt == tuple(encode(talk(20, 11, 20, 11, 13)[left:]))


def test_the_standing_instruction_stays_and_a_conversation_begins_with_a_question():
    fitted = fit([SYSTEM, *talk(20, 20, 20, 20, 5)], encode, 60, 8)
    assert fitted.left_off == 2
    assert fitted.prompt[:2] == tuple(encode([SYSTEM]))
    assert "2 messages were left off" in fitted.note
    assert "at most 60 tokens" in fitted.note


def test_two_messages_of_the_customer_in_a_row_stay_together():
    turns = [*talk(20, 20), {"role": "user", "content": "a " * 5}, {"role": "user", "content": "b " * 5}]
    fitted = fit(turns, encode, 30, 8)
    assert (fitted.left_off, len(fitted.prompt)) == (2, 10)


def test_the_answer_has_what_is_left_of_a_short_context():
    fitted = fit(talk(20, 20, 30), encode, 40, 200)
    assert (fitted.left_off, fitted.room) == (2, 10)


def test_a_question_that_alone_is_too_long_is_refused_before_anything_is_said():
    with pytest.raises(StudioError, match="The question is 50 tokens long, and this model reads at most 40"):
        fit(talk(20, 20, 50), encode, 40, 8)


def test_a_long_conversation_is_answered_and_each_voice_says_what_it_was_not_told(tiny_base, friendly):
    endless = StopsAt(tiny_base)
    long = [
        turn
        for n in range(12)
        for turn in (
            {"role": "user", "content": f"where is my parcel number {n} please"},
            {"role": "assistant", "content": "your parcel arrives on friday " * 4},
        )
    ]
    question = {"role": "user", "content": "and the lamp?"}
    greedy = Sampling(max_new_tokens=16)
    frame = final(endless, [BASE, tuned(friendly)], [[*long, question], [question]], greedy)
    first, second = frame.answers
    assert "messages were left off: this model reads at most 512 tokens" in first.note
    assert second.note == ""
    assert (first.tokens, first.stopped_by) == (16, "length")
    left = int(first.note.split()[2])
    assert 0 < left < len(long)
    alone = final(endless, [BASE], [[*long[left:], question]], greedy).answers[0]
    assert (first.text, alone.note) == (alone.text, "")
    *_, again = answer(endless, [BASE], [[*long, question]], greedy)
    assert again.answers[0].text == first.text
