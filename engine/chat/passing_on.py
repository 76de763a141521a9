"""What is said in place of an answer where a question is like none that was learnt: that a person should answer it."""

from collections.abc import Sequence

from engine.chat.records import Answer, AnswerFrame

PASS_ON = "I have not seen a question like this: please pass it to a person."


def passed_on(voices: Sequence[str], coverage: float) -> AnswerFrame:
    """Return the last frame of answers that are not given.

    Args:
        voices: The ids of the voices that were asked.
        coverage: Of the question, 0 to 1.
    """
    note = f"Of 100 questions that were learnt, {100 - round(100 * coverage)} are closer to the others than this one."
    return AnswerFrame("", tuple(Answer(voice, PASS_ON, 0, 0.0, True, "end", note=note) for voice in voices))
