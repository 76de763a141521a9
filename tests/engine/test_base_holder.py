"""Who holds the base, who waits for it and who is refused: with two tiny models, threads and events."""

import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import torch

from engine.base_holder import ANSWER_UNDER_WAY, BaseHolder
from engine.chat.adapters import bank_of
from engine.errors import ModelError, RunError, StudioError
from engine.model.streaming import moving
from engine.model.streaming.layer_stream import stream_of
from engine.recipe import Recipe
from tests.engine.training.runs.test_queue_process import until

pytestmark = pytest.mark.usefixtures("tiny_base")
DEADLINE = 120.0


@pytest.fixture
def bases(tmp_path):
    made = BaseHolder(tmp_path)
    yield made
    made.close(0.0)


@pytest.fixture
def first(tiny_model):
    return Recipe(model=str(tiny_model))


@pytest.fixture
def other(other_tiny_model):
    return Recipe(model=str(other_tiny_model))


@pytest.fixture
def aside():
    """Call something in another thread; gives its future."""
    with ThreadPoolExecutor() as threads:
        yield threads.submit


class Watch:
    """Takes what is reported; tells when something was said."""

    def __init__(self):
        self.said, self._said = [], threading.Condition()

    def __call__(self, stage, fraction):
        with self._said:
            self.said.append(stage)
            self._said.notify_all()

    def hears(self, words):
        """Wait until a stage begins with ``words``."""
        with self._said:
            return self._said.wait_for(lambda: any(stage.startswith(words) for stage in self.said), DEADLINE)


def weights(base):
    """Weak references to all that takes memory in a base."""
    return [weakref.ref(tensor) for tensor in (*base.model.parameters(), *base.model.buffers())]


def used(bases, recipe, **options):
    """Hold a base for a moment; return how it was loaded, None when stopped before."""
    with bases.use(recipe, **options) as base:
        return base and base.loaded_as


def test_a_base_is_gone_before_another_is_loaded(bases, first, other):
    with bases.use(first) as base:
        assert bank_of(base).device
        held = weights(base)
    assert held
    assert all(reference() is not None for reference in held), "it stays for whoever comes next"
    gone = []
    with bases.use(other, report=lambda *_: gone.append(all(reference() is None for reference in held))) as base:
        assert base.loaded_as == other.base_options
    assert gone[0] is False, "told before it begins"
    assert gone[-1] is True


def test_the_base_that_is_there_is_lent_again(bases, first):
    with bases.use(first) as base:
        pass
    with bases.use(first, "run") as again:
        assert again is base
    with bases.use(None) as any_base:
        assert any_base is base


def test_a_run_waits_for_the_answer_under_way_and_then_swaps(bases, first, other, aside):
    watch = Watch()
    with bases.use(first) as base:
        run = aside(used, bases, other, run="next", report=watch)
        assert watch.hears(ANSWER_UNDER_WAY)
        assert base.model is not None
        assert not run.done()
    assert run.result(DEADLINE) == other.base_options
    assert watch.said[1].startswith("Loading other")


def test_a_run_and_an_answer_share_the_base_that_both_need(bases, first):
    with bases.use(first, "one") as base, bases.use(first) as answering:
        assert answering is base
    with bases.use(first) as answering, bases.use(first, "one") as base:
        assert answering is base


def test_an_answer_on_another_base_is_refused_while_a_run_trains(bases, first, other):
    fp4 = Recipe(model=first.model, quant_type="fp4")
    with bases.use(first, "Long run"):
        with pytest.raises(RunError, match="'Long run' is training on model, and one base model") as refused:
            used(bases, other)
        assert refused.value.remedy == "Wait for it to end, or stop it."
        with pytest.raises(RunError, match=r"on model with 4-bit number format \(quant type\) nf4, and one"):
            used(bases, fp4)
        assert used(bases, None) == first.base_options
    assert used(bases, fp4) == fp4.base_options


def test_answers_do_not_hold_up_a_run_that_waits(bases, first, other, aside):
    """Those on the base that gives way are refused, those on the run's own come after it has begun."""
    watch, begun, ends = Watch(), threading.Event(), threading.Event()

    def train():
        with bases.use(other, "next", watch) as base:
            begun.set()
            ends.wait(DEADLINE)
            return base

    with bases.use(first):
        run = aside(train)
        assert watch.hears(ANSWER_UNDER_WAY)
        with pytest.raises(RunError, match="'next' is about to train on other"):
            used(bases, first)
        later = [Watch(), Watch()]
        answers = [aside(used, bases, recipe, report=each) for recipe, each in zip((other, None), later, strict=True)]
        assert all(each.hears("Waiting for 'next' to begin") for each in later)
        assert not begun.is_set()
    assert [answer.result(DEADLINE) for answer in answers] == [other.base_options] * 2
    assert not run.done()
    ends.set()
    assert run.result(DEADLINE).loaded_as == other.base_options


def test_answers_on_one_base_share_it_and_none_overtakes_who_waits_for_another(bases, first, other, aside):
    """Else whoever needs another base would wait for as long as somebody asks on this one."""
    watches = [Watch(), Watch()]
    with bases.use(first) as base, bases.use(None) as again:
        assert again is base
        swaps = aside(used, bases, other, report=watches[0])
        assert watches[0].hears(ANSWER_UNDER_WAY)
        behind = aside(used, bases, first, report=watches[1])
        assert watches[1].hears(ANSWER_UNDER_WAY)
        assert not swaps.done()
    assert swaps.result(DEADLINE) == other.base_options
    assert behind.result(DEADLINE) == first.base_options


def test_answers_on_bases_of_their_own_take_turns_in_the_order_in_which_they_came(bases, first, other, aside):
    order, watches, waiting = [], [Watch() for _ in range(3)], []

    def answer(recipe, number):
        with bases.use(recipe, report=watches[number]) as base:
            order.append((number, base.loaded_as.model))
            assert base.model is not None

    with bases.use(first):
        for number, recipe in enumerate((other, first, other)):
            waiting.append(aside(answer, recipe, number))
            assert watches[number].hears(ANSWER_UNDER_WAY)
        assert order == []
    for each in waiting:
        each.result(DEADLINE)
    assert order == [(0, other.model), (1, first.model), (2, other.model)]


def test_runs_come_one_after_the_other(bases, first, aside):
    watch = Watch()
    with bases.use(first, "one"):
        second = aside(used, bases, first, run="two", report=watch)
        assert watch.hears("Waiting for the run before it")
        assert not second.done()
    assert second.result(DEADLINE) == first.base_options


IDS = torch.arange(24)[None]


def test_a_base_that_was_streamed_for_a_run_comes_in_for_whom_a_whole_one_does(bases, first):
    with bases.use(first, "run 1", streamed=True) as base:
        assert base.is_streamed
        base.__dict__["sweep_seconds"] = 0.66
        assert bases.title == f"{base.title}, streamed: 0.7 s a token"
        bank = weakref.ref(bank_of(base))
        with torch.no_grad():
            wanted = base.copy()(IDS).logits
        with bases.use(first) as shared:
            assert shared is base
            assert base.is_streamed, "under a run it stays what it is"
    watch = Watch()
    with bases.use(first, report=watch) as whole:
        assert whole is base
        assert not whole.is_streamed
        assert bases.title == base.title
        assert stream_of(whole.copy()) is None
        assert bank() is None, "what answers had made over the streamed one is of no use"
        assert watch.said == [f"Bringing {base.title} in, for which there is room"]
        with torch.no_grad():
            assert torch.allclose(whole.copy()(IDS).logits, wanted, atol=1e-5)
    with bases.use(first, "run 2", streamed=True) as again:
        assert again.is_streamed


def test_a_run_that_needs_no_streaming_waits_for_the_answer_and_has_the_base_come_in(bases, first, aside):
    watch = Watch()

    def train():
        with bases.use(first, "run 2", watch) as base:
            return base.is_streamed

    with ExitStack() as answers:
        with bases.use(first, "run 1", streamed=True):
            answer = answers.enter_context(bases.line_up(first))
            list(bases.stages(answer))
        second = aside(train)
        assert watch.hears(ANSWER_UNDER_WAY)
        assert answer.base.is_streamed
    assert second.result(DEADLINE) is False


def test_where_there_is_no_room_a_base_goes_on_being_streamed(bases, first, monkeypatch):
    with bases.use(first, "run 1", streamed=True) as base:
        pass
    real, left = moving.weights_in, iter(range(1))

    def narrow(*args):
        if next(left, None) is None and not calm:
            calm.append(True)
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        return real(*args)

    calm: list[bool] = []
    monkeypatch.setattr(moving, "weights_in", narrow)
    with bases.use(first) as answering:
        assert answering is base
        assert calm and answering.is_streamed, "all or nothing"
        with torch.no_grad():
            assert answering.copy()(IDS).logits.isfinite().all()
    monkeypatch.setattr(type(base), "can_come_in", False)
    with bases.use(first) as answering:
        assert answering.is_streamed


def test_whoever_waits_can_be_stopped_at_once(bases, first, other, aside):
    stops, watches = [threading.Event(), threading.Event()], [Watch(), Watch()]
    with bases.use(first) as base:
        run = aside(used, bases, other, run="next", report=watches[0], should_stop=stops[0].is_set)
        assert watches[0].hears(ANSWER_UNDER_WAY)
        stops[0].set()
        assert run.result(DEADLINE) is None
        answer = aside(used, bases, other, report=watches[1], should_stop=stops[1].is_set)
        assert watches[1].hears(ANSWER_UNDER_WAY), "the run that was stopped is in nobody's way"
        stops[1].set()
        assert answer.result(DEADLINE) is None
        assert base.model is not None
    assert used(bases, first) == first.base_options


def test_whoever_is_stopped_while_a_base_is_loaded_does_not_hold_it(bases, first, other):
    stop = threading.Event()
    assert used(bases, first, report=lambda *_: stop.set(), should_stop=stop.is_set) is None
    assert used(bases, other) == other.base_options


def test_while_a_base_is_loaded_others_wait_and_the_status_bar_does_not(bases, first, other, aside):
    loading, goes_on, watch = threading.Event(), threading.Event(), Watch()

    def slow(stage, fraction):
        if bases.title == "":
            loading.set()
            goes_on.wait(DEADLINE)

    used(bases, other)
    loads = aside(used, bases, first, run="run", report=slow)
    assert loading.wait(DEADLINE)
    assert bases.title == ""
    joins = aside(used, bases, first, report=watch)
    assert watch.hears("Waiting for 'run' to begin")
    goes_on.set()
    assert loads.result(DEADLINE) == joins.result(DEADLINE) == first.base_options


def test_a_run_waits_while_an_answer_loads_the_base_that_it_needs(bases, first, aside):
    loading, goes_on, watch = threading.Event(), threading.Event(), Watch()
    loads = aside(used, bases, first, report=lambda *_: (loading.set(), goes_on.wait(DEADLINE)))
    assert loading.wait(DEADLINE)
    run = aside(used, bases, first, run="run", report=watch)
    assert watch.hears("Waiting for the base model")
    goes_on.set()
    assert loads.result(DEADLINE) == run.result(DEADLINE) == first.base_options
    assert watch.said == ["Waiting for the base model"]


def test_whoever_gives_up_waiting_leaves_the_turn_to_who_has_it(bases, first, aside):
    """Else a second base would be loaded beside the one under way."""
    loading, goes_on, stop, watches = threading.Event(), threading.Event(), threading.Event(), [Watch(), Watch()]
    loads = aside(used, bases, first, report=lambda *_: (loading.set(), goes_on.wait(DEADLINE)))
    assert loading.wait(DEADLINE)
    gives_up = aside(used, bases, first, run="one", report=watches[0], should_stop=stop.is_set)
    assert watches[0].hears("Waiting for the base model")
    stop.set()
    assert gives_up.result(DEADLINE) is None
    run = aside(used, bases, first, run="two", report=watches[1])
    assert watches[1].hears("")
    goes_on.set()
    assert loads.result(DEADLINE) == run.result(DEADLINE) == first.base_options
    assert watches[1].said == ["Waiting for the base model"]


def test_a_base_that_cannot_be_loaded_leaves_the_way_free(bases, first, other, aside):
    broken, goes_on, watch = Recipe(model=first.model + " gone"), threading.Event(), Watch()

    def waits(stage, fraction):
        goes_on.wait(DEADLINE)

    used(bases, first)
    fails = aside(used, bases, broken, report=waits)
    behind = aside(used, bases, other, report=watch)
    assert watch.hears("Waiting")
    goes_on.set()
    with pytest.raises(ModelError, match="no model folder"):
        fails.result(DEADLINE)
    assert behind.result(DEADLINE) == other.base_options


def test_an_error_of_whoever_holds_the_base_gives_it_back(bases, first, other):
    with pytest.raises(ZeroDivisionError), bases.use(first, "run"):
        raise ZeroDivisionError
    assert used(bases, other) == other.base_options


def test_an_abandoned_wait_is_in_nobodys_way(bases, first):
    """As when a page is closed: the generator is closed at a stage."""

    def answer():
        with bases.line_up(None) as lease:
            yield from bases.stages(lease)

    stages = answer()
    assert next(stages) == "Loading Starter (SmolLM2 135M) in 4 bit", "without a base, the starter's turn has come"
    stages.close()
    assert used(bases, first) == first.base_options


def test_room_is_made_when_the_answer_under_way_is_complete(bases, first, aside):
    watch, stop = Watch(), threading.Event()
    with bases.use(first) as base:
        stopped = aside(bases.make_room, "many", watch, stop.is_set)
        assert watch.hears(ANSWER_UNDER_WAY)
        stop.set()
        assert stopped.result(DEADLINE) is False
        room = aside(bases.make_room, "many", again := Watch())
        assert again.hears(ANSWER_UNDER_WAY)
        late = Watch()
        answer = aside(used, bases, first, report=late)
        assert late.hears("Waiting for 'many' to begin")
        assert base.model is not None
    assert room.result(DEADLINE) is True
    assert answer.result(DEADLINE) == first.base_options
    assert base.model is None, "the base before it is gone"
    assert late.said[-1].startswith("Loading")


def test_the_end_of_the_program_waits_for_whoever_holds_the_base(bases, first, aside):
    with bases.use(first) as base:
        bases.close(0.0)
        assert base.model is not None, "whoever takes too long keeps it"
        with pytest.raises(StudioError, match="The program is closing"):
            used(bases, first)
        closes = aside(bases.close, DEADLINE)
    closes.result(DEADLINE)
    assert base.model is None
    assert bases.title == ""


def test_the_end_of_the_program_waits_for_a_base_that_is_being_loaded(bases, first, aside):
    loading, goes_on = threading.Event(), threading.Event()
    loads = aside(used, bases, first, report=lambda *_: (loading.set(), goes_on.wait(DEADLINE)))
    assert loading.wait(DEADLINE)
    closes = aside(bases.close, DEADLINE)
    until(lambda: refused(bases, first), "the door is shut")
    goes_on.set()
    assert loads.result(DEADLINE) == first.base_options
    closes.result(DEADLINE)
    assert bases.title == ""


def refused(bases, recipe):
    """Whether the holder lends nothing any more; whoever asks gives up at once where it does."""
    asked = iter((False, True))
    try:
        used(bases, recipe, should_stop=lambda: next(asked, True))
    except StudioError:
        return True
    return False


def test_many_at_once_never_hold_two_bases(bases, first, other, aside):
    """Each finds the base that it asked for, and while one is held it is the only one."""
    together, held, lock = threading.Barrier(4), set(), threading.Lock()

    def ask(*recipes):
        together.wait(DEADLINE)
        for recipe in recipes:
            with bases.use(recipe) as base:
                with lock:
                    held.add(id(base))
                    assert len(held) == 1
                assert base.loaded_as == recipe.base_options
                assert base.model is not None
                with lock:
                    held.discard(id(base))

    for each in [aside(ask, *recipes) for recipes in ((first, other), (other, other), (first, first), (other, first))]:
        each.result(DEADLINE)
