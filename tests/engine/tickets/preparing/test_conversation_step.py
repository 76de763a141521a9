from typing import Any

import orjson
import pytest

from engine.tickets.cleaning.small_talk import says_nothing
from engine.tickets.conversation import Conversation, Message
from engine.tickets.options import PrepareOptions
from engine.tickets.preparing.conversation_step import Tidied, tidy


def turn(role: str, content: str, **more: Any) -> Message:
    return Message(role, content, **more)  # type: ignore[arg-type]


def tidied(*messages: Message, options: PrepareOptions | None = None, **more: Any) -> Tidied:
    return tidy(Conversation("1", messages, **more), options or PrepareOptions())


def learnt(result: Tidied) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in orjson.loads(result.line)["messages"]]


def test_neighbours_are_merged_and_the_end_is_an_answer() -> None:
    result = tidied(
        turn("assistant", "Welcome to our shop!"),
        turn("user", "It is dark."),
        turn("user", "Help me."),
        turn("assistant", "Press the switch."),
        turn("assistant", "Then wait."),
        turn("user", "I will try."),
    )
    assert learnt(result) == [("user", "It is dark.\n\nHelp me."), ("assistant", "Press the switch.\n\nThen wait.")]
    assert [item.reason for item in result.left] == ["before the customer's first message", "no answer after it"]


def test_the_subject_goes_first_unless_the_message_begins_with_it() -> None:
    answer = turn("assistant", "Press the switch.")
    assert learnt(tidied(turn("user", "It is dark."), answer, subject="Lamp"))[0][1] == "Lamp\n\nIt is dark."
    assert learnt(tidied(turn("user", "lamp  broken\nIt is dark."), answer, subject="Lamp broken"))[0][1].startswith(
        "lamp"
    )
    assert learnt(tidied(turn("user", "It is dark."), answer))[0][1] == "It is dark."


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("note", "internal note"),
        ("draft", "draft"),
        ("bot", "bot or AI answer"),
        ("system", "system message"),
        ("redacted", "redacted"),
        ("truncated", "cut off in the export"),
        ("auto_reply", "automatic reply"),
        ("hidden", "hidden or deleted"),
    ],
)
def test_what_the_customer_did_not_see_is_left_out_and_named(kind: str, reason: str) -> None:
    result = tidied(
        turn("user", "It is dark."), turn("assistant", "Secret words", kind=kind), turn("assistant", "Press it.")
    )
    assert learnt(result) == [("user", "It is dark."), ("assistant", "Press it.")]
    assert [(item.reason, item.excerpt) for item in result.left] == [(reason, "Secret words")]


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([], "empty"),
        ([turn("user", " "), turn("assistant", "")], "empty"),
        ([turn("user", "It is dark.")], "no agent answer"),
        ([turn("assistant", "Buy our lamps today.")], "no customer message"),
        ([turn("user", "It is dark."), turn("assistant", "Thanks!")], "answer too short"),
        ([turn("user", "It is dark."), turn("assistant", "ok")], "answer too short"),
        ([turn("user", "It is dark."), turn("assistant", "I am a robot", kind="bot")], "bot or AI answer"),
        ([turn("user", "Buy!", kind="spam"), turn("assistant", "No", kind="spam")], "spam"),
        ([turn("user", "It is dark."), turn("assistant", "Hidden", kind="note")], "no agent answer"),
    ],
)
def test_the_reason_why_a_ticket_is_left_out_is_named(messages: list[Message], reason: str) -> None:
    assert tidied(*messages).reason == reason


PAIR = (turn("user", "My lamp in the kitchen is dark."), turn("assistant", "Please press the switch.", author="cleo"))


def test_the_persons_choices_leave_tickets_out() -> None:
    cases = {
        "not resolved": (PrepareOptions(resolved_only=True), {"status": "open"}),
        "another language": (PrepareOptions(languages=("de",)), {}),
    }
    for reason, (options, more) in cases.items():
        assert tidied(*PAIR, options=options, **more).reason == reason
        assert tidied(*PAIR, **more).reason == ""
    assert tidied(*PAIR, options=PrepareOptions(exclude_agents=("Cleo",))).reason == "no agent answer"
    assert tidied(*PAIR, options=PrepareOptions(resolved_only=True), status="Solved").reason == ""
    assert tidied(*PAIR, options=PrepareOptions(languages=("en",))).reason == ""


def test_a_message_of_megabytes_is_left_out() -> None:
    result = tidied(PAIR[0], turn("user", "log line\n" * 200_000), PAIR[1])
    assert [item.reason for item in result.left] == ["longer than 100,000 characters"]
    assert learnt(result)[0][1] == PAIR[0].content


def test_personal_data_is_masked_in_messages_subject_and_what_is_left_out() -> None:
    mail = "ada@customer.example"
    result = tidied(
        turn("user", f"Write to {mail}."),
        turn("assistant", f"Internal: {mail}", kind="note"),
        turn("assistant", f"We wrote to {mail}."),
        subject=f"From {mail}",
    )
    assert mail.encode() not in result.line
    assert mail not in "".join(item.excerpt for item in result.left)
    assert result.line.count(b"[EMAIL_1]") == 4
    assert mail.encode() in result.redactions
    assert mail.encode() in tidied(*PAIR[:1], turn("assistant", f"To {mail}."), options=PrepareOptions(mask=False)).line
    dropped = tidied(turn("user", f"Nobody answers {mail}"))
    assert dropped.reason and mail not in dropped.shown


@pytest.mark.parametrize(
    "answer", ["Thanks!", "ok", "You're welcome.", "Danke schön!", "Done.", "merci beaucoup", "ありがとう"]
)
def test_thanks_teach_nothing(answer: str) -> None:
    assert says_nothing(answer)


@pytest.mark.parametrize("answer", ["Yes.", "apparently.", "Press it.", "See example.com", "42"])
def test_short_answers_that_say_something_stay(answer: str) -> None:
    assert not says_nothing(answer)
    assert tidied(PAIR[0], turn("assistant", answer)).reason == ("answer too short" if len(answer) < 4 else "")


def test_reasoning_inside_an_answer_is_left_out_and_counted_while_a_customers_words_stay() -> None:
    asked = turn("user", "What does <think>hm</think> mean?")
    result = tidied(asked, turn("assistant", "<think>\nI must look.\n</think>\n\nIt is what the model thinks."))
    assert learnt(result) == [(asked.role, asked.content), ("assistant", "It is what the model thinks.")]
    assert [item.reason for item in result.left] == ["reasoning inside an answer"]
    alone = tidied(asked, turn("assistant", "<think>I must look.</think>"))
    assert alone.reason == "no agent answer"


def test_neighbours_are_learnt_together_only_if_both_may_be() -> None:
    result = tidied(
        turn("user", "It is dark."),
        turn("assistant", "Who cares, really."),
        turn("assistant", "Press the switch.", learnt=False),
        turn("user", "And then?"),
        turn("assistant", "Then wait a minute."),
        turn("user", "And now?"),
        turn("assistant", "Nobody knows that.", learnt=False),
    )
    messages = orjson.loads(result.line)["messages"]
    assert [message.get("weight") for message in messages] == [None, 0, None, None]
    assert [item.reason for item in result.left] == [
        "marked as not to be learnt",
        "no answer after it",
        "read, not learnt (weight 0)",
    ]
    assert result.facts and result.facts.answer_chars == (len("Then wait a minute."),)
