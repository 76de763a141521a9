import pytest

from engine.hardware import GIB
from engine.model.size import ModelSize
from engine.training.memory.gpu import StepShape, base_bytes, peak

THIRTEEN = ModelSize(40, 5120, 13_824, 32_000, 12_687_769_600, 2 * 32_000 * 5120)
ONE = ModelSize(16, 2048, 8192, 128_256, 973_078_528, 2 * 128_256 * 2048)
SEVEN = ModelSize(32, 4096, 11_008, 32_000, 6_476_005_376, 2 * 32_000 * 4096)
WAYS = {
    "recomputed": {"recompute": True, "offload": True, "unpack": False},
    "kept": {"recompute": False, "offload": False, "unpack": True},
}


@pytest.mark.parametrize(
    ("size", "way", "tokens", "compiled", "dropout", "measured"),
    [
        (SEVEN, "recomputed", 512, False, True, 4.15),
        (SEVEN, "recomputed", 2048, False, True, 4.53),
        (SEVEN, "recomputed", 4096, False, True, 5.08),
        (SEVEN, "recomputed", 4096, True, True, 4.88),
        (SEVEN, "kept", 512, False, True, 19.06),
        (SEVEN, "kept", 2048, False, True, 28.68),
        (SEVEN, "kept", 8192, False, True, 66.72),
        (SEVEN, "kept", 8192, True, True, 39.76),
        (SEVEN, "kept", 8192, True, False, 48.98),
        (SEVEN, "kept", 16_384, True, False, 81.96),
        (ONE, "recomputed", 512, False, True, 1.64),
        (ONE, "recomputed", 4096, False, True, 2.25),
        (ONE, "recomputed", 4096, True, True, 2.12),
        (ONE, "kept", 512, False, True, 4.27),
        (ONE, "kept", 8192, False, True, 18.45),
        (ONE, "kept", 8192, True, True, 10.29),
    ],
)
def test_the_formula_agrees_with_what_was_measured_on_an_h200(size, way, tokens, compiled, dropout, measured):
    """2026-11-23, torch 2.11; Llama shapes, rank 16, packed rows."""
    found = peak(size, 16, StepShape(tokens, compiled=compiled, dropout=dropout, **WAYS[way]))
    assert found.allocated / GIB == pytest.approx(measured, rel=0.06)


def test_the_peak_is_the_sum_of_its_parts():
    found = peak(SEVEN, 16, StepShape(4096, compiled=False, dropout=True, **WAYS["kept"]))
    parts = found.weights + found.adapter + found.optimizer + found.activations + found.logits + found.overhead
    assert found.total == parts
    assert found.adapter == 8 * 39_976_960  # what peft counts as trainable


def test_a_split_base_takes_what_was_measured_of_each_gpu():
    """2026-11-23, two H200s, torch 2.11: loaded; and at the peak of 8 packed rows (13B: 2) without dropout."""
    assert base_bytes(THIRTEEN, 2, sharded=True) / GIB == pytest.approx(3.76, rel=0.01)
    way = StepShape(8192, compiled=False, dropout=False, **WAYS["recomputed"])
    assert peak(ONE, 16, way, 2, sharded=True).allocated / GIB == pytest.approx(2.61, rel=0.06)
    assert peak(SEVEN, 16, way, 2, sharded=True).allocated / GIB == pytest.approx(4.63, rel=0.06)
    way = StepShape(2048, compiled=False, dropout=False, **WAYS["recomputed"])
    assert peak(THIRTEEN, 16, way, 2, sharded=True).allocated / GIB == pytest.approx(5.34, rel=0.06)


def test_a_gpu_that_shares_a_run_keeps_room_for_talking_to_the_others():
    way = StepShape(1024, compiled=False, dropout=True, **WAYS["recomputed"])
    alone, shared = (peak(SEVEN, 16, way, gpus) for gpus in (1, 2))
    assert shared.allocated == alone.allocated
    assert (shared.overhead - alone.overhead) / GIB == pytest.approx(0.49, abs=0.02)


def test_inputs_that_stay_on_the_gpu_take_room_there():
    there = StepShape(1000, recompute=True, offload=False, unpack=False, compiled=False, dropout=True)
    away = StepShape(1000, recompute=True, offload=True, unpack=False, compiled=False, dropout=True)
    assert peak(SEVEN, 16, there).total - peak(SEVEN, 16, away).total == 1000 * 2 * 4096 * 32
