"""A conversation as a file to keep or to send on: Markdown, a part for each voice."""

from collections.abc import Sequence

from engine.studio import Voice
from ui.playground import views
from ui.state.conversations import Conversation

WHO = {"user": "Customer", "assistant": "Answer", "system": "Standing instruction"}


def as_markdown(conversation: Conversation, voices: Sequence[Voice]) -> str:
    """Write down what each voice has heard and said, with the mark of the weights that answered last.

    Args:
        conversation: As it is.
        voices: In the order of the panes.
    """
    parts = ["# A conversation in the playground", ""]
    for voice in voices:
        reply = conversation.replies.get(views.lane(voice))
        mark = f" ({reply.weights})" if reply is not None and reply.weights else ""
        parts += [f"## {voice.label}{mark}", ""]
        for turn in conversation.hears(views.lane(voice)):
            parts += [f"**{WHO.get(turn['role'], turn['role'])}:**", "", _quoted(turn["content"]), ""]
    if conversation.reference:
        parts += [f"## The agent (ticket {conversation.ticket})", "", _quoted(conversation.reference), ""]
    return "\n".join(parts)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
