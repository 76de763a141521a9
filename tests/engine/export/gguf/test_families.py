"""Tiny models of each family, answered by the real llama.cpp: token by token as they were tested."""

import pytest
import torch

from engine.export.gguf.adapter import write_adapter
from engine.export.gguf.writing import Model, write_model
from engine.export.merging import merged_weights
from engine.model.adapter_files import Adapter, read_adapter
from tests.engine.chat.lora import make_lora, with_peft
from tests.engine.export.gguf.families import FAMILIES, load, make_family
from tests.engine.export.gguf.llama_cpp import LlamaCpp

QUESTIONS = ("how long is the return window for a lamp", "hello dear customer")
PLACES = 8
"""Tokens of each answer that are compared."""
CLOSE = 0.05
"""Nats. llama.cpp differed by 0.025 at most; queries in the wrong order by more than 1."""


def nothing(*_):
    pass


def answered(model, prompt: list[int]) -> tuple[list[int], torch.Tensor]:
    """What transformers says greedily, and the log-probabilities at each place of it."""
    ids, places = torch.tensor([prompt]), []
    with torch.no_grad():
        for _ in range(PLACES):
            places.append(model(ids).logits[0, -1].float().log_softmax(-1))
            ids = torch.cat([ids, places[-1].argmax().view(1, 1)], dim=1)
    return ids[0].tolist(), torch.stack(places)


def check(reference, llama_cpp: LlamaCpp, prompts: list[list[int]], **options) -> None:
    """Compare all log-probabilities along the reference's own answers, and the likeliest tokens where it is sure."""
    for prompt in prompts:
        ids, wanted = answered(reference, prompt)
        said = torch.tensor([llama_cpp.scores(ids[: len(prompt) + place], **options) for place in range(PLACES)])
        assert said.shape == wanted.shape
        assert (said - wanted)[wanted > -15].abs().max() < CLOSE
        best = wanted.topk(2).values
        sure = best[:, 0] - best[:, 1] > 2 * CLOSE
        assert torch.equal(said.argmax(-1)[sure], wanted.argmax(-1)[sure])


@pytest.mark.parametrize("family", FAMILIES)
def test_llama_cpp_answers_as_the_playground_does(family, tmp_path):
    base = load(make_family(family, tmp_path / "model"))
    folder = make_lora(base, tmp_path / "adapter", seed=3, std=0.1, target_modules="all-linear")
    adapter = read_adapter(folder)
    config, chat = base.model.config, base.chat
    untuned = merged_weights(base, Adapter(adapter.config, {}, {}))
    write_model(Model(config, chat, "base", untuned), tmp_path / "base.gguf", "f32", nothing)
    write_model(Model(config, chat, "tuned", merged_weights(base, adapter)), tmp_path / "tuned.gguf", "f32", nothing)
    write_adapter(adapter, config, "lora", tmp_path / "lora.gguf", nothing)

    prompts = [chat.prompt([{"role": "user", "content": question}]) for question in QUESTIONS]
    tuned = with_peft(base, folder)
    assert (answered(tuned, prompts[0])[1][0] - answered(base.copy(), prompts[0])[1][0]).abs().max() > 1
    check(tuned, LlamaCpp(tmp_path / "tuned.gguf"), prompts)
    over_the_base = LlamaCpp(tmp_path / "base.gguf", tmp_path / "lora.gguf")
    check(tuned, over_the_base, prompts)
    check(base.copy(), over_the_base, prompts, adapted=False)
