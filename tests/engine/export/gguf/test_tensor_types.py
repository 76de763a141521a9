"""How tensors are packed: llama.cpp's own types for each, and numbers that come back."""

import numpy as np
import pytest
import torch

from engine.errors import ModelError, StudioError
from engine.export.gguf import quantiser
from engine.export.gguf.tensor_types import Plan, pack


def type_of(plan: Plan, name: str, width: int = 512) -> str:
    return plan.type_of(name, (4, width)).name


def test_the_mixture_is_llama_cpps():
    plan = Plan("q4_k_m", layers=16, tied=False)
    values = [type_of(plan, f"blk.{layer}.attn_v.weight") for layer in range(16)]
    assert [n for n, kind in enumerate(values) if kind == "Q6_K"] == [0, 1, 4, 7, 10, 13, 14, 15]
    assert type_of(plan, "blk.5.attn_q.weight") == type_of(plan, "token_embd.weight") == "Q4_K"
    assert type_of(plan, "output.weight") == "Q6_K"
    assert type_of(Plan("q4_k_m", 16, tied=True), "token_embd.weight") == "Q6_K"
    assert type_of(plan, "blk.0.attn_qkv.weight") == "Q5_K"
    assert plan.type_of("blk.0.attn_norm.weight", (512,)).name == "F32"


@pytest.mark.parametrize(
    ("packing", "width", "kind"),
    [("q4_k_m", 576, "Q5_0"), ("q6_k", 576, "Q8_0"), ("q8_0", 80, "F16"), ("q4_k_m", 80, "F16"), ("f16", 80, "F16")],
)
def test_rows_that_are_no_whole_blocks_take_the_next_type(packing, width, kind):
    assert type_of(Plan(packing, 2, tied=False), "blk.0.attn_q.weight", width) == kind


@pytest.mark.parametrize(
    ("kind", "close"), [("BF16", 2e-2), ("F16", 2e-3), ("Q8_0", 3e-2), ("Q6_K", 0.12), ("Q4_K", 0.4)]
)
def test_numbers_come_back(kind, close):
    import gguf

    if kind.endswith("_K") and not quantiser.is_here():
        pytest.skip("needs llama.cpp: pip install xllamacpp")
    type_ = gguf.GGMLQuantizationType[kind]
    values = torch.randn(7000, 256, generator=torch.Generator().manual_seed(1))
    ticks: list[int] = []
    packed = pack(values, type_, "name", lambda: ticks.append(1))
    back = gguf.quants.dequantize(packed, type_)
    assert np.abs(back - values.numpy()).max() < close
    assert len(ticks) > 1


def test_a_number_that_float16_cannot_hold_is_told():
    import gguf

    with pytest.raises(ModelError, match="numbers that float16 cannot"):
        pack(torch.full((2, 32), 1e6), gguf.GGMLQuantizationType.F16, "name", lambda: None)


def test_without_llama_cpp_its_ways_of_packing_are_refused(monkeypatch):
    monkeypatch.setattr(quantiser, "PACKAGE", "no_such_package_here")
    assert not quantiser.is_here()
    quantiser._function.cache_clear()
    with pytest.raises(StudioError, match=r"llama\.cpp is not installed here.*pip install"):
        quantiser.quantise(np.zeros((1, 256), np.float32), 12)


def test_a_library_without_the_function_is_told(monkeypatch, tmp_path):
    (tmp_path / "hollow").mkdir()
    (tmp_path / "hollow" / "__init__.py").touch()
    (tmp_path / "hollow" / "hollow.so").write_bytes(b"no library")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(quantiser, "PACKAGE", "hollow")
    quantiser._function.cache_clear()
    with pytest.raises(StudioError, match="cannot be asked to pack"):
        quantiser.quantise(np.zeros((1, 256), np.float32), 12)
