"""The loss on held-out tickets: a mean over the tokens that agents wrote.

transformers' own is a mean of batch means, in which a short answer weighs as much as a long one.
"""

from typing import Any, Protocol

import torch

from engine.training.data.examples import IGNORED
from engine.training.distributed import process_group


class EvaluatingTrainer(Protocol):
    """What a check needs of a trainer."""

    model: Any

    def get_eval_dataloader(self) -> Any:
        """As in transformers."""

    def prediction_step(self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool) -> Any:
        """As in transformers."""

    def should_stop(self) -> bool:
        """Whether the run is to end; may block, which is a pause."""


def heldout_loss(trainer: EvaluatingTrainer) -> float | None:
    """Compute the loss on this rank's held-out rows, and the mean over all ranks.

    Args:
        trainer: Its model is in eval mode afterwards.

    Returns:
        Nats a token; None where the run is to end before all rows are read.
    """
    trainer.model.eval()
    nats, count = 0.0, 0
    # the loader draws a seed: that would change what is forgotten at random (dropout) in the next step, and a run that
    # is stopped before a check would go on with other losses than one that is not
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        for batch in trainer.get_eval_dataloader():
            if trainer.should_stop():
                return None
            learnt = int((batch["labels"][:, 1:] != IGNORED).sum())
            loss = trainer.prediction_step(trainer.model, batch, prediction_loss_only=True)[0]
            nats += float(loss) * learnt if learnt else 0.0
            count += learnt
    nats, everywhere = process_group.all_reduce([nats, count])
    return nats / max(1, everywhere)
