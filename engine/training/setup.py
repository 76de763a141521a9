"""Put a trainer together: a copy of the base made ready for a recipe, the data in rows, settings that fit the machine.

Everything is looked at before it is decided: which attention keeps packed conversations apart, how much memory is free,
whether compiled layers work. It says what it chose.
"""

import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from engine.hardware import free_bytes, release_unused
from engine.model.attention import Kernel, choose_kernel, keeps_packed_texts_apart, use_kernel
from engine.model.device_errors import has_lost_gpu
from engine.model.errors import cannot_be_streamed
from engine.model.sharing import hollow, hollowed_on_error
from engine.model.size import ModelSize
from engine.model.streaming.layer_stream import stream_of
from engine.model.unpacking import linear_4bit_layers, unpack
from engine.recipe import Recipe
from engine.training.data.examples import Example, ExampleSet
from engine.training.distributed import process_group
from engine.training.forgetting.texts import general_examples
from engine.training.kernels.async_optimizer import forget_overrides
from engine.training.kernels.fused_lora import fuse_lora_layers
from engine.training.kernels.layers import can_compile, can_recompute, set_up
from engine.training.lora_config import with_new_adapter
from engine.training.memory.bus import Bus, measured, pace
from engine.training.memory.modes import Epoch, Machine, Settings, choose, steps
from engine.training.replies import AskReplies, Replies
from engine.training.runs.events import Emit, LogNote

if TYPE_CHECKING:
    from datasets import Dataset

    from engine.model.base import BaseModel
    from engine.model.streaming.arena import Arena
    from engine.training.qlora_trainer import GeneralRows, QLoRATrainer

log = logging.getLogger(__name__)


def choose_settings(recipe: Recipe, train: ExampleSet, base: "BaseModel", emit: Emit) -> Settings:
    """Choose how the steps of a run are computed on this machine.

    Args:
        recipe: The hyperparameters.
        train: What is learnt.
        base: Left as it is.
        emit: Told what cannot be had.
    """
    copy = base.copy()
    if base.is_streamed and not can_recompute(copy):
        raise cannot_be_streamed(base.title)
    machine = _machine(base, copy, recipe)
    if recipe.packing == "on" and not machine.packs:
        emit(LogNote("Packing is off: this model does not keep packed conversations apart.", "warning"))
    longest = max(len(example.input_ids) for example in train.examples)
    epoch = Epoch(len(train.examples), len(_packed(train, recipe)), train.tokens, longest)
    size = model_size(copy)
    settings = choose(recipe, machine, size, epoch)
    if machine.bus is not None and base.arena is not None:
        _say_where_layers_come_from(base.arena, machine, settings, size, epoch, recipe, emit)
    return settings


def _say_where_layers_come_from(
    arena: "Arena", machine: Machine, settings: Settings, size: ModelSize, epoch: Epoch, recipe: Recipe, emit: Emit
) -> None:
    """Say how fast the layers of a streamed base come, as measured, and what that makes of the run."""
    assert machine.bus is not None
    speed, on_disk = f"{machine.bus.copies / 1e9:.1f} GB/s", arena.disk is not None
    if on_disk:
        emit(
            LogNote(
                f"The computer's memory is short of this model, so its layers are read from disk at {speed}.", "warning"
            )
        )
    if machine.gpu:
        tokens = settings.micro_batch * (recipe.max_length if settings.packing else epoch.longest)
        emit(LogNote(f"{pace(size, machine.bus, tokens, settings.resident, on_disk=on_disk)} (measured: {speed})."))


def make_trainer(
    recipe: Recipe,
    train: ExampleSet,
    heldout: ExampleSet,
    base: "BaseModel",
    folder: Path,
    emit: Emit,
    should_stop: Callable[[], bool],
    settings: Settings,
    is_paused: Callable[[], bool] = lambda: False,
    ask_replies: AskReplies | None = None,
) -> "QLoRATrainer":
    """Return a trainer that is ready to train a new adapter over a copy of the base.

    Args:
        recipe: The hyperparameters.
        train: What is learnt.
        heldout: What is checked on; may be empty.
        base: Left as it is.
        folder: The run's folder.
        emit: Told what was chosen, and then every event of the run.
        should_stop: For the trainer.
        settings: How steps are computed.
        is_paused: For the trainer.
        ask_replies: Answers held-out tickets on the way; None where nobody can.

    Raises:
        torch.OutOfMemoryError: The unpacked base, or the pass that compiles, does not fit.
    """
    from accelerate.state import AcceleratorState

    from engine.training.qlora_trainer import QLoRATrainer
    from engine.training.trl_config import sft_config

    AcceleratorState._reset_state(reset_partial_state=True)  # a run of another compute type may have left its own
    emit(LogNote(_in_words(settings, recipe, "GPUs" if base.device.type == "cuda" else "processes")))
    copy = base.copy(settings.ahead, settings.resident)
    with hollowed_on_error(copy):
        if settings.flat:
            use_kernel(copy, settings.kernel)
        if settings.unpack:
            unpack(linear_4bit_layers(copy))
        model = with_new_adapter(copy, recipe)
        rows = _packed(train, recipe) if settings.packing else _dataset(train.examples)
        own_recompute = can_recompute(copy)
        trainer = QLoRATrainer(
            recipe=recipe,
            settings=settings,
            emit=emit,
            should_stop=should_stop,
            is_paused=is_paused,
            model=model,
            args=sft_config(
                recipe,
                folder / "checkpoints",
                base.device,
                base.model.dtype,
                steps(recipe, len(rows)),
                settings,
                own_recompute=own_recompute,
                heldout=bool(heldout.examples),
            ),
            train_dataset=rows,
            eval_dataset=_dataset(heldout.examples) if heldout.examples else None,
            general=_general(base, recipe),
            replies=Replies(ask_replies, recipe, emit),
            processing_class=base.chat.tokenizer,
        )
        _set_up_layers(trainer, settings.recompute and own_recompute, emit)
    return trainer


def _set_up_layers(trainer: "QLoRATrainer", recompute: bool, emit: Emit) -> None:
    """Make the layers ready, after trl has done what it does to a model."""
    model, settings = trainer.model, trainer.settings
    fuse_lora_layers(model)
    if recompute or settings.compiled:
        model.enable_input_require_grads()
        stream = stream_of(model)
        set_up(model, recompute=recompute, offload=settings.offload, compiled=settings.compiled, stream=stream)
    if settings.compiled:
        _compile_now(trainer, recompute, emit)


def release_trainer(trainer: "QLoRATrainer | None") -> None:
    """Free a trainer's copy of the base: after training it stays in train mode, with hooks and layers of another kind.

    Everything that the trainer holds goes: its caller still holds the trainer.
    """
    compiled = trainer is None or trainer.settings.compiled
    try:
        if trainer is not None:
            trainer.accelerator.free_memory()
            forget_overrides(trainer.model)
            hollow(trainer.model)
            trainer.__dict__.clear()
        if compiled and "torch._dynamo" in sys.modules:
            torch._dynamo.reset()
        release_unused()
    except RuntimeError as error:
        if not has_lost_gpu(error):
            raise
        log.warning("the memory of a lost GPU cannot be given back: %s", error)


def _machine(base: "BaseModel", copy: Any, recipe: Recipe) -> Machine:
    device = next(copy.parameters()).device
    on_gpu = device.type == "cuda"
    kernel, packs = _packing_kernel(copy, recipe)
    if (stream := stream_of(copy)) is not None:
        stream.give_back()  # the run will have places of its own
    free, varlen, apart, compiles = process_group.all_reduce(  # all ranks have to choose the same
        (free_bytes(device) if on_gpu else 0, kernel == "varlen", packs, can_compile(copy)), min
    )
    return Machine(
        gpu=on_gpu,
        free_bytes=int(free),
        kernel="varlen" if varlen else "sdpa",
        packs=bool(apart),
        compiles=bool(compiles),
        recomputes=can_recompute(copy),
        ranks=process_group.world_size(),
        sharded=recipe.spread == "shards" and process_group.is_distributed(),
        bus=_bus(base),
    )


def _bus(base: "BaseModel") -> Bus | None:
    """Measure how fast layers come; of several processes the slowest counts for all."""
    if base.arena is None:
        return None
    seen = measured(base.arena, base.device, base.model.dtype)
    copies, products = process_group.all_reduce((seen.copies, seen.products), min)
    return Bus(copies, products)


def _packing_kernel(copy: Any, recipe: Recipe) -> tuple[Kernel, bool]:
    """Return the attention for packed rows, and whether the model keeps conversations apart with it: it is tried."""
    vocabulary = copy.config.get_text_config().vocab_size
    if choose_kernel(copy, recipe.max_length) == "varlen":
        before = copy.config._attn_implementation
        use_kernel(copy, "varlen")
        apart = keeps_packed_texts_apart(copy, vocabulary)
        copy.set_attn_implementation(before)
        if apart:
            return "varlen", True
    return "sdpa", recipe.packing == "on" and keeps_packed_texts_apart(copy, vocabulary)


def model_size(model: Any) -> ModelSize:
    """Return the size of a loaded 4-bit model."""
    config = model.config.get_text_config()
    layers = linear_4bit_layers(model)
    packed = {id(layer.weight) for layer in layers}
    return ModelSize(
        layers=config.num_hidden_layers,
        hidden=config.hidden_size,
        inner=max((max(layer.in_features, layer.out_features) for layer in layers), default=4 * config.hidden_size),
        vocabulary=config.vocab_size,
        linear=sum(layer.in_features * layer.out_features for layer in layers),
        other=sum(parameter.numel() for parameter in model.parameters() if id(parameter) not in packed),
    )


def _in_words(settings: Settings, recipe: Recipe, device: str) -> str:
    """Say which way of computing was chosen, on 'GPUs' or 'processes'."""
    why = "chosen for this machine" if recipe.memory == "auto" else "as the recipe says"
    parts = [f"Memory: {settings.mode}, {why}"]
    rows = "packed rows" if settings.packing else "conversations"
    each = f" on each of {process_group.world_size()} {device}" if process_group.is_distributed() else ""
    parts.append(f"{settings.micro_batch} x {settings.accumulation} {rows} a step{each}")
    parts += [
        word
        for word, on in (
            ("recomputed layers", settings.recompute),
            ("base unpacked to 16 bit", settings.unpack),
            ("compiled layers", settings.compiled),
        )
        if on
    ]
    return "; ".join(parts) + "."


def _compile_now(trainer: "QLoRATrainer", recompute: bool, emit: Emit) -> None:
    """Compile by one pass over the first rows, whose result is thrown away; where that fails, go on without."""
    emit(LogNote("Compiling the layers, which takes about a minute."))
    settings, model = trainer.settings, trainer.model
    batch = trainer.data_collator([trainer.train_dataset[n] for n in range(min(2, len(trainer.train_dataset)))])
    batch = {name: value.to(model.device) if hasattr(value, "to") else value for name, value in batch.items()}
    with torch.random.fork_rng(devices=[model.device] if model.device.type == "cuda" else []):
        try:
            model.train()
            trainer.compute_loss(model, batch).backward()
        except torch.OutOfMemoryError:
            raise
        except Exception as error:
            log.exception("compiling failed")
            emit(LogNote(f"Going on without compiling, which failed here ({type(error).__name__}).", "warning"))
            set_up(model, recompute=recompute, offload=settings.offload, compiled=False)
        finally:
            model.zero_grad(set_to_none=True)


def _packed(train: ExampleSet, recipe: Recipe) -> "Dataset":
    """Put conversations together into rows of at most max_length tokens, by best fit."""
    from trl.data_utils import pack_dataset

    return pack_dataset(_dataset(train.examples), recipe.max_length, strategy="bfd")


def _general(base: "BaseModel", recipe: Recipe) -> "GeneralRows | None":
    from engine.training.qlora_trainer import GeneralRows

    texts, instructions = general_examples(base.chat, recipe)
    return GeneralRows(_dataset(texts), _dataset(instructions) if instructions else None) if texts else None


def _dataset(examples: Sequence[Example]) -> "Dataset":
    from datasets import Dataset, disable_progress_bars

    disable_progress_bars()
    columns = {
        "input_ids": [list(example.input_ids) for example in examples],
        "labels": [list(example.labels) for example in examples],
    }
    return Dataset.from_dict(columns).with_format("numpy")
