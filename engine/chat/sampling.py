"""From scores to tokens: temperature and top-p, reproducible and apart from torch's global random state."""

import torch

from engine.chat.records import Sampling
from engine.errors import ModelError

_NONE = -1
"""Stands for a token where the scores are no numbers."""


class Sampler:
    """Draws the next token of every row.

    Each row has a generator of its own with the same seed: an answer does not depend on who answers beside it, and
    voices that agree draw alike, so that what differs is the model. The generators live on the CPU, so that a GPU draws
    alike.

    Args:
        sampling: The settings.
        rows: How many rows are drawn for.
    """

    def __init__(self, sampling: Sampling, rows: int) -> None:
        self._sampling = sampling
        self._generators = [torch.Generator("cpu") for _ in range(rows)]
        for generator in self._generators:
            if sampling.seed is None:
                generator.seed()
            else:
                generator.manual_seed(sampling.seed)

    def pick(self, scores: torch.Tensor) -> list[int]:
        """Choose a token for every row.

        Args:
            scores: Shape (rows, vocabulary), the logits of the next token.

        Returns:
            Token ids, one a row.

        Raises:
            ModelError: The scores are no numbers.
        """
        if self._sampling.temperature == 0:
            drawn = scores.argmax(-1)
        else:
            chances = [torch.rand(1, generator=generator, dtype=torch.float64) for generator in self._generators]
            drawn = _draw(scores, torch.stack(chances), self._sampling)
        # the processor waits for a GPU once: for the tokens, and for whether they are any
        tokens: list[int] = torch.where(scores.amax(-1).isnan(), _NONE, drawn).tolist()
        if _NONE in tokens:
            raise ModelError(
                "The model's arithmetic overflowed, so it has no answer.",
                "Set the compute type to bfloat16 or float32 in the recipe.",
            )
        return tokens


def _draw(scores: torch.Tensor, drawn: torch.Tensor, sampling: Sampling) -> torch.Tensor:
    """Inverse-CDF sampling within the nucleus.

    Args:
        scores: Shape (rows, vocabulary).
        drawn: Shape (rows, 1), uniform in [0, 1).
        sampling: With a temperature above 0.

    Returns:
        Shape (rows,), token ids.
    """
    likely, order = (scores.float() / sampling.temperature).softmax(-1).sort(dim=-1, descending=True, stable=True)
    reached = likely.cumsum(-1, dtype=torch.float64)
    before = reached - likely
    nucleus = (before < sampling.top_p).sum(-1, keepdim=True).clamp(min=1)
    mass = reached.gather(-1, nucleus - 1)
    place = torch.searchsorted(reached, drawn.to(scores.device) * mass, right=True)
    return order.gather(-1, torch.minimum(place, nucleus - 1)).squeeze(-1)
