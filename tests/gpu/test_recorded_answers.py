"""Recorded steps against the same steps computed one by one, on a card."""

import pytest
import torch

from engine.chat.adapters import AdapterBank
from engine.chat.continuous_batch import ContinuousBatch, Request
from engine.chat.cuda_graphs.kernels import FusedGroup, attend, fits, rms_norm
from engine.chat.cuda_graphs.recordings import grouped
from engine.chat.cuda_graphs.slot_table import SlotTable
from engine.chat.decoding import Row, decode
from engine.chat.records import Sampling
from engine.model.unpacking import unpacked_values
from tests.benchmarks.shapes import random_base
from tests.engine.chat.lora import make_lora

pytestmark = pytest.mark.gpu

GREEDY = Sampling(temperature=0.0, max_new_tokens=40)
NOISE = 0.25
"""How far scores of the two ways may be apart; those of random weights reach 4."""


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return random_base("starter-size-even", tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def folders(base, tmp_path_factory):
    root = tmp_path_factory.mktemp("adapters")
    return [make_lora(base, root / f"{n}", seed=n, r=rank, std=0.05) for n, rank in ((1, 8), (2, 16), (3, 33))]


def prompts(*lengths):
    chance = torch.Generator().manual_seed(5)
    return [tuple(torch.randint(5, 300, (length,), generator=chance).tolist()) for length in lengths]


def said(bank, rows, sampling=GREEDY):
    *_, states = decode(bank, rows, sampling, frozenset(), 0)
    return [state.tokens for state in states]


def one_by_one(base):
    """A bank that records nothing."""
    bank = AdapterBank(base.copy())
    bank.recordings._groups = []
    return bank


@torch.no_grad()
def scores_one_by_one(bank, row, tokens):
    """The scores of every next token along an answer, shape (tokens, vocabulary)."""
    ids = torch.tensor([[*row.prompt, *tokens[:-1]]], device=bank.device)
    return bank.forward([row.adapter], input_ids=ids).logits[0, len(row.prompt) - 1 :].float()


def agrees(bank, row, tokens):
    """Whether each token is the likeliest, or as likely as the likeliest up to rounding."""
    scores = scores_one_by_one(bank, row, tokens)
    chosen = scores.gather(1, torch.tensor(tokens, device=bank.device)[:, None])[:, 0]
    return float((scores.amax(-1) - chosen).max()) < NOISE


@pytest.mark.parametrize("rows", [1, 2, 3, 16, 32, 64, 128])
def test_the_kernels_compute_the_layers_and_each_rows_adapter(base, folders, rows):
    bank = AdapterBank(base.copy())
    names = [bank.load(folder) for folder in folders]
    for group in grouped(list(bank.packed_layers())[:7]):
        layers = [bank.packed_layers()[name] for name in group]
        assert all(map(fits, layers))
        pairs = [
            [None if row % 4 == 3 else bank.adapted_layer(name).slots[names[row % 4]] for row in range(rows)]
            for name in group
        ]
        table = SlotTable(len(group), rows, 64, base.device)
        table.assign({row: [of_layer[row] for of_layer in pairs] for row in range(rows)})
        fused = FusedGroup(layers, table.layer(0))
        x = torch.randn(rows, 1, layers[0].in_features, device=base.device, dtype=torch.bfloat16)
        for number, (layer, of_rows) in enumerate(zip(layers, pairs, strict=True)):
            wanted = in_float64(layer, x, of_rows)
            theirs = torch.stack([by_bitsandbytes(layer, x[row], pair) for row, pair in enumerate(of_rows)])
            found = fused.member(number)(x)[:, 0].double()
            ours, others = (float((y - wanted).norm() / wanted.norm()) for y in (found, theirs))
            print(f"{group[number]}, {rows} rows: error {ours:.2e}, bitsandbytes {others:.2e}")
            assert ours < max(4e-3, 1.2 * others)


def in_float64(layer, x, pairs):
    values = unpacked_values(layer.weight, layer.weight.quant_state, torch.float32).double()
    wanted = x[:, 0].double() @ values.t()
    for row, pair in enumerate(pairs):
        if pair is not None:
            wanted[row] += x[row, 0].double() @ pair.down.double().t() @ pair.up.double().t() * pair.scale
    return wanted


def by_bitsandbytes(layer, x, pair):
    y = layer(x)
    return (y + pair.of(x) if pair is not None else y)[0].double()


def test_a_norm_in_one_kernel_is_transformers_to_the_last_bit_or_two(base):
    module = base.model.model.norm
    x = torch.randn(5, 1, 640, device=base.device, dtype=torch.bfloat16)
    apart = (rms_norm(x, module.weight, module.variance_epsilon).float() - module(x).float()).abs().max()
    assert float(apart) <= 2**-6


@pytest.mark.parametrize(
    ("rows", "heads", "groups", "width"), [(1, 32, 32, 128), (3, 10, 5, 64), (16, 8, 2, 96), (64, 8, 8, 128)]
)
def test_a_token_looks_back_as_in_float64_and_alike_each_time(card, rows, heads, groups, width):
    chance = torch.Generator(card).manual_seed(0)
    make = lambda *shape: torch.randn(*shape, device=card, generator=chance).bfloat16()  # noqa: E731
    query, key, value = make(rows, heads, 1, width), make(rows, groups, 256, width), make(rows, groups, 256, width)
    mask = torch.rand(rows, 1, 1, 256, device=card, generator=chance) < 0.8
    mask[..., :40], mask[..., 99] = False, True  # padding on the left, and more than a block of it
    filled = torch.tensor([100], device=card)
    key[:, :, 100:], value[:, :, 100:] = float("nan"), float("nan")  # not filled yet, so never read
    found = attend(query, key, value, mask, filled, width**-0.5)
    wide = [tensor[:, :, :100].double().repeat_interleave(heads // groups, 1) for tensor in (key, value)]
    scores = (query.double() @ wide[0].transpose(2, 3) * width**-0.5).masked_fill(~mask[..., :100], float("-inf"))
    wanted = (scores.softmax(-1) @ wide[1]).transpose(1, 2)
    assert float((found.double() - wanted).norm() / wanted.norm()) < 4e-3
    assert all(torch.equal(attend(query, key, value, mask, filled, width**-0.5), found) for _ in range(20))


@pytest.mark.parametrize("voices", [1, 2, 3, 4])
def test_recorded_answers_are_those_computed_one_by_one(base, folders, voices):
    bank, plain = AdapterBank(base.copy()), one_by_one(base)
    lengths = (30, 7, 64, 200)[:voices]
    paths = [None, *folders][:voices]
    rows = [
        Row(prompt, bank.load(path) if path else None) for prompt, path in zip(prompts(*lengths), paths, strict=True)
    ]
    answers = said(bank, rows)
    assert bank.recordings._free, "nothing was recorded"
    for row, path, tokens in zip(rows, paths, answers, strict=True):
        assert agrees(plain, Row(row.prompt, plain.load(path) if path else None), tokens)


def test_a_row_says_the_same_whoever_answers_beside_it(base, folders):
    bank = AdapterBank(base.copy())
    first, second = prompts(40, 40)
    names = [bank.load(folder) for folder in folders]
    mixed = said(bank, [Row(first, names[0]), Row(second, names[1])])
    again = said(bank, [Row(first, names[0]), Row(second, None)])
    assert mixed[0] == again[0]
    assert mixed[1] != again[1]


def test_two_hundred_swaps_while_answers_stream_leave_every_token_right(base, folders):
    bank = AdapterBank(base.copy())
    (prompt,) = prompts(20)
    names = [None, *(bank.load(folder) for folder in folders)]
    said(bank, [Row(prompt, names[3]), Row(prompt, None)])  # of the largest rank, so that none needs another recording
    short = Sampling(temperature=0.0, max_new_tokens=6)
    wanted = [said(bank, [Row(prompt, name), Row(prompt, name)], short)[0] for name in names]
    assert len(set(wanted)) == len(names)
    for swap in range(200):
        one, other = swap % 4, (swap * 3 + 1) % 4
        assert said(bank, [Row(prompt, names[one]), Row(prompt, names[other])], short) == [wanted[one], wanted[other]]
    assert len(bank.recordings._free) == 1, "a swap needs no new recording"


def test_recordings_of_other_sizes_do_not_disturb_each_other(base, folders):
    bank = AdapterBank(base.copy())
    (prompt,) = prompts(20)
    name = bank.load(folders[1])
    short, long = (Sampling(temperature=0.0, max_new_tokens=count) for count in (8, 600))
    first = said(bank, [Row(prompt, name)], short)
    other = said(bank, [Row(prompt, name)], long)
    several = said(bank, [Row(prompt, name), Row(prompt, None), Row(prompt, None)], short)
    torch.randn(50_000_000, device=base.device).fill_(float("nan"))  # whatever memory was let go of is another's now
    assert said(bank, [Row(prompt, name)], short) == first
    assert said(bank, [Row(prompt, name)], long) == other
    assert said(bank, [Row(prompt, name), Row(prompt, None), Row(prompt, None)], short) == several
    assert len(bank.recordings._free) == 3, "one for short answers, one for long, one for three voices"


def test_an_answer_that_is_given_up_gives_its_recording_back(base):
    bank = AdapterBank(base.copy())
    (prompt,) = prompts(20)
    stream = decode(bank, [Row(prompt, None)], GREEDY, frozenset(), 0)
    next(stream), next(stream)
    assert not bank.recordings._free
    stream.close()
    assert len(bank.recordings._free) == 1
    assert said(bank, [Row(prompt, None)]) == said(AdapterBank(base.copy()), [Row(prompt, None)])


def test_what_the_kernels_do_not_know_is_decoded_step_by_step(base, tmp_path):
    biased = make_lora(base, tmp_path / "biased", seed=9, lora_bias=True, std=0.05)
    bank = AdapterBank(base.copy())
    (prompt,) = prompts(20)
    answers = said(bank, [Row(prompt, bank.load(biased))])
    assert len(answers[0]) == 40
    assert not bank.recordings._free


def test_a_recording_that_fails_costs_no_token(base, folders, monkeypatch):
    from engine.chat.cuda_graphs import captured_step

    bank = AdapterBank(base.copy())
    (prompt,) = prompts(20)
    row = Row(prompt, bank.load(folders[0]))

    def broken(self):
        raise RuntimeError("no compiler")

    monkeypatch.setattr(captured_step.CapturedStep, "_fuse", broken)
    plain = one_by_one(base)
    assert agrees(plain, Row(prompt, plain.load(folders[0])), said(bank, [row])[0])
    assert bank.recordings._groups == []


def ending_at_different_times(bank, names, count):
    """Requests whose answers have from 5 to 40 tokens."""
    lengths = [7 + 23 * (n % 6) for n in range(count)]
    return [
        Request(Row(prompt, names[n % len(names)]), Sampling(max_new_tokens=5 + 7 * (n % 6)), frozenset())
        for n, prompt in enumerate(prompts(*lengths))
    ]


def advanced(batch):
    while batch.advance():
        pass


def test_places_of_a_recording_are_taken_again_and_every_token_is_right(base, folders):
    bank, plain = AdapterBank(base.copy()), one_by_one(base)
    names, theirs = ([None, *map(each.load, folders)] for each in (bank, plain))
    requests = ending_at_different_times(bank, names, 20)
    batch = ContinuousBatch(bank, 0, rows=4)
    batch.add(requests)
    advanced(batch)
    assert [step.rows for step in bank.recordings._free] == [4]
    for n, request in enumerate(requests):
        tokens = request.state.tokens
        assert len(tokens) == request.sampling.max_new_tokens
        assert agrees(plain, Row(request.row.prompt, theirs[n % len(theirs)]), tokens)


def test_who_comes_while_others_are_answered_joins_them_and_disturbs_no_token(base, folders):
    bank = AdapterBank(base.copy())
    names = [None, *map(bank.load, folders)]
    first, *later = ending_at_different_times(bank, names, 4)
    first.sampling = Sampling(max_new_tokens=40)
    alone = one_by_one(base)
    batch = ContinuousBatch(bank, 0)
    batch.add([first])
    for _ in range(4):
        batch.advance()
    batch.add(later)
    batch.advance()
    assert all(request.state.tokens for request in later), "nobody waits for the first to end"
    advanced(batch)
    theirs = [None, *map(alone.load, folders)]
    for n, request in enumerate((first, *later)):
        assert agrees(alone, Row(request.row.prompt, theirs[n]), request.state.tokens)


def test_the_next_turn_reads_what_a_recording_has_read(base, folders):
    bank, plain = AdapterBank(base.copy()), one_by_one(base)
    name = bank.load(folders[0])
    (prompt,) = prompts(60)
    batch = ContinuousBatch(bank, 0)
    request = Request(Row(prompt, name), GREEDY, frozenset(), talks_on=True)
    batch.add([request])
    advanced(batch)
    longer = (*prompt, *request.state.tokens, 7, 8, 9)
    assert bank.prefixes.find(bank.reader(name), longer)[1] == len(prompt) + 39
    answers = said(bank, [Row(longer, name)])
    assert agrees(plain, Row(longer, plain.load(folders[0])), answers[0])
