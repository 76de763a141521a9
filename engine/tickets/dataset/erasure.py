"""What deleting a customer takes away: a plain record, which the window shows too."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Erasure:
    """What deleting a customer takes away, or has taken away."""

    conversations: int
    """In the data set from which it is done."""
    data_sets: tuple[str, ...]
    """Names of the data sets that hold the person."""
    runs: tuple[str, ...]
    """Names of the runs whose copies do."""
    learnt: tuple[str, ...]
    """Names of the adapters that have learnt from the person: what stands in their weights stays."""
    elsewhere: int
    """Further folders: in the trash, and tickets that travel with adapters."""
