"""Every failure that a person can meet, as one sentence and one remedy.

    StudioError
    |-- Cancelled         what a person called off; no failure
    |-- TicketsError      the export: broken, empty, unknown, without answers
    |-- RecipeError       a hyperparameter out of its range; names the field
    |-- ModelError        the base model or an adapter: missing, gated, unsafe, unfit
    |-- ResourceError     the machine: memory, disk, port
    |   `-- LostGpuError  its GPU no longer answers this process
    `-- RunError          a training run: damaged, in a state that forbids the step
        `-- DivergedError its loss is no longer a number; proposes a lower learning rate

Third-party exceptions are translated once, at the boundary where they arise (``raise ... from error``). The window
shows ``str(error)``, the command line prints it to stderr and exits 1; the traceback goes to the log alone.
"""


class StudioError(Exception):
    """A known failure in words.

    Args:
        message: What happened and why, one sentence that ends with a full stop. Names the value at fault.
        remedy: What to do next, one sentence; empty only where there is nothing to do.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class Cancelled(StudioError):
    """A person has called off a long action; whoever tidies up after it lets it pass."""

    def __init__(self) -> None:
        super().__init__("It was cancelled.")


class TicketsError(StudioError):
    """The export cannot be read, or holds nothing to learn from."""


class RecipeError(StudioError):
    """A hyperparameter is out of its range.

    Args:
        field: The name of the field in :class:`engine.recipe.Recipe`, so that the window can mark it.
        message: As in :class:`StudioError`.
        remedy: As in :class:`StudioError`.
    """

    def __init__(self, field: str, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.field = field


class ModelError(StudioError):
    """A base model or an adapter is missing, gated, unsafe to load, or does not fit."""


class ResourceError(StudioError):
    """The machine has run out of something: memory, disk, a port."""


class LostGpuError(ResourceError):
    """The GPU failed in a way that leaves it of no use to this process; a new process may use it again."""


class RunError(StudioError):
    """A training run is damaged, or is in a state that forbids what was asked."""


class DivergedError(RunError):
    """The loss of a run is NaN or infinite.

    Args:
        message: As in :class:`StudioError`.
        remedy: As in :class:`StudioError`.
        lower_rate: The learning rate to try instead.
    """

    def __init__(self, message: str, remedy: str, lower_rate: float) -> None:
        super().__init__(message, remedy)
        self.lower_rate = lower_rate
