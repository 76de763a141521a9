from pathlib import Path

import pytest

from engine.errors import TicketsError
from engine.recipe import Recipe
from engine.tickets.library import DataSets
from engine.training.data.token_view import Tokens
from engine.workspace import Workspace
from tests.tiny import conversations


@pytest.fixture
def library(tmp_path: Path) -> DataSets:
    return DataSets(Workspace(tmp_path / "workspace"))


@pytest.fixture
def made(library: DataSets, tmp_path: Path) -> str:

    export = tmp_path / "chat.jsonl"
    export.write_bytes(b"".join(row.line() for row in conversations(24)))
    return library.prepare([export], "Chat").wait(60)


def test_the_view_of_a_conversation_is_there_as_soon_as_the_count_is(library, made, tiny_model, tmp_path):
    tokens, recipe = Tokens(library, tmp_path), Recipe(model=str(tiny_model))
    assert not tokens.ready(recipe.model)
    counts = tokens.count(made, recipe).wait(120)
    assert tokens.ready(recipe.model)
    train = library.get(made).conversations("train")
    assert len(counts.lengths) == counts.used == len(train)
    views = [tokens.view(made, row.ticket, recipe) for row in train]
    assert sum(view.count("learnt") for view in views) == counts.learnt
    assert sum(view.count("end") for view in views) == counts.end
    assert sum(view.count("context") for view in views) == counts.context


def test_a_rewritten_answer_is_what_is_learnt(library, made, tiny_model, tmp_path):
    tokens, recipe = Tokens(library, tmp_path), Recipe(model=str(tiny_model))
    row = library.get(made).conversations("train")[0]
    library.edit(made, library.edits(made).rewrite(row, 1, "yes you can please"))
    learnt = [piece.text for piece in tokens.view(made, row.ticket, recipe).pieces if piece.part == "learnt"]
    assert learnt == ["yes you can please"]


def test_a_ticket_that_is_not_there_is_named(library, made, tiny_model, tmp_path):
    with pytest.raises(TicketsError, match="Ticket 999"):
        Tokens(library, tmp_path).view(made, "999", Recipe(model=str(tiny_model)))
