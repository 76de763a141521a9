"""What a run would learn of a whole data set, in tokens; counted on the very examples of training."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.model.tokenizing import ChatFormat
from engine.training.examples import MOST_CUT, example_of
from engine.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """What a run would learn of a data set, in tokens."""

    max_length: int
    """The recipe's longest conversation, in tokens."""
    lengths: tuple[int, ...]
    """Tokens of each conversation before any cut, those included that are left out for nothing learnt."""
    context: int
    """Tokens that are read and not learnt, over all conversations that are learnt from."""
    learnt: int
    """Tokens of answers."""
    end: int
    """Tokens that end an answer; learnt too."""
    cut: int
    """Tokens beyond max_length."""
    answers_cut: int
    """Conversations that lose a part of an answer."""
    nothing_learnt: int
    """Conversations left out because no learnt token is left."""
    endless: int
    """Conversations in which no end of an answer is learnt, because it is cut off."""
    not_found: int
    """Conversations left out because the template alters their answers."""

    @property
    def used(self) -> int:
        """Conversations that are learnt from."""
        return len(self.lengths) - self.nothing_learnt

    @property
    def many_cut(self) -> bool:
        """Whether so many answers are cut that it is worth a warning."""
        return self.answers_cut > MOST_CUT * self.used

    def fitting(self, share: float = 1.0) -> int:
        """Return a max length that leaves this share of the conversations whole, rounded up to a multiple of 64."""
        ordered = sorted(self.lengths)
        longest = ordered[max(0, math.ceil(len(ordered) * share) - 1)] if ordered else 0
        return max(64, -(-longest // 64) * 64)


def count_tokens(
    conversations: Sequence[Mapping[str, Any]],
    chat: ChatFormat,
    recipe: Recipe,
    report: Callable[[str, float | None], None] = lambda *_: None,
) -> TokenCounts:
    """Count what :func:`build_examples` would make, holding one example at a time.

    Args:
        conversations: As for build_examples.
        chat: As for build_examples.
        recipe: As for build_examples.
        report: Told now and then what is done and how far it is; what it raises ends the count.
    """
    counts: Counter[str] = Counter()
    lengths: list[int] = []
    for index, conversation in enumerate(conversations):
        if index % 50 == 0:
            report("Counting tokens", index / len(conversations))
        example = example_of(conversation, chat, recipe)
        if example is None:
            counts["not_found"] += 1
            continue
        lengths.append(len(example.input_ids) + example.cut)
        learnt = example.learnt
        if not learnt:
            counts["nothing_learnt"] += 1
            continue
        counts["context"] += len(example.input_ids) - learnt
        counts["learnt"] += learnt - example.ends
        counts["end"] += example.ends
        counts["cut"] += example.cut
        counts["answers_cut"] += example.cut_learnt > 0
        counts["endless"] += not example.ends
    names = ("context", "learnt", "end", "cut", "answers_cut", "nothing_learnt", "endless", "not_found")
    return TokenCounts(recipe.max_length, tuple(lengths), **{name: counts[name] for name in names})
