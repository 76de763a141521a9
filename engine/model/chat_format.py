"""ChatFormat: how a model writes conversations down: tokenizer, chat template, and the mark that ends a turn.

It knows the template, not what is learnt from it (training/examples.py) nor how answers are decoded (chat/decoding.py).
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from engine.errors import ModelError
from engine.model.errors import explain
from engine.model.libraries import import_all
from engine.model.sources import loading_options, resolve
from engine.reasoning import without_reasoning
from engine.task import Report
from engine.turns import Turn

DEFAULT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ message['content'] + '\n\n' }}"
    "{% elif message['role'] == 'user' %}{{ '### Customer:\n' + message['content'] + '\n\n' }}"
    "{% else %}{{ '### Agent:\n' + message['content'] + eos_token + '\n\n' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '### Agent:\n' }}{% endif %}"
)
"""For base models without a template: plain words instead of new tokens, the model's own end-of-text after each answer.
It is saved with the adapter, so that whoever loads the adapter speaks the same way."""

PROBE = "QZXANSWERXZQ"
"""Stands in for an answer while its place in a template is looked up; letters only, so that no template alters it."""

TEMPLATE_DATE = date(2024, 7, 26)
"""What a template that writes today's date gets instead, so that a run resumed tomorrow learns the same tokens and an
adapter is asked as it has learnt. Llama's own templates fall back on this day."""

_TODAY = re.compile(r"strftime_now\(\s*(['\"])(.*?)\1\s*\)")
_EMPTY_THOUGHT = re.compile(r"<((?:seed:)?think|thinking|reasoning)>\s*</\1>\s*\Z")
_OPEN_THOUGHT = re.compile(r"<((?:seed:)?think|thinking|reasoning)>\s*\Z")


@dataclass(frozen=True, slots=True)
class Answered:
    """A conversation that ends with an answer, as the model reads it: the prompt it is asked with, then the answer."""

    text: str
    prompt: int
    """Characters of the prompt, which is ``render(messages[:-1], ask=True)``."""
    start: int
    """Where what is learnt begins: at most ``prompt``."""
    end: int
    """Where the answer's words end."""
    mark_end: int
    """Where the token that ends the answer ends."""


@dataclass(frozen=True)
class ChatFormat:
    """A tokenizer with its template.

    Args:
        tokenizer: A fast tokenizer of transformers; its ``chat_template`` is set.
        end_of_turn: The text of the special token that ends an answer, such as '<|im_end|>'.
        stop_ids: Token ids at which decoding ends.
        default_template: Whether the model had none and :data:`DEFAULT_TEMPLATE` stands in.
        appends_end: Whether the template puts nothing after an answer, so that training must add the end token itself.
        tail: What the template writes after an answer that ends a conversation, its end token included.
        opening: What is written between the template's own prompt and the words of an answer: the end of a thought that
            the prompt has begun (DeepSeek-R1), or where the answer goes (gpt-oss). It belongs to every prompt here.
        opening_learnt: Whether the opening is learnt too, for programs that ask with the template's own prompt.
    """

    tokenizer: Any
    end_of_turn: str
    stop_ids: frozenset[int]
    default_template: bool
    appends_end: bool
    tail: str = ""
    opening: str = ""
    opening_learnt: bool = False

    @property
    def template(self) -> str:
        """The chat template's source (Jinja)."""
        return str(self.tokenizer.chat_template)

    @property
    def pad_id(self) -> int:
        """The id that fills batches: the pad token, else the end token."""
        pad = self.tokenizer.pad_token_id
        return int(pad if pad is not None else self.tokenizer.eos_token_id)

    def render(self, messages: Sequence[Turn], *, ask: bool = False, thinking: bool = False) -> str:
        """Write a conversation down.

        Args:
            messages: {"role", "content"} each. Where a template refuses a standing instruction, it goes in front of the
                question that follows it. Reasoning in earlier answers is left off, as the models' makers ask for.
            ask: Whether to end with the prompt for an answer.
            thinking: Whether the answer may begin with a thought, where the template knows of such.

        Raises:
            ModelError: The template refuses the conversation.
        """
        _, text = self._written(messages, ask=ask, thinking=thinking)
        opening = "" if thinking and self.closes_thought else self.opening
        return f"{text}{opening}" if ask else text

    def taken_turns(self, messages: Sequence[Turn]) -> list[Turn]:
        """Return what the template is really given for a conversation that waits for an answer.

        For programs that call ``apply_chat_template`` themselves, without thinking, and put :attr:`opening` behind it:
        they get the same prompt as :meth:`prompt`.

        Raises:
            ModelError: The template refuses the conversation.
        """
        return self._written(messages, ask=True, thinking=False)[0]

    def _written(self, messages: Sequence[Turn], *, ask: bool, thinking: bool) -> tuple[list[Turn], str]:
        """Write a conversation down in the first way that the template takes; return that way too."""
        refused: Exception | None = None
        for attempt in _ways_to_say([self._harmless(message) for message in messages]):
            try:
                text = self.tokenizer.apply_chat_template(
                    attempt, tokenize=False, add_generation_prompt=ask, enable_thinking=thinking
                )
            except Exception as error:  # a template is a stranger's program: it raises what it likes
                refused = error
            else:
                return attempt, str(text)
        raise ModelError(
            f"The model's chat template refuses this conversation: {refused}.", "Pick another base model."
        ) from refused

    def answered(self, messages: Sequence[Turn]) -> Answered | None:
        """Write down a conversation that ends with an answer, so that it goes on from the very prompt for it.

        Most templates write it so themselves. Some write a finished answer in another way than they ask for one:
        without the empty thought, say. There the answer, as the template writes it, is put behind the prompt.

        Args:
            messages: As for :meth:`render`; the last is the answer.

        Returns:
            The text; None where the answer cannot be found in what the template makes of it.

        Raises:
            ModelError: The template refuses the conversation.
        """
        prompt, told = self.render(messages[:-1], ask=True), self.render(messages)
        if told.startswith(prompt) and told[len(prompt) :].endswith(self.tail):
            rest = told[len(prompt) :]
            words = len(rest) - len(self.tail)
        else:
            place = self._place_of_answer(messages, told)
            if place is None:
                return None
            rest, words = told[place[0] :], place[1] - place[0]
        if not rest[:words].strip():
            return None
        mark = self.end_mark.match(rest, words)
        if not mark:
            rest = rest[:words] + self.end_of_turn
        return Answered(
            text=prompt + rest,
            prompt=len(prompt),
            start=len(prompt) - (len(self.opening) if self.opening_learnt else 0),
            end=len(prompt) + words,
            mark_end=len(prompt) + (mark.end() if mark else len(rest)),
        )

    def _place_of_answer(self, messages: Sequence[Turn], told: str) -> tuple[int, int] | None:
        """Return where the last answer's words lie, found by writing the conversation with a probe in their place."""
        probed = self.render([*messages[:-1], {**messages[-1], "content": PROBE}])
        before, found, after = probed.partition(PROBE)
        if not found or not told.startswith(before) or not told.endswith(after) or len(before) + len(after) > len(told):
            return None
        return len(before), len(told) - len(after)

    @property
    def closes_thought(self) -> bool:
        """Whether the template's own prompt opens a thought, which is closed at once unless the model is to think."""
        return self.opening.startswith("\n</")

    @cached_property
    def thinks(self) -> bool:
        """Whether the model can think before it answers, as far as its template tells."""
        asked = [{"role": "user", "content": "a"}]
        return self.render(asked, ask=True, thinking=True) != self.render(asked, ask=True)

    @cached_property
    def thought_tag(self) -> str:
        """What stands in the tags around a thought, such as 'think'; empty where the model writes no empty thought."""
        empty = (
            _EMPTY_THOUGHT.search(self.render([{"role": "user", "content": "a"}], ask=True)) if self.thinks else None
        )
        return empty[1] if empty else ""

    def prompt(self, messages: Sequence[Turn], *, thinking: bool = False) -> list[int]:
        """Return the token ids of a conversation that waits for an answer."""
        return self.encode(self.render(messages, ask=True, thinking=thinking))

    def encode(self, text: str) -> list[int]:
        """Return the token ids of rendered text; the template has written all special tokens itself."""
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def encode_with_offsets(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """As :meth:`encode`, with each token's half-open range of characters."""
        encoded = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        return list(encoded["input_ids"]), list(encoded["offset_mapping"])

    def begins_with_prompt(
        self, ids: Sequence[int], offsets: Sequence[tuple[int, int]], text: str, prompt: int
    ) -> bool:
        """Say whether the tokens of a text begin with those that its prompt has alone.

        What comes before a special token is tokenized apart from what follows, so that only the end of the prompt, from
        its last special token on, has to be encoded again.

        Args:
            ids: The tokens of the text.
            offsets: Their ranges of characters.
            text: Rendered text.
            prompt: Characters of the prompt, at the beginning of it.
        """
        place = max((text.rfind(special, 0, prompt) for special in self._specials), default=-1)
        if place > 0:
            first = bisect_left(offsets, place, key=lambda offset: offset[0])
            tail = self.encode(text[place:prompt])
            if list(ids[first : first + len(tail)]) == tail and offsets[first][0] == place:
                return True
        alone = self.encode(text[:prompt])
        return list(ids[: len(alone)]) == alone

    @cached_property
    def end_mark(self) -> re.Pattern[str]:
        """Matches what may stand between an answer and the next turn: white space and the token that ends it."""
        ends = {self.end_of_turn, str(self.tokenizer.eos_token)}
        return re.compile(r"\s*(?:" + "|".join(map(re.escape, sorted(ends, key=len, reverse=True))) + ")")

    @cached_property
    def _specials(self) -> list[str]:
        return _texts_of_special_tokens(self.tokenizer)

    @cached_property
    def _special(self) -> re.Pattern[str]:
        return _special_tokens(self.tokenizer)

    def _harmless(self, message: Turn) -> Turn:
        """Break up special tokens that somebody has typed into a ticket, so that they stay text."""
        text = message["content"]
        if message["role"] == "assistant":
            text = without_reasoning(text)
        text = self._special.sub(lambda seen: f"{seen[0][0]} {seen[0][1:]}", text)
        return {"role": message["role"], "content": text}

    def save(self, folder: Path) -> None:
        """Write the tokenizer's files and the chat template."""
        self.tokenizer.save_pretrained(folder)


def load_chat_format(model: str, cache: Path, report: Report = lambda *_: None) -> ChatFormat:
    """Load a model's tokenizer and template, without its weights.

    Args:
        model: As in the recipe.
        cache: The workspace's cache folder.
        report: Progress, as in starter.py.

    Raises:
        ModelError: It is not to be had, or has no end-of-text token.
    """
    import_all()
    from transformers import AutoTokenizer

    source = resolve(model, cache, report, weights=False)
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, **loading_options())
    except Exception as error:
        raise explain(error, model) from error
    return chat_format(tokenizer)


def read_chat_format(folder: Path) -> ChatFormat:
    """Read the tokenizer and the template that lie in a folder, an adapter's or a model's.

    Raises:
        ModelError: They are missing, damaged, or nothing that can be asked here.
    """
    import_all()
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **loading_options())
    except Exception as error:  # transformers raises a dozen kinds for a damaged folder
        raise ModelError(
            f"The tokenizer in {folder.name} is missing or damaged.", "Put the files of its tokenizer there again."
        ) from error
    return chat_format(tokenizer)


def chat_format(tokenizer: Any) -> ChatFormat:
    """Find out how a tokenizer's template ends an answer; give it the default template when it has none.

    Raises:
        ModelError: It has no end-of-text token or no offsets (a slow tokenizer), or its template takes no plain text.
    """
    if not tokenizer.is_fast or tokenizer.eos_token_id is None:
        raise ModelError(
            "This model's tokenizer has no end-of-text token or no fast version, so it cannot be trained here.",
            "Pick another model.",
        )
    default = not tokenizer.chat_template
    if default:
        starts = tokenizer("a")["input_ids"][:1] == [tokenizer.bos_token_id]
        tokenizer.chat_template = ("{{ bos_token }}" if starts else "") + DEFAULT_TEMPLATE
    tokenizer.chat_template = _of_one_day(str(tokenizer.chat_template))
    draft = ChatFormat(tokenizer, tokenizer.eos_token, frozenset(), default, False)
    asked = [{"role": "user", "content": "a"}]
    prompt, told = draft.render(asked, ask=True), draft.render([*asked, {"role": "assistant", "content": PROBE}])
    if PROBE not in told:
        raise ModelError(
            "This model's chat template does not write down what is said as plain text, so it cannot be trained here.",
            "Pick a model made for text.",
        )
    tail = told.partition(PROBE)[2]
    mark = _special_tokens(tokenizer).match(tail.lstrip())
    end = mark[0] if mark else tokenizer.eos_token
    stops = frozenset({int(tokenizer.eos_token_id), int(tokenizer.convert_tokens_to_ids(end))})
    opening, learnt = _opening(prompt, told)
    return ChatFormat(tokenizer, end, stops, default, mark is None, tail, opening, learnt)


def _opening(prompt: str, told: str) -> tuple[str, bool]:
    """Return what belongs between a template's prompt and an answer, and whether it is to be learnt.

    Args:
        prompt: A question, with the template's own prompt for an answer.
        told: The same question, answered with the probe.
    """
    if thought := _OPEN_THOUGHT.search(prompt):
        return f"\n</{thought[1]}>\n\n", False
    if told.startswith(prompt):
        header = told[len(prompt) :].partition(PROBE)[0]
        if header.strip():
            return header, True
    return "", False


def _of_one_day(template: str) -> str:
    """Put :data:`TEMPLATE_DATE` where a template asks for today."""
    return _TODAY.sub(lambda asked: repr(TEMPLATE_DATE.strftime(asked[2])), template)


def _special_tokens(tokenizer: Any) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, _texts_of_special_tokens(tokenizer))))


def _texts_of_special_tokens(tokenizer: Any) -> list[str]:
    """Return the tokens that are never a part of other text, the longest first."""
    texts = {str(token.content) for token in tokenizer.added_tokens_decoder.values()} | set(
        tokenizer.all_special_tokens
    )
    return sorted((text for text in texts if text.strip()), key=len, reverse=True)


def _ways_to_say(messages: Sequence[Turn]) -> Iterator[list[Turn]]:
    """Yield a conversation as it is; then with the first instruction in the first question; then with all in questions.

    Many templates know no system role, or none after the beginning, or no two turns of one role in a row.
    """
    yield list(messages)
    if any(message["role"] == "system" for message in messages):
        yield _first_merged(messages)
    yield _all_merged(messages)


def _first_merged(messages: Sequence[Turn]) -> list[Turn]:
    """Put a leading standing instruction in front of the first question."""
    if len(messages) > 1 and messages[0]["role"] == "system":
        first = messages[1]
        return [{**first, "content": f"{messages[0]['content']}\n\n{first['content']}"}, *messages[2:]]
    return list(messages)


def _all_merged(messages: Sequence[Turn]) -> list[Turn]:
    """Make customer and agent alternate: instructions join the next question, neighbours of one role one turn."""
    merged: list[Turn] = []
    for message in messages:
        role = "user" if message["role"] == "system" else message["role"]
        if merged and merged[-1]["role"] == role:
            merged[-1] = {"role": role, "content": f"{merged[-1]['content']}\n\n{message['content']}"}
        else:
            merged.append({"role": role, "content": message["content"]})
    return merged
