"""Conversations of a micro-batch laid end to end in one row, without padding between them.

It knows token ids and where conversations begin; which attention keeps them apart is the model's matter.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from engine.model.attention import boundaries
from engine.training.data.examples import IGNORED


def real_tokens(batch: Mapping[str, Any]) -> int:
    """Return how many tokens of a batch are no filling, whoever collated it."""
    mask = batch.get("attention_mask")
    return int(mask.sum()) if mask is not None else int(batch["real_tokens"])


class FlatBatches:
    """Collates examples or packed rows into one row.

    Args:
        pad_token: The id that fills a row up.
        tokens: Length of every batch, so that compiled code and the memory it uses are the same for all; 0 leaves each
            as long as it is.
        longest: Tokens of the longest conversation that can come, given to the attention with a fixed length.
    """

    def __init__(self, pad_token: int, tokens: int = 0, longest: int = 0) -> None:
        self.pad_token = pad_token
        self.tokens = tokens
        self.longest = longest

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return one batch.

        Args:
            rows: Each with 'input_ids' and 'labels', lists or arrays; packed ones with 'seq_lengths' of conversations.

        Returns:
            input_ids, labels and position_ids of shape (1, tokens), the places where conversations begin, and under
            'real_tokens' how many tokens are not filling. A conversation's first token has no label: it would be
            predicted from the end of the one before it.
        """
        ids = np.concatenate([row["input_ids"] for row in rows])
        labels = np.concatenate([row["labels"] for row in rows])
        lengths = [int(n) for row in rows for n in row.get("seq_lengths", [len(row["input_ids"])])]
        real = len(ids)
        fill = max(0, self.tokens - real)
        longest = max(self.longest, *lengths)
        while sum(lengths) < real + fill:  # filling counts as conversations, none longer than a real one may be
            lengths.append(min(longest, real + fill - sum(lengths)))
        positions = np.concatenate([np.arange(n) for n in lengths])
        labels = np.where(positions == 0, IGNORED, np.pad(labels, (0, fill), constant_values=IGNORED))
        return {
            "input_ids": torch.from_numpy(np.pad(ids, (0, fill), constant_values=self.pad_token))[None],
            "labels": torch.from_numpy(labels)[None],
            "position_ids": torch.from_numpy(positions)[None],
            "real_tokens": real,
            **boundaries(lengths, longest=longest if self.tokens else 0),
        }
