"""Ollama's template writes what the chat template writes; what it cannot write is refused in words."""

import re

import pytest

from engine.chat.records import Sampling
from engine.errors import ModelError, StudioError
from engine.export.ollama.chat_shape import shape_of
from engine.export.ollama.modelfile import SAMPLING, modelfile
from engine.model.chat_format import chat_format
from tests.engine.export.conftest import export, finished_run
from tests.engine.export.ollama.go import render
from tests.tiny import CHATML, make_tokenizer

LLAMA_2 = """
{%- if messages[0]['role'] == 'system' -%}
{%- set said = '<<SYS>>\n' + messages[0]['content'] + '\n<</SYS>>\n\n' -%}{%- set messages = messages[1:] -%}
{%- else -%}{%- set said = '' -%}{%- endif -%}
{%- for message in messages -%}
{%- if message['role'] == 'user' -%}
{{- bos_token + '[INST] ' + (said if loop.first else '') + message['content'] + ' [/INST]' -}}
{%- else -%}{{- ' ' + message['content'] + ' ' + eos_token -}}{%- endif -%}
{%- endfor -%}"""
GEMMA = """
{{- bos_token -}}
{%- if messages[0]['role'] == 'system' -%}{{- raise_exception('no system role') -}}{%- endif -%}
{%- for message in messages -%}
{%- set role = 'model' if message['role'] == 'assistant' else message['role'] -%}
{{- '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<start_of_turn>model\n' -}}{%- endif -%}"""
HELPS = "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou help.<|im_end|>\n' }}{% endif %}"
NO_THOUGHT = "{% if add_generation_prompt and enable_thinking is false %}{{ '<think>\n\n</think>\n\n' }}{% endif %}"
TEMPLATES = {
    "chatml": CHATML,
    "with an instruction of its own": HELPS + CHATML,
    "llama 2": LLAMA_2,
    "gemma": GEMMA,
    "qwen 3": CHATML + NO_THOUGHT,
    "words": None,
    "braces and quotes": CHATML.replace("<|im_end|>", ' {{"\\\\é}} ""'),
}
TALKS = [
    [{"role": "user", "content": "hello"}],
    [
        {"role": "user", "content": 'a "b" {{ .System }}'},
        {"role": "assistant", "content": "yes\n\nwe do"},
        {"role": "user", "content": "é 你好"},
    ],
]


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("system", ["", "Be brief.\nAnd kind."])
def test_ollama_writes_what_the_chat_template_writes(name, system):
    chat = chat_format(make_tokenizer(TEMPLATES[name]))
    begin = chat.tokenizer.bos_token
    template = shape_of(chat).go_template(begin)
    for talk in TALKS:
        messages = [{"role": "system", "content": system}, *talk] if system else talk
        assert render(template, system, talk) == chat.render(messages, ask=True).removeprefix(begin)


def test_a_template_of_another_shape_is_refused():
    numbered = CHATML.replace("message['role'] + '\n'", "message['role'] + loop.index | string + '\n'")
    with pytest.raises(ModelError, match=r"Ollama's language.*Take it home as 'gguf'"):
        shape_of(chat_format(make_tokenizer(numbered)))


def test_the_modelfile_asks_ends_and_chooses_as_the_playground_does(tiny_base):
    text = modelfile("spring.gguf", tiny_base.chat, tiny_base.model.config, " Be brief.\nSay 'you'. ")
    assert text.startswith('FROM ./spring.gguf\nTEMPLATE """{{- if .System }}')
    assert '\nSYSTEM """Be brief.\nSay \'you\'."""\n' in text
    parameters = dict(re.findall(r"^PARAMETER (\w+) (.*)$", text, re.MULTILINE))
    assert parameters == {
        "temperature": "0",
        "top_p": "0.9",
        "top_k": "0",
        "min_p": "0",
        "repeat_penalty": "1",
        "num_predict": "256",
        "num_ctx": "512",
        "stop": '"<|im_end|>"',
    }
    assert "SYSTEM" not in modelfile("spring.gguf", tiny_base.chat, tiny_base.model.config, "")


def test_tokens_are_chosen_as_the_playground_begins():
    usual = Sampling()
    assert {
        "temperature": usual.temperature,
        "top_p": usual.top_p,
        "top_k": usual.top_k,
        "min_p": usual.min_p,
        "repeat_penalty": usual.repetition_penalty,
        "num_predict": usual.max_new_tokens,
    } == SAMPLING


def test_an_instruction_that_would_end_the_modelfiles_text_is_refused(tiny_base):
    with pytest.raises(StudioError, match="three quotation marks"):
        modelfile("a.gguf", tiny_base.chat, tiny_base.model.config, 'Quote it:\n"""\nthus')


def test_the_export_holds_model_and_modelfile(workspace, dataset, tiny_base, tmp_path):
    run = finished_run(workspace, dataset, tiny_base, system_prompt="Be kind.")
    out = export(run, tmp_path / "out", "ollama", quantisation="f16")
    text = (out / "Modelfile").read_text()
    model = re.match(r"FROM \./(.+)\n", text)
    assert model and (out / model[1]).read_bytes()[:4] == b"GGUF"
    assert "Be kind." in text
    assert "ollama create" in (out / "README.md").read_text()
