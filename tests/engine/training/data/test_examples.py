import pytest

from engine.errors import TicketsError
from engine.model.chat_format import chat_format
from engine.recipe import Recipe
from engine.training.data.examples import IGNORED, build_examples
from engine.training.data.learn_view import learn_view
from engine.training.data.token_counts import count_tokens
from tests.engine.model.test_chat_format import LLAMA2, UNMARKED
from tests.tiny import CHATML, make_tokenizer, stored

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


def made_of(messages, tokenizer, **recipe):
    chat = chat_format(tokenizer)
    return build_examples([stored("1", messages)], chat, Recipe(**recipe)).examples, chat


def one(messages, tokenizer, **recipe):
    (example,), chat = made_of(messages, tokenizer, **recipe)
    return example, chat


@pytest.mark.parametrize(
    ("template", "eos", "learnt"),
    [
        (CHATML, "<|im_end|>", ["your parcel arrives on friday<|im_end|>yes it does<|im_end|>"]),
        (QWEN_THINKING, "<|im_end|>", ["your parcel arrives on friday<|im_end|>", "yes it does<|im_end|>"]),
        (LLAMA2, "</s>", [" your parcel arrives on friday </s> yes it does </s>"]),
        (None, "</s>", ["your parcel arrives on friday</s>yes it does</s>"]),
        (UNMARKED, "</s>", ["your parcel arrives on friday</s>", "yes it does</s>"]),
    ],
)
def test_only_answers_and_their_end_tokens_are_learnt_under_every_template(template, eos, learnt):
    tokenizer = make_tokenizer(template, eos=eos)
    examples, chat = made_of(LONG, tokenizer)
    assert [learnt_text(example, tokenizer) for example in examples] == learnt
    for example in examples:
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
    rows = [stored("1", LONG), stored("2", LONG[:2])]
    cut = build_examples(rows, chat, Recipe(max_length=max(32, size - 4), keeps="oldest"))
    assert cut.examples[0].cut == size - max(32, size - 4)
    assert cut.examples[0].cut_learnt > 0
    assert cut.cut == 1
    assert any("lose an answer or a part of one" in sentence for sentence in cut.warnings())


def test_a_conversation_of_which_nothing_is_left_is_left_out_and_named():
    tokenizer = make_tokenizer()
    long_question = [{"role": "user", "content": "hello " * 60}, LONG[1]]
    rows = [stored("7", long_question), stored("8", LONG[:2])]
    made = build_examples(rows, chat_format(tokenizer), Recipe(max_length=40))
    assert made.nothing == {"too long": ("7",)}
    assert [example.ticket for example in made.examples] == ["8"]
    with pytest.raises(TicketsError, match="Nothing would be learnt"):
        build_examples(rows[:1], chat_format(tokenizer), Recipe(max_length=40))


def test_a_template_that_alters_answers_leaves_them_out_instead_of_learning_the_wrong_words():
    chat = chat_format(make_tokenizer(SHOUTING, eos="</s>"))
    rows = [stored("1", [LONG[0], {"role": "assistant", "content": "yes"}])]
    made = build_examples(rows, chat, Recipe())
    learnt = [learnt_text(example, chat.tokenizer) for example in made.examples]
    assert all("YES" in text for text in learnt)


def test_the_view_shows_the_very_arrays_of_training():
    tokenizer = make_tokenizer()
    chat = chat_format(tokenizer)
    recipe = Recipe(max_length=32, system_prompt="hello dear customer", keeps="oldest")
    row = stored("1", LONG)
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
        stored("1", LONG),
        stored("2", LONG[:2]),
        stored("3", long_question),
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
    rows = [stored(str(number), [asked, LONG[1]]) for number in range(4)]
    whole = count_tokens(rows, chat, Recipe(max_length=1024))
    cut = count_tokens(rows, chat, Recipe(max_length=whole.lengths[0] - 2))
    assert (whole.endless, whole.many_cut, whole.cut) == (0, False, 0)
    assert (cut.endless, cut.many_cut, cut.nothing_learnt) == (4, True, 0)
    assert (whole.cut_tickets, cut.cut_tickets[0]) == ((), ("0", whole.lengths[0]))
    assert cut.fitting() % 64 == 0 and cut.fitting() >= max(cut.lengths)
    assert count_tokens(rows, chat, Recipe(max_length=cut.fitting())).cut == 0


def test_counting_tells_how_far_it_is_and_ends_when_it_is_told_to():
    def stop(stage, fraction):
        raise TicketsError(f"{stage}: stopped at {fraction}.")

    rows = [stored("1", LONG)]
    with pytest.raises(TicketsError, match="stopped at 0"):
        count_tokens(rows, chat_format(make_tokenizer()), Recipe(), stop)


def test_reasoning_inside_an_answer_is_left_out_and_counted_while_a_customers_words_stay():
    tokenizer = make_tokenizer(QWEN_THINKING)
    tokenizer.add_tokens(["<think>", "</think>"])
    asked = {"role": "user", "content": "what does <think> mean"}
    for answer in ("<think>\nI look it up.\n</think>\n\nyes you can", "I look it up.</think>yes you can"):
        rows = [stored("1", [asked, {"role": "assistant", "content": answer}])]
        made = build_examples(rows, chat_format(tokenizer), Recipe())
        assert learnt_text(made.examples[0], tokenizer) == "yes you can<|im_end|>"
        assert made.reasoning == 1
        assert "Reasoning was left out of 1 answer." in list(made.warnings())
        assert "< think> mean" in tokenizer.decode(made.examples[0].input_ids)


def test_an_answer_that_is_reasoning_alone_is_not_learnt():
    messages = [LONG[0], {"role": "assistant", "content": "<think>where is it"}, *LONG[2:]]
    rows = [stored("1", messages)]
    made = build_examples(rows, chat_format(make_tokenizer()), Recipe())
    assert learnt_text(made.examples[0], make_tokenizer()) == "yes it does<|im_end|>"
    alone = [stored("1", messages[:2])]
    with pytest.raises(TicketsError, match="no conversation holds an answer") as nothing:
        build_examples(alone, chat_format(make_tokenizer()), Recipe())
    assert "max length" not in nothing.value.remedy


def test_an_answer_of_weight_0_is_context_and_is_counted():
    tokenizer = make_tokenizer()
    rows = [stored("1", [LONG[0], {**LONG[1], "weight": 0}, *LONG[2:]])]
    made = build_examples(rows, chat_format(tokenizer), Recipe())
    assert learnt_text(made.examples[0], tokenizer) == "yes it does<|im_end|>"
    assert tokenizer.decode(made.examples[0].input_ids).count("friday") == 2
    assert made.context_only == 1
    assert any("weight 0" in sentence for sentence in made.warnings())
    counts = count_tokens(rows, chat_format(tokenizer), Recipe())
    assert (counts.context_only, counts.unanswered, counts.used) == (1, 0, 1)
    alone = [stored("1", [LONG[0], {**LONG[1], "weight": 0}])]
    assert count_tokens(alone, chat_format(tokenizer), Recipe()).unanswered == 1


def long_thread(turns: int) -> list[dict[str, str]]:
    asked = [{"role": "user", "content": f"question {number} please"} for number in range(turns)]
    told = [{"role": "assistant", "content": f"answer {number} yes"} for number in range(turns)]
    return [message for pair in zip(asked, told, strict=True) for message in pair]


@pytest.mark.parametrize("template", [CHATML, QWEN_THINKING])
def test_a_long_thread_keeps_the_first_question_and_the_newest_answers_whole(template):
    tokenizer = make_tokenizer(template)
    thread = [{"role": "system", "content": "be kind"}, *long_thread(12)]
    examples, chat = made_of(thread, tokenizer, max_length=120)
    text = tokenizer.decode(examples[-1].input_ids)
    assert text.startswith("<|im_start|>system\nbe kind<|im_end|>\n<|im_start|>user\nquestion 0 please\n\nquestion ")
    assert learnt_text(examples[-1], tokenizer).endswith("answer 11 yes<|im_end|>")
    assert text.count("question") >= 3
    assert "question 1 " not in text
    assert all(len(example.input_ids) <= 120 and not example.broken for example in examples)
    assert examples[-1].cut > 0
    for example in examples:
        first = next(i for i, label in enumerate(example.labels) if label != IGNORED)
        assert tokenizer.decode(example.input_ids[:first]).endswith(chat.render([LONG[0]], ask=True)[-20:])


def test_the_newest_exchange_that_does_not_fit_alone_gives_way_to_the_one_before():
    thread = [*long_thread(3), {"role": "user", "content": "a log " * 90}, {"role": "assistant", "content": "yes"}]
    tokenizer = make_tokenizer()
    (example,), _ = made_of(thread, tokenizer, max_length=100)
    assert learnt_text(example, tokenizer).endswith("answer 2 yes<|im_end|>")
    assert example.cut_learnt > 0


def test_a_long_first_question_is_left_off_where_it_takes_all_the_room():
    thread = [{"role": "user", "content": "a log " * 90}, *long_thread(3)[1:]]
    tokenizer = make_tokenizer()
    (example,), _ = made_of(thread, tokenizer, max_length=100)
    assert tokenizer.decode(example.input_ids).startswith("<|im_start|>user\nquestion 1 please")
    assert learnt_text(example, tokenizer).endswith("answer 2 yes<|im_end|>")


def test_the_oldest_turns_are_kept_where_the_recipe_says_so():
    tokenizer = make_tokenizer()
    (example,), _ = made_of(long_thread(12), tokenizer, max_length=100, keeps="oldest")
    assert learnt_text(example, tokenizer).startswith("answer 0 yes<|im_end|>")
    assert len(example.input_ids) == 100


def test_the_view_shows_each_answer_once_and_says_what_is_read_again():
    chat = chat_format(make_tokenizer(QWEN_THINKING))
    row = stored("1", LONG)
    view, counts = learn_view(row, chat, Recipe()), count_tokens([row], chat, Recipe())
    learnt = [(piece.text, piece.answer) for piece in view.pieces if piece.part == "learnt"]
    assert learnt == [("your parcel arrives on friday", 1), ("yes it does", 3)]
    shown = "".join(piece.text for piece in view.pieces)
    assert shown.count("where is my parcel") == 1
    assert view.count("context") + view.read_again == counts.context
    assert (counts.used, len(counts.lengths)) == (1, 2)
    assert counts.read_again > 0


def test_the_view_shows_what_is_left_off_where_it_was():
    chat = chat_format(make_tokenizer())
    row, recipe = stored("1", long_thread(12)), Recipe(max_length=100)
    view = learn_view(row, chat, recipe)
    parts = [piece.part for piece in view.pieces]
    assert parts[:3] == ["context", "cut", "context"]
    assert view.pieces[0].text.endswith("question 0 please\n\n")
    assert "question 1 please\n\nanswer 1 yes" in view.pieces[1].text
    assert view.count("cut") == build_examples([row], chat, recipe).examples[0].cut
