import pytest

from engine.errors import TicketsError
from engine.model.tokenizing import chat_format
from engine.training.examples import IGNORED, build_examples, learn_view
from engine.training.recipe import Recipe
from engine.training.token_counts import count_tokens
from tests.engine.model.test_tokenizing import LLAMA2, UNMARKED
from tests.tiny import CHATML, make_tokenizer

QWEN_THINKING = (
    "{% for m in messages %}{% if m['role'] == 'assistant' and loop.last %}"
    "{{ '<|im_start|>assistant\n<think>\n\n</think>\n\n' + m['content'] + '<|im_end|>\n' }}"
    "{% else %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
    "{% if enable_thinking is defined and not enable_thinking %}{{ '<think>\n\n</think>\n\n' }}{% endif %}{% endif %}"
)
SHOUTING = "{% for m in messages %}{{ m['content'] | upper }}{% endfor %}"

LONG = [
    {"role": "user", "content": "where is my parcel"},
    {"role": "assistant", "content": "your parcel arrives on friday"},
    {"role": "user", "content": "your parcel arrives on friday"},
    {"role": "assistant", "content": "yes it does"},
]


def learnt_text(example, tokenizer):
    return tokenizer.decode([label for label in example.labels if label != IGNORED])


def one(messages, tokenizer, **recipe):
    chat = chat_format(tokenizer)
    return build_examples([{"ticket": "1", "messages": messages}], chat, Recipe(**recipe)).examples[0], chat


@pytest.mark.parametrize(
    ("template", "eos", "learnt"),
    [
        (CHATML, "<|im_end|>", "your parcel arrives on friday<|im_end|>yes it does<|im_end|>"),
        (QWEN_THINKING, "<|im_end|>", "your parcel arrives on friday<|im_end|>yes it does<|im_end|>"),
        (LLAMA2, "</s>", " your parcel arrives on friday </s> yes it does </s>"),
        (None, "</s>", "your parcel arrives on friday</s>yes it does</s>"),
        (UNMARKED, "</s>", " your parcel arrives on friday yes it does</s>"),
    ],
)
def test_only_answers_and_their_end_tokens_are_learnt_under_every_template(template, eos, learnt):
    tokenizer = make_tokenizer(template, eos=eos)
    example, chat = one(LONG, tokenizer)
    assert learnt_text(example, tokenizer) == learnt
    last = [label for label in example.labels if label != IGNORED][-1]
    assert last == tokenizer.convert_tokens_to_ids(chat.end_of_turn)
    for label, token in zip(example.labels, example.input_ids, strict=True):
        assert label in (IGNORED, token)


def test_a_question_that_repeats_the_answer_word_for_word_is_not_learnt():
    tokenizer = make_tokenizer()
    example, _ = one(LONG, tokenizer)
    assert learnt_text(example, tokenizer).count("friday") == 1


def test_the_unlearnt_part_before_the_first_answer_is_the_prompt_of_the_playground():
    for template in (CHATML, QWEN_THINKING):
        tokenizer = make_tokenizer(template)
        example, chat = one(LONG[:2], tokenizer)
        prompt = chat.prompt(LONG[:1])
        assert list(example.input_ids[: len(prompt)]) == prompt
        assert set(example.labels[: len(prompt)]) == {IGNORED}
        assert example.labels[len(prompt)] != IGNORED


def test_a_cut_is_counted_and_takes_the_end_token_with_it():
    tokenizer = make_tokenizer()
    whole, chat = one(LONG, tokenizer, max_length=1024)
    size = len(whole.input_ids)
    rows = [{"ticket": "1", "messages": LONG}, {"ticket": "2", "messages": LONG[:2]}]
    cut = build_examples(rows, chat, Recipe(max_length=max(32, size - 4)))
    assert cut.examples[0].cut == size - max(32, size - 4)
    assert cut.examples[0].cut_learnt > 0
    assert cut.cut == 1
    assert any("lose a part of an answer" in sentence for sentence in cut.warnings())


def test_a_conversation_of_which_nothing_is_left_is_left_out_and_named():
    tokenizer = make_tokenizer()
    long_question = [{"role": "user", "content": "hello " * 60}, LONG[1]]
    rows = [{"ticket": "7", "messages": long_question}, {"ticket": "8", "messages": LONG[:2]}]
    made = build_examples(rows, chat_format(tokenizer), Recipe(max_length=40))
    assert made.nothing_learnt == ("7",)
    assert [example.ticket for example in made.examples] == ["8"]
    with pytest.raises(TicketsError, match="Nothing would be learnt"):
        build_examples(rows[:1], chat_format(tokenizer), Recipe(max_length=40))


def test_a_template_that_alters_answers_leaves_them_out_instead_of_learning_the_wrong_words():
    chat = chat_format(make_tokenizer(SHOUTING, eos="</s>"))
    rows = [{"ticket": "1", "messages": [LONG[0], {"role": "assistant", "content": "yes"}]}]
    made = build_examples(rows, chat, Recipe())
    learnt = [learnt_text(example, chat.tokenizer) for example in made.examples]
    assert all("YES" in text for text in learnt)


def test_the_view_shows_the_very_arrays_of_training():
    tokenizer = make_tokenizer()
    chat = chat_format(tokenizer)
    recipe = Recipe(max_length=32, system_prompt="hello dear customer")
    row = {"ticket": "1", "messages": LONG}
    example = build_examples([row], chat, recipe).examples[0]
    view = learn_view(row, chat, recipe)
    assert view.count("learnt") + view.count("end") == example.learnt
    assert view.count("context") == len(example.input_ids) - example.learnt
    assert view.count("cut") == example.cut > 0
    assert "".join(piece.text for piece in view.pieces).startswith("<|im_start|>system\nhello dear customer")


def test_the_counts_are_those_of_the_very_examples_of_training():
    chat, recipe = chat_format(make_tokenizer()), Recipe(max_length=40)
    long_question = [{"role": "user", "content": "hello " * 60}, LONG[1]]
    rows = [
        {"ticket": "1", "messages": LONG},
        {"ticket": "2", "messages": LONG[:2]},
        {"ticket": "3", "messages": long_question},
    ]
    made, counts = build_examples(rows, chat, recipe), count_tokens(rows, chat, recipe)
    assert counts.context + counts.learnt + counts.end == made.tokens
    assert counts.learnt + counts.end == made.learnt
    assert counts.end == sum(example.ends for example in made.examples) > 0
    assert counts.cut == sum(example.cut for example in made.examples)
    assert (counts.answers_cut, counts.nothing_learnt, counts.used) == (made.cut, 1, 2)
    assert counts.lengths[:2] == tuple(len(example.input_ids) + example.cut for example in made.examples)


def test_a_conversation_whose_end_is_cut_off_is_counted_and_the_length_that_fits_is_named():
    chat = chat_format(make_tokenizer())
    asked = {"role": "user", "content": "hello " * 30}
    rows = [{"ticket": str(number), "messages": [asked, LONG[1]]} for number in range(4)]
    whole = count_tokens(rows, chat, Recipe(max_length=1024))
    cut = count_tokens(rows, chat, Recipe(max_length=whole.lengths[0] - 2))
    assert (whole.endless, whole.many_cut, whole.cut) == (0, False, 0)
    assert (cut.endless, cut.many_cut, cut.nothing_learnt) == (4, True, 0)
    assert cut.fitting() % 64 == 0 and cut.fitting() >= max(cut.lengths)
    assert count_tokens(rows, chat, Recipe(max_length=cut.fitting())).cut == 0


def test_counting_tells_how_far_it_is_and_ends_when_it_is_told_to():
    def stop(stage, fraction):
        raise TicketsError(f"{stage}: stopped at {fraction}.")

    rows = [{"ticket": "1", "messages": LONG}]
    with pytest.raises(TicketsError, match="stopped at 0"):
        count_tokens(rows, chat_format(make_tokenizer()), Recipe(), stop)
