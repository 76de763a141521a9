import pytest
import torch

from engine.chat.adapted_linear import LoraWeights
from engine.chat.cuda_graphs.slot_table import SlotTable

CPU = torch.device("cpu")


def weights(rank: int, width: int = 6, bias: torch.Tensor | None = None) -> LoraWeights:
    return LoraWeights(torch.randn(rank, width), torch.randn(width, rank), bias, 2.0)


def test_each_layer_and_row_has_its_adapters_addresses_rank_and_factor():
    table = SlotTable(3, 2, 16, CPU)
    one, other = weights(4), weights(16)
    table.assign({0: [None, other, None], 1: [one, one, None]})
    second = table.layer(1)
    assert second.down.tolist() == [other.down.data_ptr(), one.down.data_ptr()]
    assert second.up.tolist() == [other.up.data_ptr(), one.up.data_ptr()]
    assert (second.ranks.tolist(), second.factors.tolist()) == ([16, 4], [2.0, 2.0])
    assert table.layer(0).ranks.tolist() == [0, 4]
    assert table.layer(2).ranks.tolist() == [0, 0]


def test_layers_follow_each_other_in_memory_as_the_kernels_count():
    table = SlotTable(3, 4, 16, CPU)
    first, second = table.layer(0), table.layer(1)
    assert second.down.data_ptr() - first.down.data_ptr() == 2 * 4 * 8
    assert first.up.data_ptr() - first.down.data_ptr() == 4 * 8
    assert second.ranks.data_ptr() - first.ranks.data_ptr() == 4 * 4


def test_a_swap_leaves_nothing_of_the_adapters_before_and_keeps_the_memory():
    table = SlotTable(1, 2, 16, CPU)
    where = table.layer(0).down.data_ptr()
    table.assign({0: [weights(4)], 1: [weights(8)]})
    table.assign({0: [None], 1: [None]})
    layer = table.layer(0)
    assert layer.down.data_ptr() == where
    assert layer.ranks.tolist() == layer.down.tolist() == [0, 0]


@pytest.mark.parametrize(
    "wrong",
    [
        weights(17),
        weights(4, bias=torch.ones(6)),
        LoraWeights(torch.randn(6, 4).t(), torch.randn(6, 4), None, 1.0),
        LoraWeights(torch.randn(4, 6).bfloat16(), torch.randn(6, 4), None, 1.0),
    ],
)
def test_what_the_kernels_would_misread_is_refused(wrong):
    table = SlotTable(1, 1, 16, CPU)
    with pytest.raises(ValueError, match="does not fit"):
        table.assign({0: [wrong]})
    assert table.layer(0).ranks.tolist() == [0]
