"""Conversations -> token ids and labels: what a run learns, counted and put in words.

One rule holds for every chat template: **the tokens before a learnt answer are those of the prompt that asks for it**,
and the token that ends it is learnt too. How that comes about, and what a limit leaves of a long conversation, is
:mod:`engine.training.data.encoding`'s matter; here are the labels, the counts and the sentences. The trainer is not
known.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine.errors import ModelError, StudioError, TicketsError
from engine.model.chat_format import ChatFormat
from engine.reasoning import without_reasoning
from engine.recipe import Recipe
from engine.tickets.conversation import Message
from engine.tickets.dataset.stored import StoredConversation
from engine.training.data.encoding import Encoded, Said
from engine.training.data.looked_up import write_down
from engine.turns import instruction_for

IGNORED = -100
"""The label of a token that is not learnt (torch.nn.CrossEntropyLoss's default ignore_index)."""

MOST_CUT = 0.05
"""A larger share of conversations with an answer that is cut is worth a warning."""


@dataclass(frozen=True, slots=True)
class Example:
    """One text as training sees it: a conversation, or one answer of it with what was said before."""

    ticket: str
    input_ids: tuple[int, ...]
    """Token ids, at most max_length."""
    labels: tuple[int, ...]
    """As long as input_ids: the token's id where it is learnt, :data:`IGNORED` elsewhere."""
    cut: int
    """Tokens that are left off to keep within max_length."""
    cut_learnt: int
    """How many of those would have been learnt."""
    ends: int
    """How many of the learnt tokens end a turn."""
    broken: bool = False
    """Whether its last answer loses its end."""

    @property
    def learnt(self) -> int:
        """Tokens that are learnt."""
        return sum(label != IGNORED for label in self.labels)


@dataclass(frozen=True, slots=True)
class Lesson:
    """All that is learnt of one conversation."""

    ticket: str
    examples: tuple[Example, ...] = ()
    """Those of which something is learnt."""
    lengths: tuple[int, ...] = ()
    """Tokens of each text before anything is left off."""
    altered: int = 0
    """Answers that the template alters beyond recognition; they are not learnt."""
    reasoning: int = 0
    """Answers whose reasoning is left out."""
    context_only: int = 0
    """Answers that are marked as not to be learnt; they stay as context."""
    refused: str = ""
    """Why the template refuses the conversation; empty where it does not."""

    @property
    def why_nothing(self) -> str:
        """Why nothing is learnt of it: 'refused', 'altered', 'too long', 'no answer'; empty where something is."""
        if self.examples:
            return ""
        return "refused" if self.refused else "altered" if self.altered else "too long" if self.lengths else "no answer"


@dataclass(frozen=True, slots=True)
class ExampleSet:
    """All examples of one split, with what a person should know of them."""

    examples: tuple[Example, ...]
    lessons: int = 0
    """Conversations that something is learnt of."""
    nothing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Why nothing is learnt, as in :attr:`Lesson.why_nothing` -> tickets that are left out for it."""
    altered: int = 0
    reasoning: int = 0
    context_only: int = 0
    """As in :class:`Lesson`, over all conversations."""

    @property
    def tokens(self) -> int:
        """Tokens of one pass."""
        return sum(len(example.input_ids) for example in self.examples)

    @property
    def learnt(self) -> int:
        """Learnt tokens of one pass."""
        return sum(example.learnt for example in self.examples)

    @property
    def cut(self) -> int:
        """Texts with an answer that is cut, or left off as a whole, by max_length."""
        return sum(example.cut_learnt > 0 for example in self.examples)

    def warnings(self) -> Iterator[str]:
        """Say in words what a person should know before hours of training."""
        for why, tickets in self.nothing.items():
            yield f"{_conversations(len(tickets))} left out: {LEFT_OUT[why]}."
        if self.altered:
            yield f"{_answers(self.altered)} not learnt: the chat template alters what they say."
        if self.reasoning:
            yield f"Reasoning was left out of {self.reasoning:,} {'answer' if self.reasoning == 1 else 'answers'}."
        if self.context_only:
            yield f"{_answers(self.context_only)} read and not learnt, as they are marked (weight 0)."
        endless = sum(not example.ends for example in self.examples)
        if self.examples and endless == len(self.examples):
            yield "In no conversation is the end of an answer learnt: the model will not know when to stop."
        if self.examples and self.cut > MOST_CUT * len(self.examples):
            yield (
                f"{self.cut} of {len(self.examples)} conversations lose an answer or a part of one "
                "at the longest conversation allowed (max length)."
            )
        if len(self.examples) > self.lessons:
            yield (
                f"{self.lessons:,} conversations are learnt as {len(self.examples):,} texts, an answer each: this "
                "model's chat template writes earlier answers in another way than it asks for them."
            )


LEFT_OUT = {
    "too long": "the question alone is longer than the longest conversation allowed (max length)",
    "altered": "the chat template alters their answers",
    "refused": "the chat template refuses them",
    "no answer": "they hold no answer that is to be learnt",
}
"""Why nothing is learnt of a conversation, in words."""


def _conversations(count: int) -> str:
    return f"{count:,} {'conversation is' if count == 1 else 'conversations are'}"


def _answers(count: int) -> str:
    return f"{count:,} {'answer is' if count == 1 else 'answers are'}"


def build_examples(
    conversations: Sequence[StoredConversation], chat: ChatFormat, recipe: Recipe, *, may_be_empty: bool = False
) -> ExampleSet:
    """Turn conversations into examples.

    Args:
        conversations: Those of a data set.
        chat: The base model's chat format.
        recipe: Its max_length, keeps and system_prompt count.
        may_be_empty: Whether it is fine that nothing is left, as of what is held out.

    Raises:
        TicketsError: Not one conversation is left; says what would help.
    """
    examples: list[Example] = []
    nothing: dict[str, list[str]] = {}
    lessons: list[Lesson] = []
    for conversation in conversations:
        lesson = lesson_of(conversation, chat, recipe)
        lessons.append(lesson)
        examples += lesson.examples
        if why := lesson.why_nothing:
            nothing.setdefault(why, []).append(lesson.ticket)
    if conversations and not examples and not may_be_empty:
        raise _nothing_to_learn(lessons, recipe)
    return ExampleSet(
        tuple(examples),
        lessons=sum(bool(lesson.examples) for lesson in lessons),
        nothing={why: tuple(tickets) for why, tickets in nothing.items()},
        altered=sum(lesson.altered for lesson in lessons if lesson.examples),
        reasoning=sum(lesson.reasoning for lesson in lessons),
        context_only=sum(lesson.context_only for lesson in lessons),
    )


def _nothing_to_learn(lessons: Sequence[Lesson], recipe: Recipe) -> StudioError:
    """Say why nothing would be learnt, and what helps against the most frequent reason."""
    reasons = [lesson.why_nothing for lesson in lessons]
    most = max(LEFT_OUT, key=reasons.count)
    if most == "too long":
        return TicketsError(
            "Nothing would be learnt: in no conversation is a part of an answer left.",
            f"Raise the longest conversation allowed (max length is {recipe.max_length}).",
        )
    if most == "no answer":
        return TicketsError(
            "Nothing would be learnt: no conversation holds an answer that is to be learnt.",
            "Look at the marks in the file (weight, train, loss), and at answers that are reasoning alone.",
        )
    refused = next((lesson.refused for lesson in lessons if lesson.refused), "")
    if most == "refused":
        return TicketsError(f"Nothing would be learnt. {refused}", "Pick another base model.")
    return TicketsError(
        "Nothing would be learnt: the model's chat template alters every answer.", "Pick another base model."
    )


def lesson_of(conversation: StoredConversation, chat: ChatFormat, recipe: Recipe) -> Lesson:
    """Return what training sees of one conversation."""
    said, reasoning, context_only = turns_of(conversation.messages, recipe.system_prompt)
    lesson = Lesson(conversation.ticket, reasoning=reasoning, context_only=context_only)
    try:
        texts, altered = write_down(said, conversation.looked_up, chat, recipe)
    except ModelError as error:
        return replace(lesson, refused=error.message)
    made = (_example(lesson.ticket, text, recipe.max_length) for text in texts)
    return replace(
        lesson,
        examples=tuple(example for example in made if example.learnt),
        lengths=tuple(text.length for text in texts),
        altered=altered,
    )


def turns_of(messages: Sequence[Message], system_prompt: str) -> tuple[list[Said], int, int]:
    """Read the turns, with the recipe's standing instruction first unless the conversation has one of its own.

    Returns:
        The turns, how many answers lose their reasoning, and how many are marked as not to be learnt.
    """
    said: list[Said] = []
    reasoning = context_only = 0
    if instruction := instruction_for([message.turn for message in messages[:1]], system_prompt):
        said.append(Said(-1, "system", instruction, learnt=False))
    for number, message in enumerate(messages):
        role, content = message.role, message.content
        if role == "assistant" and (plain := without_reasoning(content)) != content:
            content, reasoning = plain, reasoning + 1
        marked = role == "assistant" and not message.learnt
        context_only += marked
        if content.strip() or role != "assistant":
            said.append(Said(number, role, content, learnt=role == "assistant" and not marked))
    return said, reasoning, context_only


def _example(ticket: str, text: Encoded, max_length: int) -> Example:
    parts = text.parts
    labels = [token if part in ("learnt", "end") else IGNORED for token, part in zip(text.ids, parts, strict=True)]
    shortened = labels[:max_length]
    return Example(
        ticket,
        tuple(text.ids[:max_length]),
        tuple(shortened),
        cut=text.length - min(len(labels), max_length),
        cut_learnt=text.learnt - sum(label != IGNORED for label in shortened),
        ends=parts[:max_length].count("end"),
        broken=any(label != IGNORED for label in labels[max_length:]),
    )
