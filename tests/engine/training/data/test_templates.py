"""What is learnt follows the very text it will be asked with, under every chat template that can be had."""

import copy
import re
from pathlib import Path

import pytest
import trl

from engine.errors import ModelError
from engine.model.chat_format import TEMPLATE_DATE, chat_format
from engine.recipe import Recipe
from engine.training.data.encoding import encode
from engine.training.data.examples import IGNORED, build_examples, turns_of
from tests.engine.training.families import FAMILIES, GEMMA, QWEN3
from tests.tiny import make_tokenizer, stored

SHIPPED = {file.stem: file for file in sorted((Path(trl.__file__).parent / "chat_templates").glob("*.jinja"))}
FOR_PICTURES = {"idefics3", "smolvlm", "llava_next"}
"""Templates that take no plain text, with or without '_training'."""
MARKS = re.compile(
    r"<\|[^|<>'\"\s{}]{1,40}\|>|<｜[^｜'\"{}]{1,40}｜>|</?think>|\[/?INST\]|<(?:start|end)_of_turn>|<\|?\w+\|?>(?=['\"\\])"
)
"""What a model of the template would have as tokens of their own."""

TALK = [
    {"role": "user", "content": "where is my parcel"},
    {"role": "assistant", "content": "your parcel arrives on friday"},
    {"role": "user", "content": "please"},
    {"role": "assistant", "content": "yes it does"},
    {"role": "user", "content": "your parcel arrives on friday"},
    {"role": "assistant", "content": "hello dear customer"},
]
INSTRUCTED = [{"role": "system", "content": "be kind"}, *TALK]
INTERRUPTED = [*TALK[:2], {"role": "system", "content": "be brief"}, *TALK[2:]]


@pytest.fixture(scope="module")
def plain_tokenizer():
    return make_tokenizer(None)


def format_of(template: str, plain_tokenizer):
    tokenizer = copy.deepcopy(plain_tokenizer)
    tokenizer.add_tokens(sorted(set(MARKS.findall(template))), special_tokens=True)
    tokenizer.chat_template = template
    return chat_format(tokenizer)


def check_the_rule(chat, talk):
    said, _, _ = turns_of(stored("1", talk).messages, "")
    texts, lost = encode(said, chat, 4096, "newest")
    answers = [number for number, message in enumerate(talk) if message["role"] == "assistant"]
    assert not lost
    assert [span.number for text in texts for span in text.spans] == answers
    for text in texts:
        parts = text.parts
        for span in text.spans:
            prompt = chat.prompt(talk[: span.number])
            assert text.ids[: len(prompt)] == prompt
            learnt = [i for i, (start, end) in enumerate(text.offsets) if end > span.prompt and start < span.end]
            assert learnt[0] == len(prompt)
            assert {parts[i] for i in learnt} == {"learnt"}
            assert chat.tokenizer.decode([text.ids[i] for i in learnt]).strip() == talk[span.number]["content"]
            ends = [i for i in range(learnt[-1] + 1, len(parts)) if text.offsets[i][0] < span.mark_end]
            assert text.ids[ends[-1]] in chat.stop_ids
            assert {parts[i] for i in ends} == {"end"}


@pytest.mark.parametrize("name", SHIPPED)
def test_the_tokens_before_every_answer_are_those_of_its_prompt_in_templates_of_trl(name, plain_tokenizer):
    template = SHIPPED[name].read_text(encoding="utf-8")
    if name.removesuffix("_training") in FOR_PICTURES:
        with pytest.raises(ModelError, match="chat template"):
            format_of(template, plain_tokenizer)
        return
    chat = format_of(template, plain_tokenizer)
    for talk in (TALK, INSTRUCTED, INTERRUPTED):
        check_the_rule(chat, talk)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_tokens_before_every_answer_are_those_of_its_prompt_in_families(name, plain_tokenizer):
    chat = format_of(FAMILIES[name], plain_tokenizer)
    for talk in (TALK, INSTRUCTED, INTERRUPTED):
        check_the_rule(chat, talk)


def test_answers_share_a_text_where_the_template_allows_it(plain_tokenizer):
    one_text = {"llama 3", "mistral v1", "mistral v3", "smollm2", "gemma", "phi", "deepseek v3", "muse"}
    for name, template in FAMILIES.items():
        made = build_examples([stored("1", TALK)], format_of(template, plain_tokenizer), Recipe())
        wanted = 1 if name in one_text or name == "llama 3 with the date" else 3
        assert (name, len(made.examples)) == (name, wanted)
        assert made.lessons == 1
        assert any("an answer each" in sentence for sentence in made.warnings()) == (wanted > 1)


def test_a_standing_instruction_that_moves_on_with_every_turn_makes_a_text_of_each_answer(plain_tokenizer):
    chat = format_of(FAMILIES["mistral v3"], plain_tokenizer)
    made = build_examples([stored("1", INSTRUCTED)], chat, Recipe())
    assert len(made.examples) == 3


def test_the_place_an_answer_goes_to_is_learnt_and_is_a_part_of_the_prompt(plain_tokenizer):
    for name, opening in (("gpt-oss", "<|channel|>final<|message|>"), ("muse", " to=user<|message|>")):
        chat = format_of(FAMILIES[name], plain_tokenizer)
        assert chat.render(TALK[:1], ask=True).endswith(f"<|start|>assistant{opening}")
        example = build_examples([stored("1", TALK[:2])], chat, Recipe()).examples[0]
        learnt = chat.tokenizer.decode([label for label in example.labels if label != IGNORED])
        assert learnt.startswith(f"{opening}your parcel")


def test_a_thought_that_the_prompt_begins_is_ended_before_the_answer(plain_tokenizer):
    chat = format_of(FAMILIES["deepseek r1"], plain_tokenizer)
    assert chat.render(TALK[:1], ask=True).endswith("<｜Assistant｜><think>\n\n</think>\n\n")


def test_a_template_that_writes_the_date_writes_the_same_one_on_every_day(plain_tokenizer, tmp_path):
    day = TEMPLATE_DATE
    for name, written in (("llama 3 with the date", "%d %b %Y"), ("gpt-oss", "%Y-%m-%d")):
        chat = format_of(FAMILIES[name], plain_tokenizer)
        assert day.strftime(written) in chat.render(TALK)
        chat.save(tmp_path / name)
        assert "strftime_now" not in "".join(
            file.read_text() for file in (tmp_path / name).iterdir() if file.suffix in (".jinja", ".json")
        )


def test_a_conversation_that_one_template_refuses_is_merged_and_the_run_goes_on(plain_tokenizer):
    chat = format_of(GEMMA, plain_tokenizer)
    rows = [stored("1", INTERRUPTED), stored("2", TALK)]
    made = build_examples(rows, chat, Recipe(system_prompt="be kind"))
    assert made.lessons == 2
    assert "be brief\n\nplease" in chat.tokenizer.decode(made.examples[0].input_ids)


def test_what_a_template_refuses_in_every_way_is_left_out_and_counted(plain_tokenizer):
    stern = QWEN3.replace(
        "{{ m['content']", "{% if 'parcel' in m['content'] %}{{ raise_exception('no') }}{% endif %}{{ m['content']"
    )
    chat = format_of(stern, plain_tokenizer)
    rows = [
        stored("1", TALK),
        stored("2", [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hello"}]),
    ]
    made = build_examples(rows, chat, Recipe())
    assert (made.lessons, made.nothing) == (1, {"refused": ("1",)})
    assert "1 conversation is left out: the chat template refuses them." in list(made.warnings())
    with pytest.raises(ModelError, match="refuses this conversation") as refused:
        chat.render(TALK)
    assert "another base model" in refused.value.remedy
    from engine.errors import TicketsError

    with pytest.raises(TicketsError, match="refuses this conversation") as nothing:
        build_examples(rows[:1], chat, Recipe())
    assert "max length" not in nothing.value.remedy
    assert build_examples(rows[:1], chat, Recipe(), may_be_empty=True).examples == ()
