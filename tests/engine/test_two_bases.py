"""A person who goes from one base model to another, in one program: trains, asks, and comes back."""

import gc
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.base_holder import ANSWER_UNDER_WAY
from engine.chat.records import Sampling
from engine.errors import RunError, StudioError
from engine.recipe import Recipe
from engine.studio import Studio
from engine.training.runs.directory import RunDirectory
from engine.workspace import Workspace
from tests.engine.training.runs.test_queue_process import until
from tests.tiny import write_data

pytestmark = pytest.mark.usefixtures("tiny_base")
DEADLINE = 120.0
SHORT = Sampling(temperature=0.0, max_new_tokens=4)


@pytest.fixture
def studio(tmp_path):
    made = Studio(Workspace(tmp_path / "workspace"))
    yield made
    made.close()


@pytest.fixture
def start(studio, tmp_path):
    """Start a short run; return its folder."""
    data = write_data(tmp_path / "data")

    def starting(model, name, **changes):
        values = {"max_steps": 2, "batch_size": 2, "accumulation": 1, "max_length": 64, "eval_steps": 2}
        recipe = Recipe(model=str(model), epochs=50.0, **{**values, **changes})
        run = studio.runs.get(RunDirectory.create(studio.workspace, recipe, data, name).id)
        studio.runs.queue.add(run)
        return run

    return starting


@pytest.fixture
def train(studio, start):
    """Train a short run to its end; return its folder."""

    def training(model, name, **changes):
        run = start(model, name, **changes)
        assert studio.runs.queue.wait(run.id, DEADLINE)
        return run

    return training


@pytest.fixture
def voice(train, tiny_model):
    """An adapter of the first model."""
    return f"run:{train(tiny_model, 'first').id}"


@pytest.fixture
def held_run(studio, start, voice, other_tiny_model):
    """A run of the other model, after that of ``voice``; it is paused, and keeps its base for as long as it is."""
    run = start(other_tiny_model, "Long run", max_steps=500, eval_steps=500)
    until(lambda: run.history.read().steps, "the first step")
    studio.runs.pause(run.id)
    until(lambda: studio.runs.queue.current().state == "paused", "the pause")
    return run


def asking(studio, *voices, session=""):
    """Put one question to each voice."""
    return studio.playground.ask(
        voices, [[{"role": "user", "content": "where is my parcel"}]] * len(voices), SHORT, session
    )


def answers(studio, *voices):
    """What each voice says to one question."""
    *_, last = asking(studio, *voices)
    assert all(seen.done for seen in last.answers)
    return [seen.text for seen in last.answers]


def begun(studio, voice, session=""):
    """An answer that has begun to stream, and goes on when it is looked at."""
    frames = asking(studio, voice, session=session)
    assert any(frame.stage == "Writing" for frame in frames)
    return frames


def waits(studio, run):
    """Wait until a run stands in line for its base."""
    until(lambda: (seen := studio.runs.queue.current()) and seen.stage == ANSWER_UNDER_WAY, "it waits")
    assert run.status.state == "preparing"


def test_runs_on_other_bases_and_other_4_bit_types_follow_one_another(train, tiny_model, other_tiny_model):
    runs = [
        train(tiny_model, "first"),
        train(other_tiny_model, "other"),
        train(tiny_model, "fp4", quant_type="fp4"),
        train(tiny_model, "again"),
    ]
    assert [(run.status.state, run.status.message) for run in runs] == [("finished", "")] * 4
    losses = [[seen.loss for seen in run.history.read().steps] for run in runs]
    assert losses[0] == losses[3]
    assert losses[0] != losses[1]
    assert losses[0] != losses[2]


def test_one_model_answers_another_trains_and_each_adapter_is_heard_over_its_own_base(
    studio, train, tiny_model, other_tiny_model
):
    first = f"run:{train(tiny_model, 'first').id}"
    heard = answers(studio, "base", first)
    other = f"run:{train(other_tiny_model, 'other').id}"
    others = answers(studio, "base", other)
    assert heard != others
    assert answers(studio, "base", first) == heard
    assert answers(studio, "base", other) == others
    with pytest.raises(StudioError, match="different base models"):
        answers(studio, first, other)


def test_a_run_lets_an_answer_of_another_model_come_to_its_end(studio, start, voice, other_tiny_model):
    complete = answers(studio, voice)
    frames = begun(studio, voice)
    run = start(other_tiny_model, "other")
    waits(studio, run)
    *_, last = frames
    assert [seen.text for seen in last.answers] == complete
    assert studio.runs.queue.wait(run.id, DEADLINE)
    assert run.status.state == "finished"


@pytest.mark.parametrize("abandon", [lambda frames: frames.close(), lambda frames: None], ids=["closed", "forgotten"])
def test_an_answer_whose_page_was_closed_gives_its_base_back(abandon, studio, train, voice, other_tiny_model):
    frames = begun(studio, voice)
    abandon(frames)
    del frames
    assert train(other_tiny_model, "other").status.state == "finished"
    studio.playground.stop()
    assert answers(studio, voice)[0], "what was asked before is not stopped again"
    assert not [each for each in gc.get_objects() if type(each).__name__ == "_Asked"], "nothing of an answer stays"


def test_a_run_that_waits_for_an_answer_is_stopped_at_once(studio, start, voice, other_tiny_model):
    frames = begun(studio, voice)
    run = start(other_tiny_model, "other")
    waits(studio, run)
    studio.runs.stop(run.id)
    assert studio.runs.queue.wait(run.id, DEADLINE)
    assert run.status.state == "cancelled"
    assert not run.history.read().steps
    *_, last = frames
    assert last.answers[0].stopped_by in {"end", "length"}


def test_an_answer_is_refused_while_a_run_of_another_model_trains(studio, voice, held_run):
    with pytest.raises(RunError, match="'Long run' is training on other, and one base model is loaded at a time"):
        answers(studio, voice)
    assert answers(studio, "base")[0], "the base alone is that of the run"
    assert studio.snapshot().model.startswith("other")
    with pytest.raises(RunError, match="is in progress"):
        studio.runs.delete(held_run.id)
    studio.runs.resume(held_run.id)
    until(lambda: studio.runs.queue.current().state == "running", "it goes on")
    studio.runs.stop(held_run.id)
    assert studio.runs.queue.wait(held_run.id, DEADLINE)
    assert answers(studio, voice)[0]


def test_answers_on_one_base_go_on_side_by_side_and_are_stopped_by_whoever_asked(studio, voice):
    alone = answers(studio, voice)[0]
    frames = begun(studio, voice, "anna")
    stopped = begun(studio, voice, "berta")
    studio.playground.stop("berta")
    *_, berta = stopped
    *_, carl = asking(studio, "base", voice, session="carl")
    *_, anna = frames
    assert [seen.stopped_by for seen in berta.answers] == ["cancelled"]
    assert berta.stage == ""
    assert carl.answers[1].text == anna.answers[0].text == alone
    assert anna.answers[0].stopped_by in {"end", "length"}


def test_the_end_of_the_program_ends_answers_and_runs_that_wait(studio, start, voice, other_tiny_model):
    frames = begun(studio, voice)
    run = start(other_tiny_model, "other")
    waits(studio, run)
    with ThreadPoolExecutor() as threads:
        closes = threads.submit(studio.close)
        assert studio.runs.queue.wait(run.id, DEADLINE)
        *_, last = frames
        closes.result(DEADLINE)
    assert last.answers[0].stopped_by == "cancelled"
    assert run.status.state == "interrupted"
    assert studio.snapshot().model == ""
    with pytest.raises(StudioError, match="The program is closing"):
        answers(studio, voice)
