"""Layers come and go over a tiny model on the processor: the same code as on a GPU, without its streams."""

import itertools

import pytest
import torch

from engine.model.streaming.layer_stream import evenly, stream_of
from engine.model.unpacking import linear_4bit_layers

LAYERS = 5
IDS = torch.arange(24)[None]


def places_of(copy):
    stream = stream_of(copy)
    return [place.buffer.data_ptr() for place in (*stream._places, *stream._own.values())]


def test_a_layer_is_one_piece_that_holds_all_of_it_bit_for_bit(packed_base, streamed_base):
    assert len(streamed_base.arena.pieces) == LAYERS
    begins = [piece.data_ptr() for piece in streamed_base.arena.pieces]
    assert begins == sorted(begins)
    assert max(begins) - min(begins) < 2 * streamed_base.arena.bytes, "one arena, not a heap of pieces"
    ours, theirs = linear_4bit_layers(streamed_base.model), linear_4bit_layers(packed_base.model)
    for own, other in zip(ours, theirs, strict=True):
        assert torch.equal(own.weight, other.weight)
        left, right = own.weight.quant_state.as_dict(), other.weight.quant_state.as_dict()
        assert left.keys() == right.keys()
        for name, value in left.items():
            assert torch.equal(value, right[name]) if isinstance(value, torch.Tensor) else value == right[name]
    for layer, piece in zip(streamed_base.model.model.layers, streamed_base.arena.pieces, strict=True):
        inside = range(piece.data_ptr(), piece.data_ptr() + piece.nbytes)
        for module in linear_4bit_layers(layer):
            assert module.weight.data_ptr() in inside
            assert module.weight.quant_state.state2.absmax.data_ptr() in inside


@pytest.mark.parametrize(("ahead", "stay"), [(0, 0), (1, 0), (2, 0), (1, 2), (9, 0), (1, LAYERS)])
def test_what_a_streamed_model_says_is_what_the_base_says_bit_for_bit(ahead, stay, packed_base, streamed_base):
    copy = streamed_base.copy(ahead, stay)
    with torch.no_grad():
        for _ in range(2):
            assert torch.equal(copy(IDS).logits, packed_base.model(IDS).logits)
    assert stream_of(copy).streamed == LAYERS - stay


def test_a_fetch_allocates_nothing_and_the_arena_is_never_written(streamed_base):
    before = [piece.clone() for piece in streamed_base.arena.pieces]
    copy = streamed_base.copy(1, 1)
    places, stream = places_of(copy), stream_of(copy)
    with torch.no_grad():
        copy(IDS)
        before_second = stream.fetches
        with torch.profiler.profile(profile_memory=True) as seen:
            for number in (0, 3):
                with stream.at(number, 1):
                    pass
    made = [event.cpu_memory_usage for event in seen.events() if event.name == "aten::copy_"]
    assert stream.fetches > before_second
    assert made
    assert not any(made)
    assert places_of(copy) == places
    assert all(torch.equal(*pair) for pair in zip(before, streamed_base.arena.pieces, strict=True))


def test_outside_of_its_own_computation_a_layer_is_at_home(streamed_base):
    copy = streamed_base.copy(1, 0)
    at_home = [module.weight.data_ptr() for module in linear_4bit_layers(copy)]
    visiting, layer = [], copy.model.layers[2]
    layer.mlp.register_forward_hook(lambda *_: visiting.append(layer.mlp.up_proj.weight.data_ptr()))
    with torch.no_grad():
        copy(IDS)
    place = next(range(start, start + 10**6) for start in places_of(copy) if start <= visiting[0] < start + 10**6)
    assert visiting[0] in place
    assert [module.weight.data_ptr() for module in linear_4bit_layers(copy)] == at_home
    with pytest.raises(RuntimeError, match="size of tensor"):
        copy(inputs_embeds=torch.zeros(1, 3, 7))
    assert [module.weight.data_ptr() for module in linear_4bit_layers(copy)] == at_home


def test_passes_that_only_go_forward_fetch_each_layer_once_and_begin_the_next(streamed_base):
    copy = streamed_base.copy(1, 0)
    stream = stream_of(copy)
    with torch.no_grad():
        for passes in (1, 2, 3):
            copy(IDS)
            assert stream.fetches == LAYERS * passes + 1


def test_two_copies_have_places_of_their_own(packed_base, streamed_base):
    left, right = streamed_base.copy(1, 0), streamed_base.copy(0, 1)
    assert not set(places_of(left)) & set(places_of(right))
    wanted = packed_base.model(IDS).logits
    seen = []
    left.model.layers[1].register_forward_hook(lambda *_: seen.append(right(IDS).logits))
    with torch.no_grad():
        assert torch.equal(left(IDS).logits, wanted)
    assert torch.equal(seen[0], wanted)


def test_memory_that_was_given_back_comes_back_with_the_layers(packed_base, streamed_base):
    copy = streamed_base.copy(1, 2)
    stream = stream_of(copy)
    assert stream.give_back() > 2 * max(layout.bytes for layout in streamed_base.arena.layouts)
    assert all(place.buffer.untyped_storage().nbytes() == 0 for place in (*stream._places, *stream._own.values()))
    stream.take_back()
    with torch.no_grad():
        assert torch.equal(copy(IDS).logits, packed_base.model(IDS).logits)


def test_resident_layers_are_evenly_spaced():
    assert evenly(0, 5) == []
    assert evenly(1, 5) == [2]
    assert evenly(2, 8) == [2, 6]
    assert evenly(5, 5) == [0, 1, 2, 3, 4]
    for some in range(81):
        numbers = evenly(some, 80)
        assert len(set(numbers)) == some
        gaps = [b - a for a, b in itertools.pairwise(numbers)]
        assert max(gaps, default=0) - min(gaps, default=0) <= 1


def test_a_plain_base_has_no_stream(packed_base):
    assert not packed_base.is_streamed
    assert stream_of(packed_base.copy()) is None
