"""A tokenizer as llama.cpp keeps it: its tokens in order with their kinds, and how text is cut into them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import ModelError
from engine.export.gguf import sentencepieces
from engine.export.gguf.families import INSTEAD
from engine.export.gguf.pretokenizers import pretokenizer_name
from engine.model.chat_format import ChatFormat

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
"""llama.cpp's kinds of tokens (gguf.TokenType)."""

_OF_PHI3 = {"<unk>", "<s>", "</s>", "<|endoftext|>"}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a GGUF holds of a tokenizer."""

    model: str
    """'gpt2' for byte-level merges, 'llama' for SentencePiece."""
    pre: str
    """llama.cpp's name for how text is cut before the merges."""
    tokens: Sequence[str]
    """By token id."""
    kinds: Sequence[int]
    scores: Sequence[float]
    """Of SentencePiece's tokens; empty for byte-level merges."""
    merges: Sequence[str]
    """'left right', the first first; empty for SentencePiece."""
    space_prefix: bool
    begins: bool
    """Whether every prompt begins with the beginning-of-text token."""


def vocabulary_of(chat: ChatFormat, size: int) -> Vocabulary:
    """Bring a tokenizer into llama.cpp's form.

    Args:
        chat: The tokenizer and template.
        size: Rows of the model's embeddings; tokens beyond the tokenizer's are filled up.

    Raises:
        ModelError: llama.cpp would cut text in another way.
    """
    backend = chat.tokenizer.backend_tokenizer
    tokenizer: Mapping[str, Any] = json.loads(backend.to_str())
    if tokenizer["model"]["type"] != "BPE":
        raise ModelError(
            f"A GGUF of a tokenizer of the kind {str(tokenizer['model']['type'])[:40]} cannot be written here.", INSTEAD
        )
    asked = chat.render([{"role": "user", "content": "a"}], ask=True)
    begins = bool(chat.tokenizer.bos_token) and asked.startswith(str(chat.tokenizer.bos_token))
    if not sentencepieces.is_sentencepiece(tokenizer):
        tokens, kinds = _in_order(tokenizer, size)
        merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in tokenizer["model"]["merges"]]
        return Vocabulary("gpt2", pretokenizer_name(tokenizer), tokens, kinds, (), merges, False, begins)
    scores = sentencepieces.scores_of(tokenizer)
    sentencepieces.check(backend, tokenizer, scores, sentencepieces.PROBES)
    tokens, kinds = _in_order(tokenizer, size, str(tokenizer["model"].get("unk_token")))
    special = any(asked.startswith(str(token["content"])) for token in tokenizer["added_tokens"])
    prefix = sentencepieces.adds_space(tokenizer, begins_with_special=special)
    lowest = -float(len(scores))
    ordered = [scores.get(token, lowest) for token in tokens]
    return Vocabulary("llama", "default", tokens, kinds, ordered, (), prefix, begins)


def _in_order(tokenizer: Mapping[str, Any], size: int, unknown: str | None = None) -> tuple[list[str], list[int]]:
    """Return the tokens by their ids, and their kinds."""
    texts: dict[int, str] = {number: text for text, number in tokenizer["model"]["vocab"].items()}
    kinds = dict.fromkeys(texts, NORMAL)
    for number, text in texts.items():
        if unknown is not None and sentencepieces.is_byte(text):
            kinds[number] = BYTE
    for token in tokenizer.get("added_tokens") or ():
        number, text = int(token["id"]), str(token["content"])
        if unknown is not None and number in texts and sentencepieces.SPACE in text and not token["special"]:
            continue  # runs of spaces: their own merges make them, since the text holds spaces where they hold marks
        texts[number] = text
        kinds[number] = CONTROL if token["special"] else USER_DEFINED
    kinds |= {number: UNKNOWN for number, text in texts.items() if text == unknown}
    if texts and max(texts) >= size:
        raise ModelError(
            f"The tokenizer has {max(texts) + 1:,} tokens and the model {size:,}: they do not belong together.", INSTEAD
        )
    return (
        [texts.get(number, f"[PAD{number}]") for number in range(size)],
        [kinds.get(number, UNUSED) for number in range(size)],
    )


def describe_vocabulary(writer: Any, chat: ChatFormat, size: int) -> None:
    """Write the tokenizer, the tokens that end an answer, and the chat template into a GGUF's header.

    Args:
        writer: A gguf.GGUFWriter.
        chat: The tokenizer and template.
        size: Rows of the model's embeddings.

    Raises:
        ModelError: llama.cpp would cut text in another way.
    """
    vocabulary = vocabulary_of(chat, size)
    writer.add_tokenizer_model(vocabulary.model)
    writer.add_tokenizer_pre(vocabulary.pre)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.kinds)
    if vocabulary.scores:
        writer.add_token_scores(vocabulary.scores)
        writer.add_add_space_prefix(vocabulary.space_prefix)
    else:
        writer.add_token_merges(vocabulary.merges)
    tokenizer = chat.tokenizer
    writer.add_eos_token_id(int(tokenizer.eos_token_id))
    writer.add_eot_token_id(int(tokenizer.convert_tokens_to_ids(chat.end_of_turn)))
    writer.add_pad_token_id(chat.pad_id)
    if tokenizer.bos_token_id is not None:
        writer.add_bos_token_id(int(tokenizer.bos_token_id))
    if tokenizer.unk_token_id is not None:
        writer.add_unk_token_id(int(tokenizer.unk_token_id))
    writer.add_add_bos_token(vocabulary.begins)
    writer.add_add_eos_token(False)
    writer.add_chat_template(template_as_tested(chat))


def name_for(name: str, chat: ChatFormat) -> str:
    """Return the name under which llama.cpp cuts text as the tokenizer does.

    It reads Phi-3 in a model's name: then it drops the white space behind special tokens, as Phi-3's tokenizer does,
    and fails to load where the vocabulary lacks four tokens of Phi-3's.

    Args:
        name: What the person calls the model.
        chat: Its tokenizer.
    """
    name = re.sub(r"phi-?3", "Phi 3", name, flags=re.IGNORECASE)
    added = chat.tokenizer.added_tokens_decoder.values()
    drops = any(token.rstrip for token in added)
    return f"phi3 {name}" if drops and {str(token) for token in added} >= _OF_PHI3 else name


def template_as_tested(chat: ChatFormat) -> str:
    """Return the chat template with what the playground adds to it fixed: no thought, and the answer's opening."""
    template = chat.template
    if "enable_thinking" in template:
        template = "{% set enable_thinking = false %}" + template
    if chat.opening:
        quoted = json.dumps(chat.opening, ensure_ascii=False)
        # Jinja drops a newline at the very end of a template, which is no end any more.
        template = template.removesuffix("\n") + "{% if add_generation_prompt %}{{ " + quoted + " }}{% endif %}"
    return template
