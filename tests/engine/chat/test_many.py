"""Many questions through one batch: order, progress, cancelling, stop words, and everybody at the same time."""

import dataclasses
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from engine.chat.adapters import bank_of
from engine.chat.batch import DecodingBatch
from engine.chat.decoding import Request, Row, SharedBatch, batch_of, decode
from engine.chat.playground import Sampling, answer, answer_many
from engine.errors import ResourceError, StudioError
from tests.engine.chat.test_playground import BASE, StopsAt, final, texts, tuned

WORDS = ["return window", "my parcel", "hello", "change my address", "kind regards please"]
QUESTIONS = [[{"role": "user", "content": f"{WORDS[n % 5]} {'and a lamp ' * (n % 4)}"}] for n in range(9)]
GREEDY = Sampling(max_new_tokens=12)
DEADLINE = 60.0


@pytest.fixture
def voices(friendly):
    return [BASE, tuned(friendly)]


@pytest.fixture
def uneven(tiny_base) -> StopsAt:
    """The tiny base with tokens that end answers at different places."""
    rows = [Row(tuple(tiny_base.chat.prompt(question)), None) for question in QUESTIONS[:3]]
    *_, states = decode(bank_of(tiny_base), rows, GREEDY, frozenset(), 0)
    return StopsAt(tiny_base, states[0].tokens[2], states[1].tokens[5], states[2].tokens[8])


def one_by_one(base, voices, sampling=GREEDY):
    return [texts(final(base, voices, [question] * len(voices), sampling)) for question in QUESTIONS]


def asked_of(voices):
    return [[question] * len(voices) for question in QUESTIONS]


def many(base, voices, sampling=GREEDY, **options):
    found = list(answer_many(base, voices, asked_of(voices), sampling, **options))
    return [[said.text for said in answers] for answers in found]


@pytest.mark.parametrize("sampling", [GREEDY, Sampling(1.0, 0.95, 12, seed=3)], ids=["greedy", "drawn"])
def test_many_answers_are_those_of_one_question_at_a_time_in_their_order(uneven, voices, sampling):
    assert many(uneven, voices, sampling) == one_by_one(uneven, voices, sampling)


def test_progress_tells_every_answer_and_ends_at_their_number(uneven, voices):
    told: list[tuple[int, int]] = []
    many(uneven, voices, progress=lambda *seen: told.append(seen))
    assert told[0] == (0, 18)
    assert told[-1] == (18, 18)
    assert told == sorted(set(told))
    assert len(told) > 3


def test_each_voice_hears_a_conversation_of_its_own(tiny_base, voices):
    endless = StopsAt(tiny_base)
    found = list(answer_many(endless, voices, [QUESTIONS[:2], QUESTIONS[2:4]], GREEDY))
    wanted = [final(endless, voices, pair, GREEDY) for pair in (QUESTIONS[:2], QUESTIONS[2:4])]
    assert [[said.text for said in answers] for answers in found] == [texts(frame) for frame in wanted]


def test_no_questions_have_no_answers(tiny_base, voices):
    assert list(answer_many(tiny_base, voices, [], GREEDY)) == []


def test_cancelling_keeps_what_was_said_and_gives_an_answer_to_each_question(tiny_base, voices):
    endless, stop = StopsAt(tiny_base), threading.Event()
    whole = one_by_one(endless, voices)
    steps = iter(range(100))
    found = list(
        answer_many(endless, voices, asked_of(voices), GREEDY, should_stop=lambda: next(steps) >= 5 or stop.is_set())
    )
    assert len(found) == len(QUESTIONS)
    for answers, told in zip(found, whole, strict=True):
        assert [said.stopped_by for said in answers] == ["cancelled", "cancelled"]
        assert all(0 < said.tokens <= 5 for said in answers)
        assert all(text.startswith(said.text) for said, text in zip(answers, told, strict=True))
    assert many(endless, voices) == whole


def test_a_stop_word_ends_an_answer_before_it_and_leaves_the_others_alone(tiny_base, voices):
    endless = StopsAt(tiny_base)
    free = one_by_one(endless, voices)
    word = free[0][1][6:9]
    wanted = [[text.partition(word)[0] for text in pair] for pair in free]
    assert wanted != free
    stopping = dataclasses.replace(GREEDY, stop_words=(word, "never said"))
    assert many(endless, voices, stopping) == wanted
    frames = list(answer(endless, voices[1:], QUESTIONS[:1], stopping))
    assert frames[-1].answers[0].stopped_by == "stop word"
    assert frames[-1].answers[0].tokens < 12
    shown = [frame.answers[0].text for frame in frames]
    assert all(wanted[0][1].startswith(text) for text in shown), "what may become a stop word is not shown"


def test_ten_people_at_once_get_what_each_gets_alone(tiny_base, friendly, formal):
    endless = StopsAt(tiny_base)
    chosen = [[BASE], [tuned(friendly)], [BASE, tuned(formal)], [tuned(formal), tuned(friendly)]]
    settings = [GREEDY, Sampling(0.9, 0.9, 10, seed=4), Sampling(1.0, 1.0, 14, seed=8, top_k=9)]
    asked = [(chosen[n % 4], QUESTIONS[n % 9], settings[n % 3]) for n in range(10)]
    alone = [texts(final(endless, who, [question] * len(who), how)) for who, question, how in asked]
    start = threading.Barrier(10)

    def ask(who, question, how):
        start.wait(DEADLINE)
        return [texts(final(endless, who, [question] * len(who), how)) for _ in range(2)]

    with ThreadPoolExecutor(10) as threads:
        futures = [threads.submit(ask, *one) for one in asked]
        assert [future.result(DEADLINE) for future in futures] == [[said, said] for said in alone]
    assert batch_of(tiny_base)._batch.is_idle


def test_two_people_are_answered_by_the_same_steps(tiny_base, friendly):
    endless = StopsAt(tiny_base)
    rows: list[int] = []
    embedding = bank_of(tiny_base).model.get_input_embeddings()
    hook = embedding.register_forward_hook(lambda _, inputs, __: rows.append(len(inputs[0])))
    first = answer(endless, [BASE], [QUESTIONS[0]], GREEDY)
    second = answer(endless, [tuned(friendly)], [QUESTIONS[1]], GREEDY)
    while (frame := next(first)).answers[0].tokens < 2:
        pass
    *_, last = second
    frames = list(first)
    hook.remove()
    assert max(rows) == 2
    assert last.answers[0].tokens == 12
    assert len(frames) < 4, "what the other has computed is told at once"
    assert frames[-1].answers[0].tokens == 12
    assert frame.answers[0].tokens == 2


def test_who_waits_for_a_word_goes_before_a_heap_of_questions(tiny_base, voices, monkeypatch):
    from engine.chat import continuous_batch

    monkeypatch.setattr(continuous_batch, "most_rows", lambda *_: 2)
    endless = StopsAt(tiny_base)
    heap = answer_many(endless, voices, asked_of(voices), GREEDY)
    next(heap)
    assert final(endless, [BASE], [QUESTIONS[3]], GREEDY).answers[0].tokens == 12
    assert len(list(heap)) == len(QUESTIONS) - 1, "the heap goes on where it was"
    assert batch_of(tiny_base)._batch.is_idle


def test_prompts_of_a_heap_are_read_several_at_a_time_where_a_pass_costs_the_same(tiny_base, friendly, monkeypatch):
    from engine.chat import continuous_batch

    rows = [Row(tuple(tiny_base.chat.prompt(question)), None) for question in QUESTIONS]
    lengths = [3 + 4 * (number % 3) for number in range(len(rows))]

    def answered():
        found = [
            Request(row, Sampling(max_new_tokens=most), frozenset()) for row, most in zip(rows, lengths, strict=True)
        ]
        *_, states = SharedBatch(bank_of(tiny_base), 0, rows=4).answer(found)
        return [state.tokens for state in states]

    alone, read, prefill = answered(), [], DecodingBatch.prefill
    monkeypatch.setattr(DecodingBatch, "is_recorded", True)  # as on a GPU
    monkeypatch.setattr(DecodingBatch, "prefill", lambda self, rows: (read.append(len(rows)), prefill(self, rows))[1])
    monkeypatch.setattr(continuous_batch, "TOGETHER", 2)
    assert answered() == alone
    assert read[0] == 4
    assert all(count >= 2 for count in read[:-1])
    assert sum(read) == len(rows)


def test_storms_of_cancelling_leave_no_row_behind_and_no_wrong_token(tiny_base, friendly, formal):
    endless = StopsAt(tiny_base)
    who = [BASE, tuned(friendly), tuned(formal)]
    wanted = texts(final(endless, who, [QUESTIONS[0]] * 3, GREEDY))
    start = threading.Barrier(6)

    def storm(number: int) -> None:
        start.wait(DEADLINE)
        for turn in range(8):
            given_up = answer(endless, [who[(number + turn) % 3]], [QUESTIONS[turn % 9]], GREEDY)
            for _ in range(2 + (number + turn) % 5):
                next(given_up, None)  # the others may have brought it to its end
            given_up.close()

    with ThreadPoolExecutor(6) as threads:
        storms = [threads.submit(storm, number) for number in range(5)]
        start.wait(DEADLINE)
        found = [texts(final(endless, who, [QUESTIONS[0]] * 3, GREEDY)) for _ in range(3)]
        for each in storms:
            each.result(DEADLINE)
    assert found == [wanted] * 3
    assert batch_of(tiny_base)._batch.is_idle
    assert not any(slot.users for slot in bank_of(tiny_base)._slots.values())


def test_an_adapter_of_broken_numbers_fails_alone(tiny_base, friendly, tmp_path):
    from tests.engine.chat.lora import make_lora

    endless = StopsAt(tiny_base)
    broken = make_lora(tiny_base, tmp_path / "broken", seed=3, std=1e30)
    wanted = texts(final(endless, [tuned(friendly)], [QUESTIONS[0]], GREEDY))
    good = answer(endless, [tuned(friendly)], [QUESTIONS[0]], GREEDY)
    while next(good).answers[0].tokens < 3:
        pass
    with pytest.raises(StudioError, match="overflowed"):
        final(endless, [tuned(broken)], [QUESTIONS[1]], GREEDY)
    *_, frame = good
    assert texts(frame) == wanted


class Full:
    """Memory that runs out whenever more rows than ``most`` are computed at a time."""

    def __init__(self, model, most: int) -> None:
        self.most, self.times = most, 0
        self._hook = model.get_input_embeddings().register_forward_hook(self._check)

    def _check(self, _, inputs, __) -> None:
        if len(inputs[0]) > self.most:
            self.times += 1
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate")

    def close(self) -> None:
        self._hook.remove()


def test_where_memory_runs_out_fewer_are_answered_at_a_time_and_no_word_is_lost(tiny_base, voices):
    endless = StopsAt(tiny_base)
    wanted = one_by_one(endless, voices)
    full = Full(bank_of(tiny_base).model, 3)
    assert many(endless, voices) == wanted
    assert full.times > 0
    full.most = 1
    begun = answer(endless, [BASE], [QUESTIONS[0]], GREEDY)
    while next(begun).answers[0].tokens < 4:
        pass
    assert texts(final(endless, voices, [QUESTIONS[1]] * 2, GREEDY)) == wanted[1]
    *_, frame = begun
    assert texts(frame) == wanted[0][:1]
    full.close()


def test_an_answer_for_which_memory_never_does_is_told_so(tiny_base, voices):
    endless = StopsAt(tiny_base)
    full = Full(bank_of(tiny_base).model, 0)
    with pytest.raises(ResourceError, match="not enough memory for this answer"):
        final(endless, voices, [QUESTIONS[0]] * 2, GREEDY)
    full.close()
    assert len(texts(final(endless, voices, [QUESTIONS[0]] * 2, GREEDY))) == 2
    assert batch_of(tiny_base)._batch.is_idle


def test_two_hundred_swaps_while_an_answer_streams_leave_every_token_right(tiny_base, friendly, formal):
    """More adapters than one take turns beside an answer that never stops."""
    endless = StopsAt(tiny_base)
    short, long = Sampling(max_new_tokens=2), Sampling(max_new_tokens=400)
    who = [BASE, tuned(friendly), tuned(formal)]
    wanted = [texts(final(endless, [voice], [QUESTIONS[0]], short)) for voice in who]
    streamed = texts(final(endless, [tuned(friendly)], [QUESTIONS[1]], long))
    stream = answer(endless, [tuned(friendly)], [QUESTIONS[1]], long)
    for swap in range(200):
        frame = next(stream)
        voice = swap * 7 % 3
        assert texts(final(endless, [who[voice]], [QUESTIONS[0]], short)) == wanted[voice]
    assert not frame.answers[0].done
    *_, frame = stream
    assert texts(frame) == streamed


def test_those_who_come_while_a_step_is_computed_are_read_together(tiny_base, bank):
    """They had waited for the lock one after the other, and each had read its prompt alone."""
    shared = SharedBatch(bank, 0)
    prompts = [tuple(tiny_base.chat.prompt(question)) for question in QUESTIONS[:4]]
    first, *coming = [Request(Row(prompt, None), GREEDY, frozenset()) for prompt in prompts]
    under_way = shared.answer([first])
    next(under_way)

    def come(request):
        answer = shared.answer([request])
        next(answer)
        return [len(one.state.tokens) for one in coming], answer

    with ThreadPoolExecutor(3) as threads:
        with shared._lock:  # as whoever computes has it
            futures = [threads.submit(come, request) for request in coming]
            end = time.monotonic() + DEADLINE
            while len(shared._coming) < 3:
                assert time.monotonic() < end
                time.sleep(0.005)
        found = [future.result(DEADLINE) for future in futures]
    assert all(min(written) >= 1 for written, _ in found)
    for each in (under_way, *(begun for _, begun in found)):
        each.close()
    assert shared._batch.is_idle


def test_who_talks_does_not_wait_until_the_prompts_of_a_heap_are_read(tiny_base, monkeypatch):
    read, prefill = [], DecodingBatch.prefill
    monkeypatch.setattr(DecodingBatch, "prefill", lambda self, rows: (read.append(len(rows)), prefill(self, rows))[1])
    requests = [
        Request(Row(tuple(tiny_base.chat.prompt(question)), None), GREEDY, frozenset(), talks_on=number in (3, 5))
        for number, question in enumerate(QUESTIONS)
    ]
    for _ in SharedBatch(bank_of(tiny_base), 0).answer(requests):
        pass
    assert read == [2, len(QUESTIONS) - 2]
    assert all(len(request.state.tokens) == 12 for request in requests)
