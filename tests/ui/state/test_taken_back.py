"""The newest question taken back, to be written anew or asked again."""

from dataclasses import replace

from ui.state.conversations import Conversation, Reply

BOTH = ("base", "tuned")


def said(conversation, question, **texts):
    asked = conversation.asked(tuple(texts), question)
    replies = {voice: Reply(text) for voice, text in texts.items()}
    return replace(asked, replies={**asked.replies, **replies}).answered(tuple(texts))


def test_the_question_and_its_answers_go_and_what_was_before_stays():
    first = said(Conversation(), "one", base="a", tuned="b")
    question, before = said(first, "two", base="c", tuned="d").taken_back()
    assert question == "two"
    assert before.lanes == first.lanes
    assert before.replies == {}
    assert before.taken_back()[0] == ""


def test_a_question_that_was_asked_twice_goes_once():
    first = said(Conversation(), "one", base="a")
    question, before = said(first, "one", base="b").taken_back()
    assert (question, before.lanes) == ("one", first.lanes)


def test_a_voice_that_was_not_asked_keeps_all():
    first = said(Conversation(), "one", base="a", tuned="b")
    _, before = said(first, "two", base="c").taken_back()
    assert before.lanes["tuned"] == first.lanes["tuned"]
    assert before.lanes["base"] == first.lanes["base"]


def test_nothing_to_take_back_is_no_question():
    assert Conversation().taken_back() == ("", Conversation())
