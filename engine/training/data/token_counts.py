"""What a run would learn of a whole data set, in tokens; counted on the very examples of training."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

from engine.model.chat_format import ChatFormat
from engine.recipe import Recipe
from engine.tickets.dataset.stored import StoredConversation
from engine.training.data.examples import MOST_CUT, lesson_of

CUT_SHOWN = 50
"""Tickets that are named of those that are cut."""


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """What a run would learn of a data set, in tokens."""

    max_length: int
    """The recipe's longest conversation, in tokens."""
    used: int
    """Conversations that are learnt from."""
    lengths: tuple[int, ...]
    """Tokens of each text before anything is left off, those included that are left out for nothing learnt. A text is a
    conversation, or with some models an answer with what was said before."""
    context: int
    """Tokens that are read and not learnt, over all texts that are learnt from."""
    learnt: int
    """Tokens of answers."""
    end: int
    """Tokens that end an answer; learnt too."""
    cut: int
    """Tokens that are left off to keep within max_length."""
    answers_cut: int
    """Texts that lose an answer or a part of one."""
    nothing_learnt: int = 0
    """Conversations left out because no learnt token is left."""
    endless: int = 0
    """Texts whose last answer loses its end, because it is cut off."""
    not_found: int = 0
    """Conversations left out because the template alters their answers."""
    refused: int = 0
    """Conversations left out because the template refuses them."""
    unanswered: int = 0
    """Conversations left out because they hold no answer that is to be learnt."""
    reasoning: int = 0
    """Answers whose reasoning is left out."""
    context_only: int = 0
    """Answers that are read and not learnt, as they are marked."""
    cut_tickets: tuple[tuple[str, int], ...] = ()
    """(ticket, tokens) of conversations that lose turns or a part of an answer, the longest first, at most
    :data:`CUT_SHOWN`."""
    general: int = 0
    """General examples that are mixed in; they are in none of the other figures."""
    general_learnt: int = 0
    """Tokens that are learnt of them, those that end an answer among them."""
    read_again: int = 0
    """Tokens of texts beyond the first of a conversation: what a template costs that wants one text an answer."""

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
    conversations: Sequence[StoredConversation],
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
    cut: dict[str, int] = {}
    for index, conversation in enumerate(conversations):
        if index % 50 == 0:
            report("Counting tokens", index / len(conversations))
        lesson = lesson_of(conversation, chat, recipe)
        lengths += lesson.lengths
        if max(lesson.lengths, default=0) > recipe.max_length:
            cut[lesson.ticket] = max(lesson.lengths)
        counts["used"] += bool(lesson.examples)
        counts[_FIELDS.get(lesson.why_nothing, "")] += 1
        counts["reasoning"] += lesson.reasoning
        counts["context_only"] += lesson.context_only
        sizes = [len(example.input_ids) for example in lesson.examples]
        counts["read_again"] += sum(sizes) - max(sizes, default=0)
        for example in lesson.examples:
            learnt = example.learnt
            counts["context"] += len(example.input_ids) - learnt
            counts["learnt"] += learnt - example.ends
            counts["end"] += example.ends
            counts["cut"] += example.cut
            counts["answers_cut"] += example.cut_learnt > 0
            counts["endless"] += example.broken
    names = [field.name for field in fields(TokenCounts) if field.name not in ("max_length", "lengths", "cut_tickets")]
    return TokenCounts(
        recipe.max_length,
        lengths=tuple(lengths),
        cut_tickets=tuple(sorted(cut.items(), key=lambda pair: (-pair[1], pair[0]))[:CUT_SHOWN]),
        **{name: counts[name] for name in names},
    )


_FIELDS = {
    "too long": "nothing_learnt",
    "altered": "not_found",
    "refused": "refused",
    "no answer": "unanswered",
}
"""Why nothing is learnt of a conversation (:attr:`Lesson.why_nothing`) -> the field that counts it."""
