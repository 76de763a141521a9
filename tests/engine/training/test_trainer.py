"""Real QLoRA on a tiny model, on the CPU."""

import json
import threading

import pytest
import torch

from engine.errors import ResourceError, RunError
from engine.training.events import Checkpointed, Evaluated, Finished, Noted, Started, Stepped
from engine.training.failures import explain
from engine.training.recipe import Recipe
from engine.training.trainer import TrainingData, run_training
from tests.tiny import conversations

DATA = TrainingData(conversations(24)[:20], conversations(24)[20:])


def recipe(tiny_model, **changes):
    values = {
        "max_steps": 8,
        "epochs": 10.0,
        "batch_size": 2,
        "accumulation": 2,
        "learning_rate": 5e-3,
        "max_length": 64,
    }
    return Recipe(**{"model": str(tiny_model), "eval_steps": 4, **values, **changes})


def train(made, base, folder, data=DATA, **options):
    """Run a training and return its outcome and events."""
    folder.mkdir(exist_ok=True)
    events = []
    return run_training(made, data, base, folder, events.append, **options), events


def losses(events):
    return [event.loss for event in events if isinstance(event, Stepped)]


def stop_after(calls):
    """Return a should_stop that says yes at its n-th call."""
    seen = iter(range(1, 10_000))
    return lambda: next(seen) >= calls


def test_a_run_learns_and_leaves_a_complete_adapter(tiny_model, tiny_base, tmp_path):
    outcome, events = train(recipe(tiny_model, max_steps=16), tiny_base, tmp_path / "run")
    started = next(event for event in events if isinstance(event, Started))
    assert started.steps == 16
    assert 0 < started.trainable < 0.5 * started.total
    held = [event for event in events if isinstance(event, Evaluated)]
    assert [event.step for event in held] == [0, 4, 8, 12, 16]
    assert held[-1].loss < 0.5 * held[0].loss
    assert [event.step for event in events if isinstance(event, Checkpointed)] == [4, 8, 12, 16]
    assert isinstance(events[-1], Finished)
    assert outcome.kept == min(held[1:], key=lambda event: event.loss).step
    names = {file.name for file in (tmp_path / "run" / "adapter").iterdir()}
    wanted = {"adapter_config.json", "adapter_model.safetensors", "chat_template.jinja", "tokenizer.json"}
    assert names == wanted | {"tokenizer_config.json"}
    environment = json.loads((tmp_path / "run" / "environment.json").read_text())
    assert {"device", "torch", "transformers", "trl", "peft", "bitsandbytes"} <= environment.keys()


def test_the_base_is_untouched_by_a_run(tiny_model, tiny_base, tmp_path):
    ids = torch.arange(20)[None]
    before = tiny_base.model(ids).logits
    train(recipe(tiny_model, max_steps=3), tiny_base, tmp_path / "run")
    assert torch.equal(tiny_base.model(ids).logits, before)
    assert not tiny_base.model.training
    assert not any("lora" in name for name, _ in tiny_base.model.named_modules())


def test_trained_biases_are_the_copys_own(tiny_model, tiny_base, tmp_path):
    from torch import nn

    with_biases = tiny_base.copy()
    layer = with_biases.model.layers[0].self_attn.q_proj
    layer.bias = nn.Parameter(torch.zeros(layer.out_features), requires_grad=False)
    base = type(tiny_base)(with_biases, tiny_base.chat, tiny_base.ref, tiny_base.loaded_as)
    train(recipe(tiny_model, max_steps=3, bias="all"), base, tmp_path / "run")
    assert torch.equal(layer.bias, torch.zeros(layer.out_features))


@pytest.mark.parametrize("by_length", [True, False])
@pytest.mark.parametrize("stop", [2, 6])
def test_a_stopped_and_resumed_run_has_the_very_losses_of_one_that_was_not(
    stop, by_length, tiny_model, tiny_base, tmp_path
):
    made = recipe(tiny_model, group_by_length=by_length)
    _, whole = train(made, tiny_base, tmp_path / "whole")
    heldout_batches = 2
    outcome, first = train(made, tiny_base, tmp_path / "cut", should_stop=stop_after(stop + heldout_batches))
    assert outcome.stopped
    assert outcome.step < 8
    assert (tmp_path / "cut" / "adapter" / "adapter_model.safetensors").exists()
    resumed, second = train(made, tiny_base, tmp_path / "cut", resume_step=outcome.step)
    assert not resumed.stopped
    assert losses(first) + losses(second) == losses(whole)
    assert not any(isinstance(event, Evaluated) and event.step == 0 for event in second)


def test_adapter_weights_are_float32_before_and_after_a_resume(tiny_model, tiny_base, tmp_path):
    from safetensors.torch import load_file

    outcome, _ = train(recipe(tiny_model), tiny_base, tmp_path / "run", should_stop=stop_after(5))
    train(recipe(tiny_model), tiny_base, tmp_path / "run", resume_step=outcome.step)
    for checkpoint in (tmp_path / "run" / "checkpoints").glob("checkpoint-*"):
        weights = load_file(checkpoint / "adapter_model.safetensors")
        assert {tensor.dtype for tensor in weights.values()} == {torch.float32}


def test_a_stop_before_the_first_step_keeps_nothing_and_says_so(tiny_model, tiny_base, tmp_path):
    outcome, events = train(recipe(tiny_model), tiny_base, tmp_path / "run", should_stop=lambda: True)
    assert outcome.stopped
    assert not any(isinstance(event, Evaluated) for event in events)
    assert outcome.step <= 1


def test_the_best_checkpoint_is_kept_even_when_the_last_is_worse(tiny_model, tiny_base, tmp_path):
    """Without dropout and at a constant, too large rate the loss swings: the lowest is not the last."""
    made = recipe(tiny_model, max_steps=12, eval_steps=2, learning_rate=0.05, schedule="constant", keep_checkpoints=1)
    outcome, events = train(made, tiny_base, tmp_path / "run")
    held = {event.step: event.loss for event in events if isinstance(event, Evaluated) and event.step}
    assert outcome.kept == min(held, key=lambda step: held[step])
    last, _ = train(recipe(tiny_model, max_steps=12, keep_best=False), tiny_base, tmp_path / "last")
    assert last.kept == 12


def test_packing_is_used_where_the_model_keeps_texts_apart(tiny_model, tiny_base, tmp_path):
    plain, _ = train(recipe(tiny_model, max_steps=0, epochs=1.0), tiny_base, tmp_path / "plain")
    packed, events = train(recipe(tiny_model, max_steps=0, epochs=1.0, packing=True), tiny_base, tmp_path / "packed")
    assert packed.step < plain.step
    assert not any(isinstance(event, Noted) and event.level == "warning" for event in events)


def test_the_loss_of_a_held_out_set_is_a_mean_over_tokens(tiny_model, tiny_base, tmp_path):
    """One long and three short answers: a mean of batch means would differ."""
    rows = conversations(24)[:3]
    rows.append(
        {"ticket": "long", "messages": [rows[0]["messages"][0], {"role": "assistant", "content": "friday " * 30}]}
    )
    _, events = train(
        recipe(tiny_model, max_steps=1, max_length=128), tiny_base, tmp_path / "run", TrainingData(DATA.train, rows)
    )
    from engine.training.examples import IGNORED, build_examples

    nats, count = 0.0, 0
    for example in build_examples(rows, tiny_base.chat, recipe(tiny_model, max_length=128)).examples:
        logits = tiny_base.model(torch.tensor([example.input_ids])).logits[0, :-1]
        labels = torch.tensor(example.labels)[1:]
        nats += float(torch.nn.functional.cross_entropy(logits, labels, ignore_index=IGNORED, reduction="sum"))
        count += int((labels != IGNORED).sum())
    seen = next(event for event in events if isinstance(event, Evaluated) and event.step == 0)
    assert seen.loss == pytest.approx(nats / count, rel=1e-5)


def test_whole_logits_on_the_cpu_give_the_losses_of_trl(tiny_model, tiny_base, tmp_path, monkeypatch):
    from engine.training import qlora_trainer

    _, whole = train(recipe(tiny_model), tiny_base, tmp_path / "whole")
    monkeypatch.setattr(qlora_trainer, "SMALL_LOGITS", 0)
    _, tiled = train(recipe(tiny_model), tiny_base, tmp_path / "tiled")
    assert losses(whole) == pytest.approx(losses(tiled), rel=1e-4)
    assert losses(whole) != losses(tiled), "both took the same path"


def test_losses_are_those_of_a_run_without_anybody_chatting(tiny_model, tiny_base, tmp_path):
    _, alone = train(recipe(tiny_model), tiny_base, tmp_path / "alone")
    folder = tmp_path / "alone" / "adapter"
    from engine.chat.playground import Sampling, answer
    from engine.chat.records import Voice

    voices = [Voice("base", "Base", "", None), Voice("a", "A", str(tiny_model), folder)]
    ended, answers = threading.Event(), []

    def chat():
        turns = [{"role": "user", "content": "where is my parcel"}]
        while not ended.is_set():
            for frame in answer(tiny_base, voices, [turns, turns], Sampling(1.0, 0.9, 12, None), ended.is_set):
                answers.append(frame)

    talker = threading.Thread(target=chat)
    talker.start()
    try:
        _, accompanied = train(recipe(tiny_model), tiny_base, tmp_path / "accompanied")
    finally:
        ended.set()
        talker.join(30)
    assert len(answers) > 10
    assert losses(accompanied) == losses(alone)


def test_a_loss_that_is_no_number_ends_the_run_and_proposes_a_lower_rate(tiny_model, tiny_base, tmp_path, monkeypatch):
    from engine.training import qlora_trainer

    step = qlora_trainer.QLoRATrainer.training_step

    def broken(self, *args, **kwargs):
        loss = step(self, *args, **kwargs)
        return loss * float("nan") if self.state.global_step == 5 else loss

    monkeypatch.setattr(qlora_trainer.QLoRATrainer, "training_step", broken)
    with pytest.raises(RunError, match=r"no longer a number at step 6.*0.001 instead of 0.005"):
        train(recipe(tiny_model), tiny_base, tmp_path / "run")
    assert (tmp_path / "run" / "checkpoints" / "checkpoint-4" / "trainer_state.json").exists()


def test_unknown_target_modules_are_named_as_such(tiny_model, tiny_base, tmp_path):
    with pytest.raises(RunError, match="all-linear"):
        train(recipe(tiny_model, target_modules="nothing_like_it"), tiny_base, tmp_path / "run")


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"), ResourceError, "Memory ran out"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), ResourceError, "Memory ran out"),
        (OSError(28, "No space left on device"), ResourceError, "disk that holds"),
        (RuntimeError("PytorchStreamWriter failed writing file data/3"), ResourceError, "disk that holds"),
        (RuntimeError("CUDA error: unspecified launch failure"), ResourceError, "GPU stopped answering"),
        (KeyError("exp_avg"), RunError, "another kind of device"),
        (ValueError("surprise"), RunError, "surprise"),
    ],
)
def test_every_failure_has_a_sentence_and_a_remedy(error, kind, words, tmp_path):
    told = explain(error, tmp_path)
    assert isinstance(told, kind)
    assert words in told.message
    assert told.remedy
