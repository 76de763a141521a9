"""The loss on held-out tickets, or on other rows: a mean over the tokens that count, those that agents wrote.

transformers' own is a mean of batch means, in which a short answer weighs as much as a long one.
"""

from collections.abc import Callable
from typing import Any, Protocol

import torch

from engine.training.data.examples import IGNORED
from engine.training.distributed import process_group


class EvaluatingTrainer(Protocol):
    """What a check needs of a trainer."""

    model: Any

    def get_eval_dataloader(self, eval_dataset: Any = None) -> Any:
        """As in transformers."""

    def prediction_step(self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool) -> Any:
        """As in transformers."""

    def should_stop(self) -> bool:
        """Whether the run is to end; may block, which is a pause."""


def heldout_loss(trainer: EvaluatingTrainer) -> float | None:
    """Compute the loss on the held-out tickets; None where the run is to end before all of them are read."""
    return _mean(trainer, None, trainer.should_stop)


def mean_loss(trainer: EvaluatingTrainer, rows: Any) -> float:
    """Compute the loss on a few other rows, in one go.

    Args:
        trainer: Its model is in eval mode afterwards.
        rows: A data set of token ids and labels.

    Returns:
        Nats a token.
    """
    return _mean(trainer, rows, lambda: False) or 0.0


def _mean(trainer: EvaluatingTrainer, rows: Any, should_stop: Callable[[], bool]) -> float | None:
    """Compute the loss on this rank's share of some rows, the held-out tickets where None; the mean over all ranks."""
    trainer.model.eval()
    nats, count = 0.0, 0
    # the loader draws a seed: that would change what is forgotten at random (dropout) in the next step, and a run that
    # is stopped before a check would go on with other losses than one that is not
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        for batch in trainer.get_eval_dataloader(rows):
            if should_stop():
                return None
            learnt = int((batch["labels"][:, 1:] != IGNORED).sum())
            loss = trainer.prediction_step(trainer.model, batch, prediction_loss_only=True)[0]
            nats += float(loss) * learnt if learnt else 0.0
            count += learnt
    nats, everywhere = process_group.all_reduce([nats, count])
    return nats / max(1, everywhere)
