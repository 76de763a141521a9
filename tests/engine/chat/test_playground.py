import dataclasses
import shutil
import threading

import pytest
import torch
from peft import LoraConfig, get_peft_model

from engine.chat import playground
from engine.chat.adapters import bank_of
from engine.chat.playground import Sampling, answer
from engine.errors import ResourceError, StudioError
from engine.studio import Voice
from tests.engine.chat.lora import greedy_with_transformers, make_lora, with_peft

ASK = [{"role": "user", "content": "how long is the return window"}]
GREEDY = Sampling(temperature=0.0, max_new_tokens=16)
BASE = Voice("base", "Base model", "", None)


class StopsAt:
    """The tiny base with other tokens that end an answer: its random weights end some answers at once."""

    def __init__(self, base, *tokens: int) -> None:
        self.model, self.companion, self.mark = base.model, base.companion, base.mark
        self.is_streamed = base.is_streamed
        self.chat = dataclasses.replace(base.chat, stop_ids=frozenset(tokens))


@pytest.fixture
def endless(tiny_base) -> StopsAt:
    return StopsAt(tiny_base)


def tuned(path, name: str = "tuned") -> Voice:
    return Voice(f"run:{name}", name, "tiny", path)


def final(base, voices, conversations=None, sampling=GREEDY, stop=lambda: False):
    *_, frame = answer(base, voices, conversations or [ASK] * len(voices), sampling, stop)
    return frame


def texts(frame) -> list[str]:
    return [said.text for said in frame.answers]


def test_each_voice_says_what_its_model_says_alone(tiny_base, endless, friendly, formal):
    voices = [BASE, tuned(friendly, "friendly"), tuned(formal, "formal")]
    frame = final(endless, voices)
    prompt = tiny_base.chat.prompt(ASK)
    models = (tiny_base.copy(), with_peft(tiny_base, friendly), with_peft(tiny_base, formal))
    told = [greedy_with_transformers(model, prompt, 16) for model in models]
    assert texts(frame) == [tiny_base.chat.tokenizer.decode(ids, skip_special_tokens=True) for ids in told]
    assert [said.voice for said in frame.answers] == ["base", "run:friendly", "run:formal"]
    assert [said.tokens for said in frame.answers] == [16, 16, 16]


def test_frames_tell_the_stage_and_grow_to_the_end(tiny_base, endless, friendly):
    frames = list(answer(endless, [BASE, tuned(friendly)], [ASK, ASK], GREEDY))
    assert [frame.stage for frame in frames] == ["Loading the adapters", "Reading", *["Writing"] * 15, ""]
    assert all(said.done and said.stopped_by == "length" for said in frames[-1].answers)
    assert [said.done for frame in frames[:-1] for said in frame.answers] == [False] * 34
    seconds = [frame.answers[0].seconds for frame in frames]
    assert seconds == sorted(seconds)
    assert seconds[-1] > 0


def test_over_a_streamed_base_the_cost_is_said_before_the_answer_begins(streamed_base, monkeypatch):
    monkeypatch.setitem(streamed_base.__dict__, "sweep_seconds", 2.0)
    short = Sampling(temperature=0.0, max_new_tokens=60)
    frames = answer(streamed_base, [BASE], [ASK], short)
    stages = [next(frames).stage for _ in range(2)]
    frames.close()
    assert stages[1].endswith("for every token: up to 2 minutes for 60 tokens")


def test_voices_may_have_conversations_of_their_own(tiny_base, endless, friendly):
    longer = [*ASK, {"role": "assistant", "content": "forty one days"}, {"role": "user", "content": "and for a lamp?"}]
    frame = final(endless, [BASE, tuned(friendly)], [longer, ASK])
    assert texts(frame)[:1] == texts(final(endless, [BASE], [longer]))
    assert texts(frame)[1:] == texts(final(endless, [tuned(friendly)], [ASK]))


def test_answer_stops_at_the_end_of_turn_and_does_not_show_it(tiny_base, endless, friendly):
    free = final(endless, [tuned(friendly)])
    prompt = tiny_base.chat.prompt(ASK)
    told = greedy_with_transformers(with_peft(tiny_base, friendly), prompt, 16)
    stop = next(token for place, token in enumerate(told) if place > 3 and token not in told[:place])
    said = final(StopsAt(tiny_base, stop), [tuned(friendly)]).answers[0]
    assert said.stopped_by == "end"
    assert said.tokens == told.index(stop)
    assert free.answers[0].text.startswith(said.text)


def test_stopped_answer_keeps_its_text_and_the_next_one_is_right(tiny_base, endless, friendly):
    voices = [BASE, tuned(friendly)]
    whole = final(endless, voices)
    stop = threading.Event()
    for frame in answer(endless, voices, [ASK, ASK], GREEDY, stop.is_set):
        if frame.answers[0].tokens == 4:
            stop.set()
    assert [said.stopped_by for said in frame.answers] == ["cancelled", "cancelled"]
    assert all(said.done and said.tokens == 4 for said in frame.answers)
    assert texts(final(endless, voices)) == texts(whole)


def test_an_adapter_keeps_its_place_while_it_answers_and_is_free_after(tiny_base, endless, friendly, formal, tmp_path):
    """The bank has eight places: seven others and it fill them, the eighth takes that of whoever is free longest."""
    others = [shutil.copytree(formal, tmp_path / str(number)) for number in range(8)]
    bank = bank_of(tiny_base)
    abandoned = answer(endless, [tuned(friendly)], [ASK], GREEDY)
    for frame in abandoned:
        if frame.answers[0].tokens:
            break
    place = bank.load(friendly)
    assert place not in [bank.load(other) for other in others]
    abandoned.close()
    bank.load(others[0])
    assert place in [bank.load(other) for other in (friendly, *others)][1:]


def test_conversation_that_fills_the_context_is_refused_in_words(tiny_base):
    endless_talk = [{"role": "user", "content": "parcel " * 600}]
    with pytest.raises(StudioError, match="at most 512") as refused:
        final(tiny_base, [BASE], [endless_talk])
    assert "Shorten" in refused.value.remedy


def test_answer_is_no_longer_than_the_context_allows(tiny_base, endless):
    question = [{"role": "user", "content": "parcel " * 240}]
    room = 512 - len(tiny_base.chat.prompt(question))
    assert 0 < room < 300
    said = final(endless, [BASE], [question], Sampling(temperature=0.0, max_new_tokens=300)).answers[0]
    assert (said.tokens, said.stopped_by) == (room, "length")


@pytest.mark.parametrize(
    "conversation", [[], [{"role": "user", "content": "  "}], [*ASK, {"role": "assistant", "content": "yes"}]]
)
def test_conversation_without_a_question_is_refused_in_words(tiny_base, conversation):
    with pytest.raises(StudioError, match="no question"):
        final(tiny_base, [BASE], [conversation])


def test_adapter_that_has_gone_is_told_in_words(tiny_base, tmp_path):
    with pytest.raises(StudioError, match="gone-checkpoint"):
        final(tiny_base, [tuned(tmp_path / "gone-checkpoint")])


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"), "not enough memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "not enough memory"),
        (MemoryError(), "not enough memory"),
        (RuntimeError("CUDA error: device-side assert"), "GPU stopped answering"),
    ],
)
def test_failure_of_the_machine_is_told_in_words_and_the_next_answer_is_right(tiny_base, monkeypatch, raised, said):
    whole = texts(final(tiny_base, [BASE]))

    def fails(*_, **__):
        raise raised

    with monkeypatch.context() as patch:
        patch.setattr(bank_of(tiny_base), "step", fails)
        patch.setattr(bank_of(tiny_base).model, "forward", fails)
        with pytest.raises(ResourceError, match=said):
            final(tiny_base, [BASE])
    assert texts(final(tiny_base, [BASE])) == whole


def test_unknown_failure_is_not_hidden(tiny_base, monkeypatch):
    monkeypatch.setattr(bank_of(tiny_base), "step", lambda *_: 1 / 0)
    monkeypatch.setattr(bank_of(tiny_base).model, "forward", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        final(tiny_base, [BASE])


def test_importing_the_playground_does_not_import_torch():
    import subprocess
    import sys

    code = f"import sys, {playground.__name__}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def train(base, losses: list[float], steps: int = 12) -> None:
    """A small run on a copy of its own, with dropout drawn from the global random state, as trainers do."""
    torch.manual_seed(21)
    model = get_peft_model(
        base.copy(), LoraConfig(r=4, lora_dropout=0.3, target_modules="all-linear", task_type="CAUSAL_LM")
    )
    model.train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    ids = torch.arange(5, 5 + 4 * 24).reshape(4, 24)
    for _ in range(steps):
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())


def test_training_meanwhile_changes_no_answer_and_chatting_no_loss(tiny_base, endless, friendly, tmp_path):
    fresh = [make_lora(tiny_base, tmp_path / f"fresh-{n}", seed=50 + n) for n in range(3)]
    quiet: list[float] = []
    train(tiny_base, quiet)
    told = texts(final(endless, [BASE, tuned(friendly)]))

    busy: list[float] = []
    thread = threading.Thread(target=train, args=(tiny_base, busy))
    thread.start()
    answers = []
    while thread.is_alive() or len(answers) < 3:
        answers.append(texts(final(endless, [BASE, tuned(friendly)])))
        if fresh:
            bank_of(tiny_base).load(fresh.pop())
        final(endless, [tuned(friendly)], sampling=Sampling(temperature=1.0, max_new_tokens=4, seed=None))
    thread.join()

    assert busy == quiet
    assert len(quiet) == 12
    assert quiet[-1] < quiet[0]
    assert all(said == told for said in answers)
