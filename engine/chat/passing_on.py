"""What is said in place of an answer where a question is like none that was learnt: that a person should answer it."""

from engine.chat.records import Answer, AnswerFrame

PASS_ON = "I have not seen a question like this: please pass it to a person."


def passed_on(voice: str, coverage: float) -> AnswerFrame:
    """Return the last frame of an answer that is not given.

    Args:
        voice: The id of the voice that was asked.
        coverage: Of the question, 0 to 1.
    """
    note = f"Of 100 questions that were learnt, {100 - round(100 * coverage)} are closer to the others than this one."
    return AnswerFrame("", (Answer(voice, PASS_ON, 0, 0.0, done=True, stopped_by="end", note=note),))


def silent_frame(voice: str, stage: str) -> AnswerFrame:
    """Return a frame without a word, while something is being done."""
    return AnswerFrame(stage, (Answer(voice, "", 0, 0.0, done=False, stopped_by=None),))
