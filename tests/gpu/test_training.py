"""Real QLoRA on a graphics card: the promises of training that hold without one hold there too."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

from engine.base_holder import BaseHolder
from engine.chat.adapters import bank_of
from engine.errors import DivergedError
from engine.model.attention import choose_kernel, keeps_packed_texts_apart, use_kernel
from engine.model.base import BaseModel, load_base
from engine.model.streaming import loading
from engine.model.streaming.layer_stream import stream_of
from engine.model.streaming.moving import move_to_arena
from engine.model.unpacking import linear_4bit_layers, unpack
from engine.recipe import Recipe
from engine.training import qlora_trainer
from engine.training.data.examples import build_examples
from engine.training.distributed.launcher import processes_for
from engine.training.kernels.fused_lora import fuse_lora_layers
from engine.training.memory import modes
from engine.training.runs.directory import RunDirectory
from engine.training.runs.events import Evaluated, LogNote, Stepped
from engine.training.runs.queue import TrainingQueue
from engine.training.setup import choose_settings
from engine.training.trainer import TrainingData
from tests.engine.chat.lora import make_lora
from tests.engine.training.short_runs import losses, recipe, stop_after, train
from tests.engine.training.test_pausing import Hold, held
from tests.gpu.conftest import LOSS
from tests.tiny import write_data

pytestmark = pytest.mark.gpu

ROOT = Path(__file__).parents[2]
DEADLINE = 240.0


def near(found, wanted, tolerance=LOSS):
    """Whether two curves are those of one recipe; says how far apart they are."""
    assert len(found) == len(wanted)
    apart = max(abs(a - b) for a, b in zip(found, wanted, strict=True))
    print(f"at most {apart:.5f} nats apart over {len(wanted)} steps")
    assert apart <= tolerance


def fingerprint(model):
    """Every parameter, buffer and quantisation constant of a base, to compare bit for bit."""
    kept = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
    for number, layer in enumerate(linear_4bit_layers(model)):
        kept[f"absmax {number}"] = layer.weight.quant_state.absmax.clone()
    return kept


@pytest.fixture(scope="module")
def alone(tiny_model, tiny_base, tmp_path_factory):
    """The events of a run that nothing disturbs."""
    return train(recipe(tiny_model), tiny_base, tmp_path_factory.mktemp("alone"))[1]


def test_two_runs_of_one_recipe_learn_the_same(alone, tiny_model, tiny_base, tmp_path):
    _, again = train(recipe(tiny_model), tiny_base, tmp_path / "again")
    near(losses(again), losses(alone))
    checks = [event.loss for event in again if isinstance(event, Evaluated)]
    assert checks[-1] < 0.7 * checks[0]


def test_a_run_leaves_the_base_as_it_is_bit_for_bit(tiny_model, tiny_base, tmp_path):
    ids = torch.arange(20, device=tiny_base.device)[None]
    before, said = fingerprint(tiny_base.model), tiny_base.model(ids).logits
    for memory in ("saving", "balanced", "spacious"):
        train(recipe(tiny_model, memory=memory, max_steps=2), tiny_base, tmp_path / memory)
    after = fingerprint(tiny_base.model)
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    assert torch.equal(tiny_base.model(ids).logits, said)


def test_after_a_run_no_memory_of_the_computer_stays_pinned(tiny_model, tiny_base, tmp_path):
    train(recipe(tiny_model, memory="saving", max_steps=2), tiny_base, tmp_path / "run")
    assert torch.cuda.host_memory_stats()["allocated_bytes.peak"] > 0
    assert torch.cuda.host_memory_stats()["allocated_bytes.current"] < 2**20


@pytest.mark.parametrize("memory", ["saving", "balanced", "spacious"])
def test_every_way_of_computing_learns_the_same(memory, alone, tiny_model, tiny_base, tmp_path):
    _, events = train(recipe(tiny_model, memory=memory), tiny_base, tmp_path / "run")
    near(losses(events), losses(alone))


@pytest.mark.parametrize(("ahead", "stay"), [(0, 0), (1, 0), (2, 1), (1, 5)])
def test_layers_that_come_from_pinned_memory_compute_what_resident_ones_do(
    ahead, stay, packed_base, streamed_base, tmp_path
):
    assert streamed_base.arena.is_pinned
    ids, copy = torch.arange(24, device=packed_base.device)[None], streamed_base.copy(ahead, stay)
    with torch.no_grad():
        wanted = packed_base.model(ids).logits
        for _ in range(20):
            assert torch.equal(copy(ids).logits, wanted)
        before = torch.cuda.memory_stats()["allocation.all.allocated"]
        for number in (0, 3, 1, 4):
            with stream_of(copy).at(number, 1):
                pass
        assert torch.cuda.memory_stats()["allocation.all.allocated"] == before, "a fetch allocated memory"


def test_layers_that_come_from_a_file_compute_what_resident_ones_do(packed_base, tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "ARENA_SHARE", 0.0)
    base = load_base(Recipe(model=packed_base.ref), tmp_path, lambda *_: None, streamed=True)
    assert base.arena.disk is not None
    assert base.sweep_seconds > 0
    ids, copy = torch.arange(24, device=base.device)[None], base.copy(2, 1)
    with torch.no_grad():
        wanted = packed_base.model(ids).logits
        assert all(torch.equal(copy(ids).logits, wanted) for _ in range(20))


def test_a_streamed_base_comes_in_to_stay_where_there_is_room(packed_base, tmp_path):
    bases, recipe, ids = BaseHolder(tmp_path), Recipe(model=packed_base.ref), torch.arange(24, device="cuda")[None]
    with bases.use(recipe, "run", streamed=True) as base, torch.no_grad():
        assert base.is_streamed
        wanted = base.copy()(ids).logits
    with bases.use(recipe) as whole, torch.no_grad():
        assert whole is base
        assert not whole.is_streamed
        weights = [weight for layer in linear_4bit_layers(whole.model) for weight in layer.parameters()]
        assert {weight.device.type for weight in weights} == {"cuda"}
        assert torch.equal(whole.copy()(ids).logits, wanted)
        assert bank_of(whole).device.type == "cuda"
    bases.close()


def test_a_streamed_run_learns_the_same(packed_base, streamed_base, tmp_path, monkeypatch):
    chosen = modes._streamed
    monkeypatch.setattr(modes, "_streamed", lambda *args: dataclasses.replace(chosen(*args), resident=1))
    made = {"dropout": 0.0, "packing": "on", "max_length": 128}
    _, whole = train(recipe(packed_base.ref, memory="saving", **made), packed_base, tmp_path / "whole")
    _, events = train(recipe(packed_base.ref, memory="streamed", **made), streamed_base, tmp_path / "streamed")
    near(losses(events), losses(whole))
    weights = [weight for layer in linear_4bit_layers(streamed_base.model) for weight in layer.parameters()]
    assert {weight.device.type for weight in weights} == {"cpu"}, "what is moved to the card stays there, and fills it"


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A base of 1B, whose rows are long enough for attention to add them up in pieces; and what it learns from."""
    from tests.benchmarks.bench_training import make_conversations
    from tests.benchmarks.shapes import random_base

    base, rows = random_base("1b", tmp_path_factory.mktemp("wide") / "model"), make_conversations(120)
    made = {"batch_size": 4, "accumulation": 1, "max_length": 1024, "packing": "on", "max_steps": 6, "dropout": 0.05}
    return base, TrainingData(rows, []), recipe(base.ref, memory="saving", learning_rate=2e-4, eval_steps=100, **made)


def streamed_over(base):
    """The same base with its layers in pinned memory; the other one is of no use afterwards."""
    arena = move_to_arena(base.model, base.device)
    return BaseModel(base.model, base.chat, base.ref, base.loaded_as, arena)


def test_where_kernels_repeat_themselves_a_streamed_run_has_the_very_losses_of_a_resident_one(
    wide, repeatable, tmp_path
):
    base, data, made = wide
    settings = choose_settings(made, build_examples(data.train, base.chat, made), base, lambda _: None)
    assert settings.flat
    whole, again = (
        losses(train(made, base, tmp_path / name, data, begin_with=settings)[1]) for name in ("whole", "again")
    )
    assert len(whole) == 6
    assert again == whole, "the kernels do not repeat themselves"
    torch.use_deterministic_algorithms(False)
    plain = [losses(train(made, base, tmp_path / name, data, begin_with=settings)[1]) for name in ("a", "b")]
    print(f"otherwise two runs are {max(abs(a - b) for a, b in zip(*plain, strict=True)):.5f} nats apart")
    torch.use_deterministic_algorithms(True)
    streamed = streamed_over(base)
    for stay, ahead in ((0, 1), (5, 2)):
        streaming = dataclasses.replace(settings, mode="streamed", resident=stay, ahead=ahead)
        _, events = train(made, streamed, tmp_path / f"streamed-{stay}", data, begin_with=streaming)
        assert losses(events) == whole


def test_a_pause_of_a_streamed_run_gives_its_places_back_and_changes_nothing(packed_base, streamed_base, tmp_path):
    made = recipe(packed_base.ref, memory="streamed", dropout=0.0, packing="on", max_length=128)
    _, wanted = train(made, streamed_base, tmp_path / "alone")
    hold = Hold(5)
    _, events = train(made, streamed_base, tmp_path / "held", **held(hold))
    near(losses(events), losses(wanted))
    assert any("given back" in event.text for event in events if isinstance(event, LogNote))


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(alone, tiny_model, tiny_base, tmp_path):
    outcome, first = train(recipe(tiny_model), tiny_base, tmp_path / "cut", should_stop=stop_after(6))
    assert 0 < outcome.step < 8
    _, second = train(recipe(tiny_model), tiny_base, tmp_path / "cut", resume_step=outcome.step)
    near(losses(first) + losses(second), losses(alone))


def engine(*words):
    """A command line of the program, as a process."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))}
    return subprocess.Popen(
        [sys.executable, "-m", "engine", *words],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finished(process):
    out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, err.decode()[-2000:]
    return json.loads(out.decode().splitlines()[-1])


def test_a_killed_run_is_resumed_from_its_checkpoint(tiny_model, tmp_path):
    data = write_data(tmp_path / "data")
    options = ["--data", str(data), "--model", str(tiny_model), "--preset", "quick"]
    for setting in ("max_steps=60", "epochs=100", "max_length=64", "eval_steps=5", "patience=0", "batch_size=2"):
        options += ["--set", setting]
    finished(engine("train", *options, "--run", str(tmp_path / "whole")))
    killed = engine("train", *options, "--run", str(tmp_path / "killed"))
    history, end = RunDirectory(tmp_path / "killed").history, time.monotonic() + DEADLINE
    while not (history.read().checkpoints and len(history.read().steps) > 7):
        assert time.monotonic() < end and killed.poll() is None
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    finished(engine("resume", str(tmp_path / "killed")))
    curves = [
        {step.step: step.loss for step in RunDirectory(tmp_path / name).history.read().steps}
        for name in ("whole", "killed")
    ]
    assert curves[0].keys() == curves[1].keys()
    near(list(curves[1].values()), list(curves[0].values()), 3 * LOSS)


@pytest.mark.parametrize("at", [5, 8], ids=["between steps", "in a check"])
def test_a_pause_gives_memory_back_and_changes_nothing(at, alone, tiny_model, tiny_base, tmp_path):
    hold, during = Hold(at), []
    stop = hold.should_stop
    hold.should_stop = lambda: during.append(torch.cuda.memory_reserved()) or stop()
    _, events = train(recipe(tiny_model, memory="spacious"), tiny_base, tmp_path / "held", **held(hold))
    near(losses(events), losses(alone))
    given = [event.text for event in events if isinstance(event, LogNote) and "given back" in event.text]
    assert len(given) == 1
    assert during[at - 1] < max(during)


def test_memory_that_runs_out_in_a_run_costs_no_step(tmp_path):
    """A model large enough to fill a card of which another program takes the most, twice."""
    from tests.benchmarks.bench_healing import Neighbour
    from tests.benchmarks.bench_pause import prepared

    base, made, rows = prepared(tmp_path, "starter-size", 10, memory="spacious")
    data = TrainingData(rows, [])
    _, undisturbed = train(made, base, tmp_path / "alone", data)
    peak = max(event.memory_gib for event in undisturbed if isinstance(event, Stepped))
    neighbour = Neighbour([0.7 * peak, 0.4 * peak])
    _, healed = train(made, base, tmp_path / "healed", data, is_paused=neighbour.is_paused)
    assert [event.text for event in healed if isinstance(event, LogNote) and "Memory ran out" in event.text]
    near(losses(healed), losses(undisturbed))


def test_a_loss_that_is_no_number_is_told_as_what_it_is(tiny_model, tiny_base, tmp_path, monkeypatch):
    real = qlora_trainer.QLoRATrainer.compute_loss

    def broken(self, *args, **kwargs):
        loss = real(self, *args, **kwargs)
        return loss * float("nan") if self.state.global_step == 5 else loss

    monkeypatch.setattr(qlora_trainer.QLoRATrainer, "compute_loss", broken)
    with pytest.raises(DivergedError, match="no longer a number at step 6"):
        train(recipe(tiny_model), tiny_base, tmp_path / "run")


def test_chat_during_a_run_changes_neither_the_run_nor_the_answers(tiny_model, tiny_base, tmp_path):
    from engine.chat.playground import Sampling, answer
    from engine.chat.records import Voice

    folder = make_lora(tiny_base, tmp_path / "adapter", seed=1)
    voices = [Voice("base", "Base", "", None), Voice("a", "A", str(tiny_model), folder)]
    turns = [{"role": "user", "content": "where is my parcel"}]
    ended, said = threading.Event(), []

    def chat():
        while not ended.is_set():
            *_, last = answer(tiny_base, voices, [turns, turns], Sampling(0.0, 1.0, 12, 0), lambda: False)
            said.append(tuple(spoken.text for spoken in last.answers))

    made = recipe(tiny_model, max_steps=60, epochs=100.0)
    _, alone = train(made, tiny_base, tmp_path / "alone")
    *_, before = answer(tiny_base, voices, [turns, turns], Sampling(0.0, 1.0, 12, 0), lambda: False)
    talker = threading.Thread(target=chat)
    talker.start()
    try:
        _, events = train(made, tiny_base, tmp_path / "run")
    finally:
        ended.set()
        talker.join(60)
    assert len(said) > 3
    assert set(said) == {tuple(spoken.text for spoken in before.answers)}
    near(losses(events), losses(alone))


def test_unpacked_layers_compute_what_packed_ones_do(tiny_base):
    ids = torch.arange(40, device=tiny_base.device).view(2, 20)
    packed, unpacked = tiny_base.copy(), tiny_base.copy()
    unpack(linear_4bit_layers(unpacked))
    with torch.no_grad():
        apart = (packed(ids).logits.float() - unpacked(ids).logits.float()).abs().max()
    assert float(apart) < 0.1, "bfloat16 has 8 bits; logits are up to 10 here"


def test_lean_layers_have_the_gradients_of_pefts(tiny_base):
    from tests.engine.training.kernels.test_fused_lora import adapted

    ids = torch.arange(40, device=tiny_base.device).view(2, 20)
    theirs, ours = adapted(tiny_base), adapted(tiny_base)
    assert fuse_lora_layers(ours) == 14
    found = []
    for model in (theirs, ours):
        model(input_ids=ids, labels=ids).loss.backward()
        found.append({name: value.grad.float() for name, value in model.named_parameters() if value.requires_grad})
    for name, wanted in found[0].items():
        cosine = torch.nn.functional.cosine_similarity(found[1][name].flatten(), wanted.flatten(), dim=0)
        assert float(cosine) > 0.99, name


def test_packed_conversations_are_kept_apart(tiny_model, tiny_base, alone, tmp_path):
    copy = tiny_base.copy()
    assert choose_kernel(copy, 64) == "varlen"
    use_kernel(copy, "varlen")
    assert keeps_packed_texts_apart(copy, copy.config.vocab_size)
    _, flat = train(recipe(tiny_model, packing="off"), tiny_base, tmp_path / "padded")
    assert [event.step for event in flat if isinstance(event, Stepped)] == list(range(1, 9))


def test_a_base_that_gives_way_gives_its_memory_back(tiny_model, other_tiny_model, tmp_path):
    bases, held = BaseHolder(tmp_path), []
    for model in (tiny_model, other_tiny_model, tiny_model, other_tiny_model):
        with bases.use(Recipe(model=str(model))) as base:
            assert bank_of(base).device.type == "cuda"
            held.append(torch.cuda.memory_allocated())
    bases.close()
    left = torch.cuda.memory_allocated()
    print(f"bytes in use with a base: {held}, without: {left}")
    assert left < min(held)
    assert max(held[1:]) - min(held[1:]) < (held[-1] - left) / 2, "never two, and nothing of those before"


@pytest.mark.parametrize("spread", ["copies", "shards"])
def test_a_run_shared_by_two_cards_learns_what_one_learns(spread, tiny_model, tiny_base, tmp_path):
    if torch.cuda.device_count() < 2:
        pytest.skip("this computer has one card")
    data = write_data(tmp_path / "data")
    made = {"epochs": 100.0, "max_steps": 8, "batch_size": 4, "accumulation": 2, "max_length": 64, "dropout": 0.0}
    curves = []
    for name, more in (("one", {}), ("two", {"gpus": 2, "spread": spread})):
        run = RunDirectory.create_at(
            tmp_path / name, Recipe(model=str(tiny_model), memory="saving", **made, **more), data, name
        )
        assert processes_for(run.recipe) == (2 if name == "two" else 1)
        queue = TrainingQueue(BaseHolder(tmp_path), cache=tmp_path)
        queue.add(run)
        assert queue.wait(run.id, DEADLINE)
        assert run.status.state == "finished", run.status.message
        curves.append([step.loss for step in run.history.read().steps])
    near(curves[1], curves[0], 2 * LOSS)
