"""Real QLoRA on a tiny model, on the CPU."""

import dataclasses
import gc
import json
import threading

import pytest
import torch
from safetensors.torch import load_file

from engine.errors import RecipeError, RunError
from engine.training.data.examples import build_examples
from engine.training.runs.events import Checkpointed, Evaluated, Finished, LogNote, Record, Started, Stepped
from engine.training.runs.history import Curve
from engine.training.trainer import TrainingData
from tests.engine.training.short_runs import DATA, losses, recipe, stop_after, train
from tests.tiny import conversations, make_model, stored


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
    assert names == wanted | {"tokenizer_config.json", "base_weights.json"}
    environment = json.loads((tmp_path / "run" / "environment.json").read_text())
    assert {"device", "torch", "transformers", "trl", "peft", "bitsandbytes"} <= environment.keys()


def test_the_tokens_of_a_run_are_counted_one_by_one(tiny_model, tiny_base, tmp_path):
    """One epoch is every token of every conversation once; a resumed run counts on."""
    made = recipe(tiny_model, max_steps=5, eval_steps=2)
    there = build_examples(DATA.train, tiny_base.chat, made).tokens
    curve = Curve()
    stopped, events = train(made, tiny_base, tmp_path / "run", should_stop=stop_after(6))
    assert 0 < stopped.step < 5
    events += train(made, tiny_base, tmp_path / "run", resume_step=stopped.step)[1]
    for event in events:
        curve.add(Record(0.0, event))
    assert curve.history().tokens == there


def test_the_base_is_untouched_by_a_run(tiny_model, tiny_base, tmp_path):
    ids = torch.arange(20)[None]
    before = tiny_base.model(ids).logits
    train(recipe(tiny_model, max_steps=3), tiny_base, tmp_path / "run")
    assert torch.equal(tiny_base.model(ids).logits, before)
    assert not tiny_base.model.training
    assert not any("lora" in name for name, _ in tiny_base.model.named_modules())


def test_a_run_leaves_no_copy_of_the_model_behind(tiny_model, tiny_base, tmp_path):
    def models():
        return sum(type(thing) is type(tiny_base.model) for thing in gc.get_objects())

    before = models()
    train(recipe(tiny_model, max_steps=2), tiny_base, tmp_path / "run")
    assert models() == before


def test_a_compiler_that_fails_costs_a_note_and_nothing_else(tiny_model, tiny_base, tmp_path, monkeypatch):
    from engine.training import setup
    from engine.training.data.examples import build_examples

    made, events = recipe(tiny_model), []
    examples = build_examples(DATA.train, tiny_base.chat, made)
    settings = setup.choose_settings(made, examples, tiny_base, events.append)
    trainer = setup.make_trainer(made, examples, examples, tiny_base, tmp_path, events.append, lambda: False, settings)

    def broken(*_):
        torch.rand(3)
        raise RuntimeError("no compiler here")

    monkeypatch.setattr(trainer, "compute_loss", broken)
    before = torch.get_rng_state()
    setup._compile_now(trainer, recompute=True, emit=events.append)
    assert torch.equal(torch.get_rng_state(), before)
    assert [event.level for event in events if "without compiling" in event.text] == ["warning"]
    assert all(parameter.grad is None for parameter in trainer.model.parameters())


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
    packed, events = train(recipe(tiny_model, max_steps=0, epochs=1.0, packing="on"), tiny_base, tmp_path / "packed")
    assert packed.step < plain.step
    assert not any(isinstance(event, LogNote) and event.level == "warning" for event in events)


def test_a_packed_step_has_the_loss_of_its_conversations_apart(tiny_model, tiny_base, tmp_path):
    """One step over all conversations, in rows of their own and in packed rows."""
    made = recipe(tiny_model, max_steps=2, batch_size=10, accumulation=2, dropout=0.0, schedule="constant", warmup=0.0)
    _, apart = train(made, tiny_base, tmp_path / "apart")
    _, packed = train(dataclasses.replace(made, packing="on"), tiny_base, tmp_path / "packed")
    assert losses(packed) == pytest.approx(losses(apart), rel=1e-4)
    assert losses(packed)[1] < losses(packed)[0]


@pytest.mark.parametrize(
    "changes", [{"memory": "saving"}, {"memory": "spacious"}, {"memory": "saving", "packing": "on"}]
)
def test_a_memory_mode_changes_no_loss(changes, tiny_model, tiny_base, tmp_path):
    made = recipe(tiny_model, packing=changes.get("packing", "off"))
    _, plain = train(made, tiny_base, tmp_path / "plain")
    _, other = train(dataclasses.replace(made, **changes), tiny_base, tmp_path / "mode")
    assert losses(other) == pytest.approx(losses(plain), rel=1e-6)
    assert any(isinstance(event, LogNote) and f"Memory: {changes['memory']}" in event.text for event in other)


def test_the_micro_batch_of_a_mode_leaves_the_steps_as_they_are(tiny_model, tiny_base, tmp_path, monkeypatch):
    """As on a GPU, where a mode takes another micro-batch: here 1 x 4 instead of 2 x 2."""
    from engine.training.memory import modes

    made = recipe(tiny_model, dropout=0.0)
    _, two = train(made, tiny_base, tmp_path / "two")
    ours = modes._on_the_processor
    monkeypatch.setattr(
        modes,
        "_on_the_processor",
        lambda *args: dataclasses.replace(ours(*args), micro_batch=1, accumulation=4),
    )
    _, one = train(made, tiny_base, tmp_path / "one")
    assert losses(one) == pytest.approx(losses(two), rel=1e-4)


def counted(monkeypatch, owner, name):
    """Count the calls of a function, which does what it did before.

    What was computed is asked of the code: whether two paths round differently depends on the processor.
    """
    calls, real = [], getattr(owner, name)

    def counting(*args, **kwargs):
        calls.append(name)
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, name, counting)
    return calls


def test_lean_layers_learn_what_pefts_own_learn(tiny_model, tiny_base, tmp_path, monkeypatch):
    from engine.training import setup
    from engine.training.kernels import fused_lora

    made = recipe(tiny_model, dropout=0.0)
    products = counted(monkeypatch, fused_lora, "_values")
    _, fused = train(made, tiny_base, tmp_path / "fused")
    assert products
    products.clear()
    monkeypatch.setattr(setup, "fuse_lora_layers", lambda model: 0)
    _, theirs = train(made, tiny_base, tmp_path / "theirs")
    assert not products
    assert losses(fused) == pytest.approx(losses(theirs), rel=1e-3)


def test_the_loss_of_a_held_out_set_is_a_mean_over_tokens(tiny_model, tiny_base, tmp_path):
    """One long and three short answers: a mean of batch means would differ."""
    rows = conversations(24)[:3]
    rows.append(
        stored(
            "long",
            [
                {"role": "user", "content": rows[0].messages[0].content},
                {"role": "assistant", "content": "friday " * 30},
            ],
        )
    )
    _, events = train(
        recipe(tiny_model, max_steps=1, max_length=128), tiny_base, tmp_path / "run", TrainingData(DATA.train, rows)
    )
    from engine.training.data.examples import IGNORED, build_examples

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

    by_trl = counted(monkeypatch, qlora_trainer.SFTTrainer, "compute_loss")
    _, whole = train(recipe(tiny_model), tiny_base, tmp_path / "whole")
    assert not by_trl
    monkeypatch.setattr(qlora_trainer, "WHOLE_LOGITS", 0)
    _, tiled = train(recipe(tiny_model), tiny_base, tmp_path / "tiled")
    assert by_trl
    assert losses(whole) == pytest.approx(losses(tiled), rel=1e-4)


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


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("nothing_like_it", "no layer of the name nothing_like_it"),
        ("q_proj,k_prjo", "no layer of the name k_prjo.*Did you mean k_proj"),
        ("q_proj,model.norm", "model.norm of this model cannot carry an adapter"),
        ("q_proj,layers", "no layer|cannot carry an adapter"),
    ],
)
def test_a_target_module_that_is_no_fitting_layer_is_refused_before_training(
    named, words, tiny_model, tiny_base, tmp_path
):
    with pytest.raises(RecipeError, match=words) as refused:
        train(recipe(tiny_model, target_modules=named), tiny_base, tmp_path / "run")
    assert refused.value.field == "target_modules"
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_names_of_single_layers_are_fitting_target_modules(tiny_model, tiny_base, tmp_path):
    named = "model.layers.0.self_attn.q_proj, up_proj"
    outcome, _ = train(recipe(tiny_model, target_modules=named, max_steps=1), tiny_base, tmp_path / "run")
    assert outcome.step == 1


def test_a_run_says_over_which_weights_it_learnt_and_goes_on_over_no_others(tiny_model, tiny_base, tmp_path):
    from engine.model.base import load_base
    from engine.training.trainer import MARK

    made = recipe(tiny_model, max_steps=4, save_steps=2)
    train(made, tiny_base, tmp_path / "run")
    noted = json.loads((tmp_path / "run" / "environment.json").read_text())[MARK]
    assert noted == tiny_base.mark != ""
    other = load_base(recipe(make_model(tmp_path / "other", seed=5)), tmp_path, lambda *_: None)
    with pytest.raises(RunError, match="other weights than when this run was begun"):
        train(made, other, tmp_path / "run", resume_step=2)


def test_a_rehearsal_changes_neither_weights_nor_the_losses_that_follow(tiny_model, tiny_base, tmp_path, monkeypatch):
    from engine.training.callbacks import RunCallback
    from engine.training.dry_run import dry_run

    _, plain = train(recipe(tiny_model), tiny_base, tmp_path / "plain")
    told, real = [], RunCallback.on_train_begin

    def measured(self, *args, **kwargs):
        told.append(dry_run(self.trainer, self.trainer.model_wrapped))
        real(self, *args, **kwargs)

    monkeypatch.setattr(RunCallback, "on_train_begin", measured)
    _, after = train(recipe(tiny_model), tiny_base, tmp_path / "dry_run")
    assert losses(after) == losses(plain)
    assert told[0].seconds > 0


def test_the_gentle_start_learns_from_the_first_step(tiny_model, tiny_base, tmp_path):
    made = recipe(tiny_model, warmup=0.5, schedule="constant_with_warmup", learning_rate=1e-3)
    _, events = train(made, tiny_base, tmp_path / "warm")
    rates = [event.learning_rate for event in events if isinstance(event, Stepped)]
    assert rates == pytest.approx([0.25e-3, 0.5e-3, 0.75e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3])


def test_a_run_resumed_in_its_gentle_start_has_the_losses_of_one_that_was_not(tiny_model, tiny_base, tmp_path):
    made = recipe(tiny_model, warmup=0.5, save_steps=2, eval_steps=2, keep_checkpoints=10)
    _, whole = train(made, tiny_base, tmp_path / "whole")
    _, rest = train(made, tiny_base, tmp_path / "whole", resume_step=2)
    assert losses(rest) == losses(whole)[2:]
