"""Text becomes the same tokens in the real llama.cpp as in the tokenizer that the model was tested with."""

import json

import pytest
from tokenizers import Tokenizer, pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer

from engine.errors import ModelError
from engine.export.gguf.vocabulary import template_as_tested, vocabulary_of
from engine.export.gguf.writing import Model, write_model
from engine.export.merging import Weight
from engine.model.chat_format import chat_format
from tests.engine.export.gguf.families import make_family
from tests.engine.export.gguf.llama_cpp import LlamaCpp
from tests.engine.export.gguf.tokenizers import TEXTS, byte_level, cutters, sentencepiece
from tests.tiny import CHATML, make_tokenizer

KINDS = ("gpt-2", "smollm", "qwen2", "llama-bpe", "dbrx", "tekken", "gpt-4o", "llama", "legacy", "gemma")
PROMPTS = [
    [
        {"role": "user", "content": text},
        {"role": "assistant", "content": "yes  you can\n"},
        {"role": "user", "content": "hello"},
    ]
    for text in TEXTS
]


def written(tokenizer, folder):
    """A model with this tokenizer, its file in llama.cpp, and the chat format."""
    made = make_family("llama", folder / "model", tokenizer)
    model = AutoModelForCausalLM.from_pretrained(made)
    chat = chat_format(AutoTokenizer.from_pretrained(made))
    weights = [Weight(name, tuple(value.shape), value.detach) for name, value in model.named_parameters()]
    write_model(Model(model.config, chat, "Phi-3 of ours", weights), folder / "model.gguf", "f16", lambda *_: None)
    return chat, LlamaCpp(folder / "model.gguf")


@pytest.mark.parametrize("kind", KINDS)
def test_llama_cpp_reads_the_same_tokens(kind, tmp_path):
    tokenizer = byte_level(*cutters()[kind]) if kind in cutters() else sentencepiece(kind)
    chat, llama_cpp = written(tokenizer, tmp_path)
    for messages in PROMPTS:
        text = chat.render(messages, ask=True)
        assert llama_cpp.tokenize(text) == chat.encode(text)
        assert llama_cpp.tokenize(llama_cpp.render(messages), begin=True) == chat.encode(text)


def test_a_cut_that_llama_cpp_is_not_known_to_share_is_refused():
    tokenizer = byte_level(
        pre_tokenizers.Sequence([pre_tokenizers.Punctuation(), pre_tokenizers.ByteLevel(False)]), False
    )
    with pytest.raises(ModelError, match="Punctuation, ByteLevel"):
        vocabulary_of(chat_format(tokenizer), 1000)


def test_a_vocabulary_whose_merges_are_no_scores_is_refused():
    tokenizer = sentencepiece("gemma")
    values = json.loads(tokenizer.backend_tokenizer.to_str())
    values["model"]["merges"] = [merge for merge in values["model"]["merges"] if len(merge[1]) == 1]
    values["model"]["merges"] = values["model"]["merges"][::7]
    tokenizer._tokenizer = Tokenizer.from_str(json.dumps(values))
    with pytest.raises(ModelError, match="cuts text in a way"):
        vocabulary_of(chat_format(tokenizer), 1000)


def test_a_vocabulary_larger_than_the_model_is_refused():
    with pytest.raises(ModelError, match="do not belong together"):
        vocabulary_of(chat_format(make_tokenizer()), 300)


def test_the_template_in_the_file_asks_as_the_playground_does():
    thinking = CHATML + "{% if add_generation_prompt and enable_thinking is not defined %}<think>{% endif %}"
    opening = CHATML + "{% if add_generation_prompt %}<think>{% endif %}\n"
    for template in (thinking, opening):
        tokenizer = make_tokenizer(template)
        chat = chat_format(tokenizer)
        messages = [{"role": "user", "content": "hello"}]
        wanted = chat.render(messages, ask=True)
        tokenizer.chat_template = template_as_tested(chat)
        assert tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True) == wanted
