"""From scores to tokens: reproducible, row by row, and apart from torch's global random state.

What each setting does is what transformers' own processors do, in the order in which generate() applies them:
repetition penalty, temperature, top-k, top-p, min-p.
"""

from collections.abc import Iterable, Sequence

import torch

from engine.chat.records import Sampling, TokenChance

_NONE = -1
"""Stands for a token where the scores are no numbers."""


class RowSampler:
    """What the choice of a row's next token depends on beside the scores.

    Each row has a generator of its own: an answer does not depend on who answers beside it, and voices with one seed
    draw alike where they agree, so that what differs is the model. The generators live on the CPU, so that a GPU draws
    alike.

    Args:
        sampling: The settings.
        prompt: The tokens before the answer, which the repetition penalty counts as said.
    """

    def __init__(self, sampling: Sampling, prompt: Iterable[int] = ()) -> None:
        self.sampling = sampling
        self.said = set(prompt) if sampling.repetition_penalty != 1 else set()
        self._generator = torch.Generator("cpu")
        if sampling.seed is None:
            self._generator.seed()
        else:
            self._generator.manual_seed(sampling.seed)

    def chance(self) -> torch.Tensor:
        """Draw a number in [0, 1); shape (1,), float64."""
        return torch.rand(1, generator=self._generator, dtype=torch.float64)

    def note(self, token: int | None) -> None:
        """Count a token as said."""
        if token is not None and self.sampling.repetition_penalty != 1:
            self.said.add(token)


def pick(scores: torch.Tensor, rows: Sequence[RowSampler]) -> list[int | None]:
    """Choose a token for every row.

    Args:
        scores: Shape (rows, vocabulary), the logits of the next token.
        rows: One a row.

    Returns:
        Token ids, one a row; None where the scores are no numbers.
    """
    broken = scores.amax(-1).isnan()
    if any(row.said for row in rows):
        scores = _penalised(scores, rows)
    drawn = scores.argmax(-1)
    for sampling in {row.sampling for row in rows if row.sampling.temperature > 0}:
        places = [place for place, row in enumerate(rows) if row.sampling == sampling]
        chances = torch.stack([rows[place].chance() for place in places])
        drawn[places] = _draw(scores[places], chances, sampling)
    # the processor waits for a GPU once: for the tokens, and for whether they are any
    tokens = [None if token == _NONE else token for token in torch.where(broken, _NONE, drawn).tolist()]
    for row, token in zip(rows, tokens, strict=True):
        row.note(token)
    return tokens


def chances(scores: torch.Tensor, tokens: Sequence[int | None], rows: Sequence[RowSampler]) -> list[TokenChance | None]:
    """Say how likely the model thought the tokens that were chosen, for the rows that ask for it.

    Args:
        scores: As for :func:`pick`.
        tokens: What it has returned.
        rows: One a row.

    Returns:
        One a row; None for a row that does not ask, or has no token.
    """
    told: list[TokenChance | None] = [None] * len(rows)
    asked = [place for place, row in enumerate(rows) if row.sampling.logprobs is not None and tokens[place] is not None]
    if not asked:
        return told
    logs = scores[asked].float().log_softmax(-1)
    chosen = torch.tensor([tokens[place] for place in asked], dtype=torch.long, device=logs.device).unsqueeze(-1)
    most = max(rows[place].sampling.logprobs or 0 for place in asked)
    best, ids = logs.topk(min(most, logs.shape[-1]), dim=-1)
    said = logs.gather(-1, chosen).squeeze(-1)
    for place, logprob, values, names in zip(asked, said.tolist(), best.tolist(), ids.tolist(), strict=True):
        wanted = rows[place].sampling.logprobs or 0
        token = tokens[place]
        assert token is not None
        told[place] = TokenChance(token, logprob, tuple(zip(names[:wanted], values[:wanted], strict=True)))
    return told


def _penalised(scores: torch.Tensor, rows: Sequence[RowSampler]) -> torch.Tensor:
    """Make less likely what a row has said (https://arxiv.org/abs/1909.05858, section 4.1)."""
    scores = scores.clone()
    for place, row in enumerate(rows):
        if row.said:
            said = torch.tensor(sorted(row.said), dtype=torch.long, device=scores.device)
            before, penalty = scores[place, said], row.sampling.repetition_penalty
            scores[place, said] = torch.where(before < 0, before * penalty, before / penalty)
    return scores


def _draw(scores: torch.Tensor, drawn: torch.Tensor, sampling: Sampling) -> torch.Tensor:
    """Inverse-CDF sampling among the likeliest tokens.

    Args:
        scores: Shape (rows, vocabulary).
        drawn: Shape (rows, 1), uniform in [0, 1).
        sampling: With a temperature above 0.

    Returns:
        Shape (rows,), token ids.
    """
    likely, order = (scores.float() / sampling.temperature).softmax(-1).sort(dim=-1, descending=True, stable=True)
    reached = likely.cumsum(-1, dtype=torch.float64)
    count = kept(likely, reached, sampling)
    mass = reached.gather(-1, count - 1)
    place = torch.searchsorted(reached, drawn.to(scores.device) * mass, right=True)
    return order.gather(-1, torch.minimum(place, count - 1)).squeeze(-1)


def kept(likely: torch.Tensor, reached: torch.Tensor, sampling: Sampling) -> torch.Tensor:
    """Return how many of the likeliest tokens can be drawn.

    Args:
        likely: Shape (rows, vocabulary), probabilities, the likeliest first.
        reached: Their running sum, float64.
        sampling: Top-k, top-p, which looks at what top-k has left, and min-p.

    Returns:
        Shape (rows, 1), at least 1.
    """
    count = torch.full_like(reached[:, :1], likely.shape[-1], dtype=torch.int64)
    if 0 < sampling.top_k < likely.shape[-1]:
        count = (likely >= likely[:, sampling.top_k - 1, None]).sum(-1, keepdim=True)  # ties of the last one too
    mass = reached.gather(-1, count - 1)
    if sampling.top_p < 1:
        count = torch.minimum(count, (reached - likely < sampling.top_p * mass).sum(-1, keepdim=True))
    if sampling.min_p > 0:
        count = torch.minimum(count, (likely >= sampling.min_p * likely[:, :1]).sum(-1, keepdim=True))
    return count.clamp(min=1)
