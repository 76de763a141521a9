"""Tokens: what a model would learn of a data set, counted over all of it and shown for one conversation.

Joins a data set, a model's tokenizer and :mod:`engine.training.data.examples`; owns the tokenizers that were loaded for
it, and remembers the lengths that were counted.
"""

import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import TicketsError
from engine.recipe import Recipe
from engine.task import Task
from engine.tickets.dataset.files import TRAIN
from engine.training.data.lengths import Lengths, counted

if TYPE_CHECKING:
    from engine.model.chat_format import ChatFormat
    from engine.tickets.dataset.dataset import DataSet
    from engine.tickets.library import DataSets
    from engine.training.data.learn_view import LearnView
    from engine.training.data.token_counts import TokenCounts

_Key = tuple[Path, int, str, str, tuple[int, int] | None]

REMEMBERED = 32
"""Counts whose lengths are kept."""


class Tokens:
    """The token views of all data sets.

    Args:
        tickets: The data sets.
        cache: The workspace's cache folder, where the starter model is kept.
    """

    def __init__(self, tickets: "DataSets", cache: Path) -> None:
        self._tickets = tickets
        self._cache = cache
        self._lock = threading.Lock()
        self._formats: dict[str, ChatFormat] = {}
        self._lengths: dict[_Key, Lengths] = {}

    def ready(self, model: str) -> bool:
        """Say whether a model's tokenizer is loaded, so that :meth:`view` answers at once."""
        return model in self._formats

    def count(self, dataset: str, recipe: Recipe) -> "Task[TokenCounts]":
        """Count the tokens of the part that is learnt from, with the recipe's own tokenizer and template.

        May fetch the starter model, and shows the progress of it.
        """
        data = self._tickets.get(dataset)

        def action(task: "Task[TokenCounts]") -> "TokenCounts":
            from engine.model.chat_format import load_chat_format
            from engine.training.data.looked_up import with_lookup
            from engine.training.data.token_counts import count_tokens
            from engine.training.forgetting.mixing import general_conversations, plain

            task.report("Loading the tokenizer")
            # A tokenizer of its own: one object must not be used by two threads at a time.
            chat = load_chat_format(recipe.model, self._cache, task.report)
            self._load(recipe.model)
            key = _key(data, recipe)
            rows = data.conversations("train")
            if recipe.lookup:
                rows = with_lookup(rows, data.folder, recipe.seed, task.report)
            counts = count_tokens(rows, chat, recipe, task.report)
            self._remember(key, counted(counts.lengths))
            if not recipe.general:
                return counts
            general = count_tokens(general_conversations(recipe, counts.used), chat, plain(recipe))
            return replace(counts, general=general.used, general_learnt=general.learnt + general.end)

        return Task("Counting tokens", action)

    def lengths(self, data: "DataSet", recipe: Recipe) -> Lengths | None:
        """Return the lengths of a data set's conversations if they have been counted for the recipe's model."""
        return self._lengths.get(_key(data, recipe))

    def _remember(self, key: _Key, lengths: Lengths) -> None:
        with self._lock:
            while len(self._lengths) >= REMEMBERED:
                self._lengths.pop(next(iter(self._lengths)))
            self._lengths[key] = lengths

    def view(self, dataset: str, ticket: str, recipe: Recipe) -> "LearnView":
        """Return the exact tokens of one conversation as training sees them: context, learnt, end of turn, cut off.

        Raises:
            TicketsError: The ticket is not in the data set, or the template alters its answers.
        """
        from engine.training.data.learn_view import learn_view
        from engine.training.data.looked_up import with_lookup

        data = self._tickets.get(dataset)
        conversation = data.find(ticket)
        if conversation is None:
            raise TicketsError(f"Ticket {ticket} is not in this data set.")
        if recipe.lookup:
            seed = recipe.seed if conversation.split == "train" else None
            (conversation,) = with_lookup([conversation], data.folder, seed)
        chat = self._load(recipe.model)
        with self._lock:
            return learn_view(conversation, chat, recipe)

    def _load(self, model: str) -> "ChatFormat":
        from engine.model.chat_format import load_chat_format

        with self._lock:
            if model not in self._formats:
                self._formats[model] = load_chat_format(model, self._cache)
            return self._formats[model]


def _key(data: "DataSet", recipe: Recipe) -> _Key:
    """What the lengths depend on: the conversations as they are now, the tokenizer, what stands before each."""
    file = data.folder / TRAIN
    changed = file.stat().st_mtime_ns if file.exists() else 0
    looked_up = (recipe.seed, recipe.max_length) if recipe.lookup else None
    return data.folder, changed, recipe.model, recipe.system_prompt, looked_up
