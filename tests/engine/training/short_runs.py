"""Runs of a few steps on a tiny model: their recipe, their data, and what tests read from their events."""

from engine.recipe import Recipe
from engine.training.runs.events import Stepped
from engine.training.trainer import TrainingData, run_training
from tests.tiny import conversations, stored

DATA = TrainingData(conversations(24)[:20], conversations(24)[20:])


def recipe(tiny_model, **changes):
    values = {
        "max_steps": 8,
        "epochs": 10.0,
        "batch_size": 2,
        "accumulation": 2,
        "learning_rate": 5e-3,
        "max_length": 64,
    }
    return Recipe(**{"model": str(tiny_model), "eval_steps": 4, **values, **changes})


def train(made, base, folder, data=DATA, **options):
    """Run a training and return its outcome and events."""
    folder.mkdir(exist_ok=True)
    events = []
    return run_training(made, data, base, folder, events.append, **options), events


def losses(events):
    return [event.loss for event in events if isinstance(event, Stepped)]


def stop_after(calls):
    """Return a should_stop that says yes at its n-th call."""
    seen = iter(range(1, 10_000))
    return lambda: next(seen) >= calls


STUBBORN = [
    stored(f"s{number}", [{"role": "user", "content": question}, {"role": "assistant", "content": said}])
    for number, (question, said) in enumerate([("a b c", "x y z x y z"), ("d e f", "z y x z y x")])
]
