import shutil
import weakref

import pytest
import torch
from torch import nn

from engine.chat.adapted_linear import AdaptedLinear, LoraWeights, RowAssignment
from engine.chat.adapters import AdapterBank
from engine.errors import ModelError
from engine.model.base import load_base
from engine.recipe import Recipe
from tests.engine.chat.lora import make_lora, with_peft

IDS = torch.tensor([[7, 30, 41, 52, 63], [9, 33, 44, 55, 66], [11, 31, 42, 53, 64]])


def logits(bank: AdapterBank, *names: str | None) -> torch.Tensor:
    return bank.forward(names, input_ids=IDS[: len(names)]).logits


def loaded(bank: AdapterBank) -> set[str]:
    """The slots that hold weights."""
    return {name for layer in bank.model.modules() if isinstance(layer, AdaptedLinear) for name in layer.slots}


@torch.no_grad()
def alone(model, row: int) -> torch.Tensor:
    return model(input_ids=IDS[row : row + 1]).logits[0]


def test_base_row_of_a_mixed_batch_is_the_bare_model_to_the_last_bit(tiny_base, bank, friendly, formal):
    with torch.no_grad():
        bare = tiny_base.copy()(input_ids=IDS).logits
    first, second = bank.load(friendly), bank.load(formal)
    mixed = logits(bank, None, first, second)
    assert torch.equal(mixed[0], bare[0])
    assert not torch.allclose(mixed[1], bare[1], atol=0.1)
    assert not torch.allclose(mixed[2], bare[2], atol=0.1)


def test_every_row_is_what_peft_alone_computes(tiny_base, bank, friendly, formal):
    mixed = logits(bank, bank.load(formal), None, bank.load(friendly))
    torch.testing.assert_close(mixed[0], alone(with_peft(tiny_base, formal), 0), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(mixed[1], alone(tiny_base.copy(), 1), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(mixed[2], alone(with_peft(tiny_base, friendly), 2), atol=1e-4, rtol=1e-4)


def test_rows_of_one_adapter_need_not_lie_side_by_side(bank, friendly):
    name = bank.load(friendly)
    mixed = logits(bank, name, None, name)
    together = logits(bank, name, name, name)
    torch.testing.assert_close(mixed[0], together[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(mixed[2], together[2], atol=1e-5, rtol=1e-5)
    assert torch.equal(mixed[1], logits(bank, None, None, None)[1])


@pytest.mark.parametrize(
    "options",
    [
        {"use_rslora": True},
        {"target_modules": "all-linear"},
        {"rank_pattern": {"q_proj": 2}, "alpha_pattern": {r"layers\.1\.mlp\.up_proj": 64}},
        {"target_modules": r".*\.0\..*(q|v)_proj"},
        {"lora_bias": True},
        {"init_lora_weights": "gaussian"},
        {"layers_to_transform": [1]},
    ],
    ids=lambda options: " ".join(options),
)
def test_variants_of_lora_compute_as_with_peft(tiny_base, bank, tmp_path, options):
    folder = make_lora(tiny_base, tmp_path / "variant", seed=3, **options)
    mixed = logits(bank, None, bank.load(folder))
    torch.testing.assert_close(mixed[1], alone(with_peft(tiny_base, folder), 1), atol=1e-4, rtol=1e-4)


def test_adapter_in_half_precision_computes_as_with_peft(tiny_base, bank, friendly, tmp_path):
    from safetensors.torch import load_file, save_file

    half = shutil.copytree(friendly, tmp_path / "half")
    weights = load_file(half / "adapter_model.safetensors")
    save_file({name: tensor.bfloat16() for name, tensor in weights.items()}, half / "adapter_model.safetensors")
    mixed = logits(bank, None, bank.load(half), bank.load(friendly))
    torch.testing.assert_close(mixed[1], alone(with_peft(tiny_base, half), 1), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(mixed[2], alone(with_peft(tiny_base, friendly), 2), atol=1e-4, rtol=1e-4)


def test_adapters_are_swapped_without_touching_the_base(tiny_base, friendly, formal):
    bank = AdapterBank(tiny_base.copy(), slots=1)
    before = {name: tensor.clone() for name, tensor in tiny_base.model.state_dict().items()}
    places = [tensor.data_ptr() for tensor in bank.model.parameters()]
    for folder in (friendly, formal, friendly):
        logits(bank, bank.load(folder))
    assert len(loaded(bank)) == 1
    assert [tensor.data_ptr() for tensor in bank.model.parameters()] == places
    assert not any(isinstance(module, AdaptedLinear) for module in tiny_base.model.modules())
    after = tiny_base.model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not any(parameter.requires_grad for parameter in bank.model.parameters())


def test_loading_leaves_the_global_random_state_alone(bank, friendly, formal):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    bank.load(friendly)
    bank.load(formal)
    assert torch.equal(torch.get_rng_state(), before)


def test_same_files_are_read_once(bank, friendly):
    name = bank.load(friendly)
    weights = next(layer.slots[name] for layer in bank.model.modules() if isinstance(layer, AdaptedLinear))
    assert bank.load(friendly.parent / "." / friendly.name) == name
    assert next(layer.slots[name] for layer in bank.model.modules() if isinstance(layer, AdaptedLinear)) is weights
    assert loaded(bank) == {name}


def test_adapter_written_anew_is_read_again(bank, friendly, formal, tmp_path):
    folder = shutil.copytree(friendly, tmp_path / "checkpoint")
    old = logits(bank, bank.load(folder))
    shutil.rmtree(folder)
    shutil.copytree(formal, folder)
    new = logits(bank, bank.load(folder))
    assert not torch.allclose(old, new, atol=0.1)
    torch.testing.assert_close(new, logits(bank, bank.load(formal)))
    assert len(loaded(bank)) == 2


@pytest.mark.parametrize("name", ["v1.2.final", "Grüße aus Köln 🎁", "a b'c\"d", "__base__", "slot0", "lora_A.weight"])
def test_odd_folder_names_are_harmless(bank, friendly, tmp_path, name):
    folder = shutil.copytree(friendly, tmp_path / name)
    made = bank.load(folder)
    assert made == "slot0"
    torch.testing.assert_close(logits(bank, made), logits(bank, bank.load(friendly)))
    assert loaded(bank) == {"slot0", "slot1"}


def test_least_recently_used_adapter_makes_room(tiny_base, friendly, formal, tmp_path):
    bank = AdapterBank(tiny_base.copy(), slots=2)
    third = shutil.copytree(formal, tmp_path / "third")
    kept = bank.load(friendly)
    given_up = bank.load(formal)
    assert bank.load(friendly) == kept
    assert bank.load(third) == given_up
    assert bank.load(friendly) == kept


def test_adapter_in_use_is_never_given_up(tiny_base, friendly, formal, tmp_path):
    bank = AdapterBank(tiny_base.copy(), slots=2)
    third = shutil.copytree(formal, tmp_path / "third")
    with bank.acquire([friendly, None]) as names:
        assert names == ("slot0", None)
        before = logits(bank, names[0])
        assert bank.load(formal) == bank.load(third) == bank.load(formal) == "slot1"
        assert torch.equal(logits(bank, names[0]), before)
    assert bank.load(third) == "slot0"


def test_more_adapters_than_places_are_refused_in_words(tiny_base, friendly, formal):
    bank = AdapterBank(tiny_base.copy(), slots=1)
    with pytest.raises(ModelError, match="All 1 places"), bank.acquire([friendly, formal]):
        pass
    with bank.acquire([formal]):
        assert loaded(bank) == {"slot0"}


def test_an_adapter_that_made_room_gives_its_memory_back(tiny_base, friendly, formal):
    bank = AdapterBank(tiny_base.copy(), slots=1)
    name = bank.load(friendly)
    layers = [layer for layer in bank.model.modules() if isinstance(layer, AdaptedLinear)]
    weights = [weakref.ref(layer.slots[name].down) for layer in layers]
    bank.load(formal)
    assert weights
    assert not any(reference() is not None for reference in weights)


def test_an_adapter_that_is_not_loaded_cannot_answer(bank, friendly):
    bank.load(friendly)
    with pytest.raises(ModelError, match="no longer loaded"):
        logits(bank, "slot7")


def test_adapter_of_another_base_is_refused_and_leaves_nothing(tiny_base, bank, friendly, tmp_path):
    from transformers import LlamaConfig, LlamaForCausalLM

    wide = LlamaForCausalLM(LlamaConfig(vocab_size=50, hidden_size=32, intermediate_size=64, num_hidden_layers=3))
    deep = make_lora(type("Other", (), {"copy": lambda self: wide})(), tmp_path / "wide", seed=1)
    name = bank.load(friendly)
    before = logits(bank, None, name)
    with pytest.raises(ModelError, match=r"does not fit this base model.*32") as refused:
        bank.load(deep)
    assert "trained on" in refused.value.remedy
    assert loaded(bank) == {name}
    assert torch.equal(logits(bank, None, name), before)


def test_adapter_for_layers_the_base_lacks_is_refused(tiny_base, bank, friendly, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(friendly, tmp_path / "deep")
    weights = load_file(folder / "adapter_model.safetensors")
    save_file(
        {name.replace("layers.1", "layers.7"): w for name, w in weights.items()}, folder / "adapter_model.safetensors"
    )
    with pytest.raises(ModelError, match=r"no linear layer model\.layers\.7"):
        bank.load(folder)


def test_adapter_that_has_gone_is_missed_in_words(bank, tmp_path):
    with pytest.raises(ModelError, match="nowhere"):
        bank.load(tmp_path / "nowhere")


def test_failing_forward_leaves_the_next_answer_right(bank, friendly, monkeypatch):
    name = bank.load(friendly)
    before = logits(bank, None, name)
    last = bank.model.model.layers[-1].mlp.down_proj.base_layer

    def fails(*_):
        raise RuntimeError("out of luck")

    with monkeypatch.context() as patch:
        patch.setattr(last, "forward", fails)
        with pytest.raises(RuntimeError, match="out of luck"):
            logits(bank, name, None)
    with torch.no_grad():
        assert torch.equal(bank.model(input_ids=IDS[:2]).logits[0], before[0])
    assert torch.equal(logits(bank, None, name), before)


@pytest.fixture(scope="module")
def base_with_biases(tiny_model, tmp_path_factory):
    """The tiny model with biases on its attention, as Qwen2 has them."""
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("biased") / "model"
    config = LlamaConfig.from_pretrained(tiny_model)
    config.attention_bias = True
    torch.manual_seed(3)
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.normal_()
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(tiny_model).save_pretrained(folder)
    return load_base(Recipe(model=str(folder)), folder.parent, lambda *_: None)


@pytest.mark.parametrize("bias", ["lora_only", "all"])
def test_trained_biases_belong_to_the_adapter_and_not_to_the_base(base_with_biases, tmp_path, bias):
    from safetensors.torch import load_file, save_file

    base = base_with_biases
    folder = make_lora(base, tmp_path / bias, seed=4, bias=bias, target_modules=["q_proj", "up_proj"])
    weights = load_file(folder / "adapter_model.safetensors")
    trained = {name: tensor + 0.5 if name.endswith("bias") else tensor for name, tensor in weights.items()}
    save_file(trained, folder / "adapter_model.safetensors")
    untouched = base.model.model.layers[0].self_attn.q_proj.bias.clone()
    bank = AdapterBank(base.copy())
    bare = alone(base.model, 0)

    mixed = logits(bank, None, bank.load(folder))

    torch.testing.assert_close(mixed[0], bare, atol=1e-4, rtol=1e-4)
    assert torch.equal(base.model.model.layers[0].self_attn.q_proj.bias, untouched)
    apart = load_base(Recipe(model=base.ref), tmp_path, lambda *_: None)  # peft writes the biases into its base
    torch.testing.assert_close(mixed[1], alone(with_peft(apart, folder), 1), atol=1e-4, rtol=1e-4)


def test_bias_of_a_layer_without_one_is_refused(bank, friendly, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(friendly, tmp_path / "biased")
    weights = load_file(folder / "adapter_model.safetensors")
    weights["base_model.model.model.norm.bias"] = torch.ones(64)
    save_file(weights, folder / "adapter_model.safetensors")
    with pytest.raises(ModelError, match=r"bias of model\.norm"):
        bank.load(folder)


def test_layer_that_gets_rows_and_length_flattened_adapts_the_right_tokens():
    layer = nn.Linear(6, 3, bias=False)
    assignment = RowAssignment.of([None, "a", "a"], torch.device("cpu"))
    adapted = AdaptedLinear(layer, assignment)
    adapted.slots["a"] = LoraWeights(torch.randn(2, 6), torch.randn(3, 2), None, 2.0)
    x = torch.randn(3, 5, 6)
    with torch.no_grad():
        torch.testing.assert_close(adapted(x.flatten(0, 1)).unflatten(0, (3, 5)), adapted(x))
        assert torch.equal(adapted(x)[0], layer(x)[0])
