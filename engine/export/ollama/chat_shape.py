"""ChatShape: what a chat template writes around what is said, found by writing conversations with markers.

Ollama has a template language of its own (Go's text/template), and no program translates Jinja into it. Almost every
chat template is one of a few pieces of text between the turns, whatever program it takes to say so: those are found by
asking it, and tried on longer conversations. A template that is no such thing is refused. Only whether white space
around what somebody said is dropped is not carried over: Ollama's language cannot.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import ModelError
from engine.model.chat_format import ChatFormat
from engine.turns import Turn

_SYSTEM, _ASKED, _TOLD = "QZXSYSTEMXZQ", "QZXASKEDXZQ", "QZXTOLDXZQ"
"""Letters only, so that no template alters them."""


@dataclass(frozen=True, slots=True)
class ChatShape:
    """The text of a template, piece by piece."""

    opening: str
    """Before the first question, without a standing instruction."""
    before_system: str
    """Before the standing instruction, where there is one."""
    after_system: str
    """Between the standing instruction and the first question."""
    before_answer: str
    """Between a question and the answer that it got."""
    before_question: str
    """Between an answer and the next question."""
    ask: str
    """Behind the last question."""

    def render(self, messages: Sequence[Turn]) -> str:
        """Write a conversation that waits for an answer: questions and answers in turn, an instruction before them."""
        system = [message["content"] for message in messages if message["role"] == "system"]
        text = f"{self.before_system}{system[0]}{self.after_system}" if system else self.opening
        for number, message in enumerate(turn for turn in messages if turn["role"] != "system"):
            if number:
                text += self.before_question if message["role"] == "user" else self.before_answer
            text += message["content"]
        return text + self.ask

    def go_template(self, begin: str) -> str:
        """Return it in Ollama's language (https://docs.ollama.com/modelfile#template).

        Every piece is a quoted string, so that no white space depends on where a line ends.

        Args:
            begin: The token that begins every text, which Ollama puts there itself; empty where nothing does.
        """
        opening = _quoted(self.opening.removeprefix(begin))
        before_system = _quoted(self.before_system.removeprefix(begin))
        return (
            f"{{{{- if .System }}}}{before_system}{{{{ .System }}}}{_quoted(self.after_system)}"
            f"{{{{ else }}}}{opening}{{{{ end }}}}\n"
            "{{- $asked := false }}\n"
            "{{- range $place, $_ := .Messages }}\n"
            f'{{{{- if eq .Role "user" }}}}{{{{ if $asked }}}}{_quoted(self.before_question)}{{{{ end }}}}'
            "{{ .Content }}{{ $asked = true }}"
            f"{{{{ if eq (len (slice $.Messages $place)) 1 }}}}{_quoted(self.ask)}{{{{ end }}}}\n"
            f'{{{{- else if eq .Role "assistant" }}}}{_quoted(self.before_answer)}{{{{ .Content }}}}{{{{ end }}}}\n'
            "{{- end }}"
        )


def shape_of(chat: ChatFormat) -> ChatShape:
    """Find the pieces of a template.

    Raises:
        ModelError: It writes turns otherwise than as one text before and one behind each.
    """
    asked, told = Turn(role="user", content=_ASKED), Turn(role="assistant", content=_TOLD)
    system = Turn(role="system", content=_SYSTEM)
    opening, first_ask = _cut(chat, [asked], _ASKED)
    before_system, after_system, _ = _cut(chat, [system, asked], _SYSTEM, _ASKED)
    _, before_answer, before_question, ask = _cut(chat, [asked, told, asked], _ASKED, _TOLD, _ASKED)
    shape = ChatShape(opening, before_system, after_system, before_answer, before_question, ask)
    if ask != first_ask or any(shape.render(trial) != chat.render(trial, ask=True) for trial in _trials()):
        raise _other_shape()
    return shape


def _cut(chat: ChatFormat, messages: Sequence[Turn], *markers: str) -> list[str]:
    """Write a conversation and cut it at its markers, each of which must stand in it once for every turn of it."""
    text = chat.render(messages, ask=True)
    pieces = []
    for marker in markers:
        piece, found, text = text.partition(marker)
        if not found:
            raise _other_shape()
        pieces.append(piece)
    return [*pieces, text]


def _trials() -> list[list[Turn]]:
    """Conversations of one to four questions, with a standing instruction and without."""
    words = [
        "Where is my parcel?",
        "It left us on Monday.",
        "Thank you! And the invoice?",
        "Attached.",
        "42",
        "Yes.",
        "ok",
    ]
    trials = []
    for length in (1, 3, 5, 7):
        turns = [
            Turn(role="assistant" if place % 2 else "user", content=word) for place, word in enumerate(words[:length])
        ]
        trials += [turns, [Turn(role="system", content="Be brief.\n\nSign as the workbench."), *turns]]
    return trials


def _other_shape() -> ModelError:
    return ModelError(
        "This model's chat template cannot be written in Ollama's language: it does not put one text before and one "
        "behind each turn.",
        "Take it home as 'gguf', and run it with llama.cpp or LM Studio, which read the template itself.",
    )


def _quoted(text: str) -> str:
    """A text as an action that writes it; JSON's escapes are Go's."""
    return f"{{{{ {json.dumps(text, ensure_ascii=False)} }}}}" if text else ""
