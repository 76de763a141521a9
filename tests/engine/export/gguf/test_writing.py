"""What is written where, and what llama.cpp cannot take, told before a byte of a weight is written."""

import weakref

import pytest
import torch
import transformers

from engine.errors import ModelError
from engine.export.gguf.adapter import write_adapter
from engine.export.gguf.families import family_of
from engine.export.gguf.header import context_length, describe_model
from engine.export.gguf.writing import Model, write_model
from engine.export.merging import Weight
from engine.model.adapter_config import AdapterConfig
from engine.model.adapter_files import Adapter, LoraPair
from tests.engine.export.gguf.families import FAMILIES, SIZES


def nothing(*_):
    pass


def config_of(family: str, **options):
    name, usual = FAMILIES[family]
    return getattr(transformers, f"{name}Config")(vocab_size=300, **{**SIZES, **usual, **options})


def weights_of(model) -> list[Weight]:
    return [Weight(name, tuple(value.shape), value.detach().clone) for name, value in model.named_parameters()]


def test_no_more_than_one_weight_is_in_memory(tiny_base, tiny_model, tmp_path):
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny_model)
    alive: list[weakref.ref] = []

    def watched(weight: Weight) -> Weight:
        def compute():
            assert [before for before in alive if before() is not None] == []
            made = weight.compute()
            alive.append(weakref.ref(made))
            return made

        return Weight(weight.name, weight.shape, compute)

    weights = [watched(weight) for weight in weights_of(model)]
    write_model(Model(model.config, tiny_base.chat, "tiny", weights), tmp_path / "m.gguf", "f16", nothing)
    assert len(alive) == len(weights)


def test_the_file_says_how_answers_begin_and_end(tiny_base, tiny_model, tmp_path):
    import gguf

    model = transformers.AutoModelForCausalLM.from_pretrained(tiny_model)
    source = Model(model.config, tiny_base.chat, "tiny", weights_of(model))
    write_model(source, tmp_path / "m.gguf", "q8_0", nothing)
    fields = gguf.GGUFReader(tmp_path / "m.gguf").fields
    told = {name: field.contents() for name, field in fields.items() if name.startswith("tokenizer.")}
    stops = {told["tokenizer.ggml.eos_token_id"], told["tokenizer.ggml.eot_token_id"]}
    assert stops == set(tiny_base.chat.stop_ids)
    assert told["tokenizer.chat_template"] == tiny_base.chat.template
    assert told["tokenizer.ggml.add_bos_token"] is False
    assert told["tokenizer.ggml.tokens"] == tiny_base.chat.tokenizer.convert_ids_to_tokens(
        range(model.config.vocab_size)
    )


def test_a_model_that_llama_cpp_does_not_run_is_refused_before_a_weight_is_computed(tiny_base, tmp_path):
    def never():
        raise AssertionError

    weights = [Weight("model.embed_tokens.weight", (300, 64), never)]
    model = Model(transformers.MambaConfig(), tiny_base.chat, "mamba", weights)
    with pytest.raises(ModelError, match=r"'mamba' cannot be written here; those of Llama.*Take it home as 'adapter'"):
        write_model(model, tmp_path / "m.gguf", "f16", nothing)
    assert not (tmp_path / "m.gguf").exists()
    strange = [*weights, Weight("model.layers.0.self_attn.gate.weight", (64, 64), never)]
    with pytest.raises(ModelError, match=r"no place for 'model\.layers\.0\.self_attn\.gate\.weight'"):
        write_model(Model(config_of("llama"), tiny_base.chat, "l", strange), tmp_path / "m.gguf", "f16", nothing)


@pytest.mark.parametrize(
    ("family", "options", "words"),
    [
        ("llama", {"hidden_act": "gelu"}, "its activation is gelu"),
        ("gemma2", {"query_pre_attn_scalar": 99}, "scaled by 99, in llama.cpp by 16"),
        ("gemma2", {"tie_word_embeddings": False}, "weights of its own"),
        ("gemma3", {"layer_types": ["full_attention"] * 6}, "at other places"),
    ],
)
def test_where_llama_cpp_computes_otherwise_is_told(family, options, words):
    with pytest.raises(ModelError, match=words):
        family_of(config_of(family, **options))


@pytest.mark.parametrize(
    "rope",
    [
        {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0},
        {"rope_type": "yarn", "rope_theta": 1e4, "factor": 2.0, "original_max_position_embeddings": 64, "mscale": 0.7},
    ],
)
def test_positions_that_llama_cpp_cannot_stretch_are_refused(rope):
    import gguf

    config = config_of("llama", rope_parameters=rope)
    with pytest.raises(ModelError, match="way of stretching positions"):
        describe_model(gguf.GGUFWriter(None, "llama"), config, family_of(config))


def test_a_text_may_be_as_long_as_the_window_that_llama_cpp_does_not_have():
    config = config_of("mistral", sliding_window=48)
    assert context_length(config, family_of(config)) == 48
    config = config_of("gemma2")
    assert context_length(config, family_of(config)) == 512


def test_what_llama_cpps_adapters_cannot_hold_is_refused(tmp_path):
    settings = AdapterConfig(4, 8.0, False, {}, "")
    pair = LoraPair(torch.zeros(4, 64), torch.zeros(300, 4))
    tied = config_of("llama", tie_word_embeddings=True)
    with pytest.raises(ModelError, match="shares with its embeddings"):
        write_adapter(Adapter(settings, {"lm_head": pair}, {}), tied, "a", tmp_path / "a.gguf", nothing)
    biased = Adapter(settings, {"model.layers.0.mlp.up_proj": pair}, {"model.layers.0.mlp.up_proj": torch.zeros(300)})
    with pytest.raises(ModelError, match=r"changes biases.*Take it home as 'gguf'"):
        write_adapter(biased, tied, "a", tmp_path / "a.gguf", nothing)
    assert list(tmp_path.iterdir()) == []
