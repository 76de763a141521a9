"""The Modelfile: how Ollama asks a model, ends its answers, and chooses their tokens (docs.ollama.com/modelfile)."""

import re
from typing import Any

from engine.errors import StudioError
from engine.export.gguf.families import family_of
from engine.export.gguf.header import context_length
from engine.export.ollama.chat_shape import shape_of
from engine.model.chat_format import ChatFormat

MOST_CONTEXT = 8192
"""Tokens that Ollama is to keep; it reserves memory for all of them, and by itself cuts off questions at 4096."""

SAMPLING = {
    "temperature": 0.0,
    "top_p": 0.9,
    "top_k": 0,
    "min_p": 0.0,
    "repeat_penalty": 1.0,
    "num_predict": 256,
}
"""What the playground begins with, under Ollama's names; its own would draw, and punish what has been said."""


def modelfile(file: str, chat: ChatFormat, config: Any, instruction: str) -> str:
    """Write a Modelfile: what the playground does unless somebody sets something else.

    Args:
        file: Name of the GGUF beside it.
        chat: The tokenizer and template.
        config: transformers' configuration.
        instruction: The standing instruction; may be empty.

    Raises:
        ModelError: The template cannot be written in Ollama's language.
        StudioError: The instruction cannot.
    """
    begin = str(chat.tokenizer.bos_token or "")
    parts = [f"FROM ./{file}", f'TEMPLATE """{shape_of(chat).go_template(begin)}"""']
    if instruction := instruction.strip():
        if re.search(r'"""\s*$', instruction, re.MULTILINE):
            raise StudioError(
                "The standing instruction has three quotation marks at the end of a line, which end it in a Modelfile.",
                "Train with other marks, or take the model home as 'gguf'.",
            )
        parts.append(f'SYSTEM """{instruction}"""')
    return "\n".join([*parts, *_parameters(chat, config)]) + "\n"


def _parameters(chat: ChatFormat, config: Any) -> list[str]:
    window = min(context_length(config, family_of(config)), MOST_CONTEXT)
    stops = [str(chat.tokenizer.convert_ids_to_tokens(stop)) for stop in sorted(chat.stop_ids)]
    return [
        *(f"PARAMETER {name} {value:g}" for name, value in SAMPLING.items()),
        f"PARAMETER num_ctx {window}",
        *(f'PARAMETER stop "{stop}"' for stop in stops),
    ]
