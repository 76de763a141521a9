"""GGUF exports of a run: packed in every way, the real llama.cpp answers as the tuned model."""

import json

import pytest
import torch

from engine.errors import Cancelled, StudioError
from tests.engine.chat.lora import with_peft
from tests.engine.export.conftest import export, finished_run
from tests.engine.export.gguf.llama_cpp import LlamaCpp

FAR = {"f16": 0.05, "bf16": 0.3, "q8_0": 0.3, "q6_k": 0.5, "q4_k_m": 2.0}
"""Nats by which a likely token's log-probability may differ; the tuned tiny model differs from its base by 9."""


def scores(model, prompt):
    with torch.no_grad():
        return model(torch.tensor([prompt])).logits[0, -1].float().log_softmax(-1)


@pytest.fixture
def prompt(tiny_base):
    return tiny_base.chat.prompt([{"role": "user", "content": "where is my parcel please"}])


@pytest.mark.parametrize("packing", FAR)
def test_llama_cpp_answers_as_the_tuned_model(packing, run, tiny_base, prompt, tmp_path):
    out = export(run, tmp_path / "out", "gguf", quantisation=packing)
    assert sorted(file.suffix for file in out.iterdir() if file.suffix == ".gguf") == [".gguf"]
    wanted = scores(with_peft(tiny_base, run.adapter), prompt)
    said = torch.tensor(LlamaCpp(next(out.glob("*.gguf"))).scores(prompt))
    likely = wanted > -8
    assert (said - wanted)[likely].abs().max() < FAR[packing]
    assert (scores(tiny_base.model, prompt) - wanted)[likely].abs().max() > 5


def test_an_adapter_over_the_base_that_comes_along(run, tiny_base, prompt, tmp_path):
    out = export(run, tmp_path / "out", "gguf-adapter", quantisation="with-base-f16")
    lora, base = next(out.glob("*-lora.gguf")), next(out.glob("*-base.gguf"))
    said = torch.tensor(LlamaCpp(base, lora).scores(prompt))
    wanted = scores(with_peft(tiny_base, run.adapter), prompt)
    assert (said - wanted)[wanted > -8].abs().max() < FAR["f16"]
    alone = export(run, tmp_path / "alone", "gguf-adapter")
    assert [file.name for file in alone.glob("*.gguf")] == [lora.name]


def test_rank_stabilised_and_layers_with_an_alpha_of_their_own(workspace, dataset, tiny_base, prompt, tmp_path):
    from tests.engine.chat.lora import make_lora

    run = finished_run(workspace, dataset, tiny_base)
    options = {"use_rslora": True, "rank_pattern": {"q_proj": 4}, "alpha_pattern": {"v_proj": 5}}
    make_lora(tiny_base, run.adapter, seed=5, std=0.2, **options)
    out = export(run, tmp_path / "out", "gguf-adapter", quantisation="with-base-f16")
    said = torch.tensor(LlamaCpp(next(out.glob("*-base.gguf")), next(out.glob("*-lora.gguf"))).scores(prompt))
    wanted = scores(with_peft(tiny_base, run.adapter), prompt)
    assert (said - wanted)[wanted > -8].abs().max() < FAR["f16"]


def test_onto_the_original_weights_the_card_says_how_far_that_is(run, tmp_path):
    out = export(run, tmp_path / "out", "gguf", quantisation="f16", onto="original")
    tested = export(run, tmp_path / "tested", "gguf", quantisation="f16")
    assert next(out.glob("*.gguf")).read_bytes() != next(tested.glob("*.gguf")).read_bytes()
    assert "It is the model that was tested, but for rounding to float16." in (tested / "README.md").read_text()
    assert "that was tested, but" not in (out / "README.md").read_text()


def test_called_off_half_way_it_leaves_nothing(run, tmp_path):
    def report(stage, fraction):
        if stage == "Writing the weights" and fraction:
            raise Cancelled

    with pytest.raises(Cancelled):
        export(run, tmp_path / "place" / "out", "gguf", report)
    assert list((tmp_path / "place").iterdir()) == []


def test_what_cannot_be_had_is_told_before_anything_is_loaded(run, tiny_model, tmp_path):
    for format_ in ("gguf", "gguf-adapter"):
        with pytest.raises(StudioError, match="no quantisation 'q9'"):
            export(run, tmp_path / "out", format_, quantisation="q9")
    config = json.loads((tiny_model / "config.json").read_text())
    try:
        (tiny_model / "config.json").write_text(json.dumps(config | {"model_type": "mamba2"}))
        with pytest.raises(StudioError, match="'mamba2' cannot be written here"):
            export(run, tmp_path / "out", "gguf")
    finally:
        (tiny_model / "config.json").write_text(json.dumps(config))
