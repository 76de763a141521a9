"""ChatFormat: how a model writes conversations down: tokenizer, chat template, and the mark that ends a turn.

It knows the template, not what is learnt from it (training/examples.py) nor how answers are decoded (chat/decoding.py).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from engine.errors import ModelError
from engine.model.libraries import import_all
from engine.model.sources import explain, loading_options, resolve
from engine.model.starter import Report

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

Turn = dict[str, str]


@dataclass(frozen=True)
class ChatFormat:
    """A tokenizer with its template.

    Args:
        tokenizer: A fast tokenizer of transformers; its ``chat_template`` is set.
        end_of_turn: The text of the special token that ends an answer, such as '<|im_end|>'.
        stop_ids: Token ids at which decoding ends.
        default_template: Whether the model had none and :data:`DEFAULT_TEMPLATE` stands in.
        appends_end: Whether the template puts nothing after an answer, so that training must add the end token itself.
    """

    tokenizer: Any
    end_of_turn: str
    stop_ids: frozenset[int]
    default_template: bool
    appends_end: bool

    @property
    def template(self) -> str:
        """The chat template's source (Jinja)."""
        return str(self.tokenizer.chat_template)

    @property
    def pad_id(self) -> int:
        """The id that fills batches: the pad token, else the end token."""
        pad = self.tokenizer.pad_token_id
        return int(pad if pad is not None else self.tokenizer.eos_token_id)

    def render(self, messages: Sequence[Turn], *, ask: bool = False) -> str:
        """Write a conversation down.

        Args:
            messages: {"role", "content"} each; a template that knows no system role gets it in front of the question.
            ask: Whether to end with the mark that asks for an answer.

        Raises:
            ModelError: The template refuses the conversation.
        """
        from jinja2 import TemplateError

        messages = [self._harmless(message) for message in messages]
        for attempt in (messages, _system_merged(messages)):
            try:
                return str(
                    self.tokenizer.apply_chat_template(
                        attempt, tokenize=False, add_generation_prompt=ask, enable_thinking=False
                    )
                )
            except TemplateError as error:
                refused = error
        raise ModelError(f"The model's chat template refuses this conversation: {refused}.") from refused

    def prompt(self, messages: Sequence[Turn]) -> list[int]:
        """Return the token ids of a conversation that waits for an answer."""
        return self.encode(self.render(messages, ask=True))

    def encode(self, text: str) -> list[int]:
        """Return the token ids of rendered text; the template has written all special tokens itself."""
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def encode_with_offsets(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """As :meth:`encode`, with each token's half-open range of characters."""
        encoded = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        return list(encoded["input_ids"]), list(encoded["offset_mapping"])

    @cached_property
    def end_mark(self) -> re.Pattern[str]:
        """Matches what may stand between an answer and the next turn: white space and the token that ends it."""
        ends = {self.end_of_turn, str(self.tokenizer.eos_token)}
        return re.compile(r"\s*(?:" + "|".join(map(re.escape, sorted(ends, key=len, reverse=True))) + ")")

    @cached_property
    def _special(self) -> re.Pattern[str]:
        return _special_tokens(self.tokenizer)

    def _harmless(self, message: Turn) -> Turn:
        """Break up special tokens that somebody has typed into a ticket, so that they stay text."""
        return {**message, "content": self._special.sub(lambda seen: f"{seen[0][0]} {seen[0][1:]}", message["content"])}

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

    source = resolve(model, cache, report)
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, **loading_options())
    except Exception as error:
        raise explain(error, model) from error
    return chat_format(tokenizer)


def chat_format(tokenizer: Any) -> ChatFormat:
    """Find out how a tokenizer's template ends an answer; give it the default template when it has none.

    Raises:
        ModelError: It has no end-of-text token, or no offsets (a slow tokenizer).
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
    draft = ChatFormat(tokenizer, tokenizer.eos_token, frozenset(), default, False)
    rendered = draft.render([{"role": "user", "content": "a"}, {"role": "assistant", "content": PROBE}])
    after = rendered[rendered.find(PROBE) + len(PROBE) :].lstrip()
    mark = _special_tokens(tokenizer).match(after)
    end = mark[0] if mark else tokenizer.eos_token
    stops = frozenset({int(tokenizer.eos_token_id), int(tokenizer.convert_tokens_to_ids(end))})
    return ChatFormat(tokenizer, end, stops, default, mark is None)


def _special_tokens(tokenizer: Any) -> re.Pattern[str]:
    texts = {str(token.content) for token in tokenizer.added_tokens_decoder.values()} | set(
        tokenizer.all_special_tokens
    )
    ordered = sorted((text for text in texts if text.strip()), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, ordered)))


def _system_merged(messages: Sequence[Turn]) -> list[Turn]:
    """Put a leading system message in front of the first question."""
    if len(messages) > 1 and messages[0]["role"] == "system":
        first = messages[1]
        return [{**first, "content": f"{messages[0]['content']}\n\n{first['content']}"}, *messages[2:]]
    return list(messages)
