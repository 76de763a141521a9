"""A tiny model of names, taught on the spot, reads a data set once more."""

from pathlib import Path

import pytest

from engine.errors import TicketsError
from engine.model.name_model import open_second_look
from tests.engine.tickets.exports import comment, lines, write, zendesk

NAMES = ("quillan", "wrenna")
WORDS = ("the", "lamp", "is", "dark", "again", "told", "me", "please", "ask", "about", "it", "bulb", "and", ".", ",")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A one-layer BERT that calls two words persons, saved as anybody's model would be."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import BertConfig, BertForTokenClassification, PreTrainedTokenizerFast

    words = {word: number for number, word in enumerate(("[UNK]", "[PAD]", *NAMES, *WORDS))}
    raw = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    raw.normalizer = normalizers.Lowercase()
    raw.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, unk_token="[UNK]", pad_token="[PAD]")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        hidden_dropout_prob=0.0,
        id2label={0: "O", 1: "B-PER", 2: "B-LOC"},
        label2id={"O": 0, "B-PER": 1, "B-LOC": 2},
    )
    model = BertForTokenClassification(config)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(60):
        ids = torch.randint(0, len(words), (16, 12))
        loss = model(input_ids=ids, labels=((ids == 2) | (ids == 3)).long()).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    made = tmp_path_factory.mktemp("names")
    model.save_pretrained(made)
    tokenizer.save_pretrained(made)
    return made


def test_a_model_says_where_the_names_are(folder: Path) -> None:
    find = open_second_look(str(folder))
    text = "please ask quillan about the lamp"
    [spans, none] = find([text, "the lamp is dark"])
    assert [text[start:end] for start, end in spans] == ["quillan"]
    assert none == []


@pytest.mark.parametrize("kind", ["missing", "empty", "other"])
def test_a_folder_without_such_a_model_is_told_in_words(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    if kind != "missing":
        folder.mkdir()
    if kind == "other":
        (folder / "config.json").write_text('{"model_type": "no-such-model"}')
    with pytest.raises(TicketsError, match=r"holds no model|cannot read for names"):
        open_second_look(str(folder))


def test_what_the_model_suspects_is_listed_beside_the_rules_and_nothing_is_masked_by_it(
    folder: Path, tmp_path: Path
) -> None:
    from engine.tickets.dataset.dataset import DataSet
    from engine.tickets.options import PrepareOptions
    from engine.tickets.preparing.pipeline import prepare

    tickets = [
        zendesk(1, comment(7, "The lamp is dark. Mail jo@lamps.example"), comment(9, "Please ask Quillan about it.")),
        zendesk(2, comment(7, "The bulb is dark again"), comment(9, "Wrenna told me about the bulb, and Geoff Moon.")),
    ]
    export = write(tmp_path / "t.jsonl", lines(*tickets))
    options = PrepareOptions(second_look=str(folder), allow=("wrenna",), heldout=0, workers=0)
    prepare([export], tmp_path / "out", options, open_finder=open_second_look)
    data = DataSet(tmp_path / "out")
    assert {term.term for term in data.masked_terms(0, 9, "SUSPECT")[0]} == {"Quillan", "Geoff Moon"}
    assert [term.term for term in data.masked_terms(0, 9)[0]] == ["jo@lamps.example"]
    assert "Quillan" in str([row.messages for row in data.conversations("train")])
    assert data.report.redactions == {"EMAIL": 1}


def test_without_anything_that_opens_models_a_second_look_is_refused(tmp_path: Path) -> None:
    from engine.tickets.options import PrepareOptions
    from engine.tickets.preparing.pipeline import prepare

    export = write(tmp_path / "t.jsonl", lines(zendesk(1, comment(7, "Dark."), comment(9, "Turn it on again."))))
    with pytest.raises(TicketsError, match="nothing here that opens a model"):
        prepare([export], tmp_path / "out", PrepareOptions(second_look="names", heldout=0))
    assert not (tmp_path / "out").exists()
