"""What the tab Training says of layers that come from the computer's memory."""

from dataclasses import replace

import pytest

from engine.training.runs.status import Status
from ui.training.layers import layers
from ui.training.live import live


def streaming(studio, *, resident, streamed, stalled, state="running", device="NVIDIA RTX 4090"):
    run = studio.add_run("Run 1")
    info = studio.run_infos[run]
    begun = replace(info.history.started, resident=resident, streamed=streamed, device=device)
    last = replace(info.history.steps[-1], seconds=100.0)
    history = replace(info.history, started=begun, steps=(*info.history.steps[:-1], last), stalled=stalled)
    studio.run_infos[run] = replace(info, history=history, status=replace(info.status, state=state))
    return studio.run_infos[run]


def test_of_a_base_that_is_all_there_it_says_nothing(studio):
    assert layers(streaming(studio, resident=0, streamed=0, stalled=0.0)) == ""


@pytest.mark.parametrize(
    ("state", "stalled", "said"),
    [
        ("running", 0.3, "38 of 80 layers stay on the GPU, 42 come from the computer's memory for each batch. Computing"
         " has waited 0.3 % of the time for them."),
        ("finished", 0.3, "38 of 80 layers stayed on the GPU, 42 came from the computer's memory for each batch."
         " Computing waited 0.3 % of the time for them."),
        ("running", 0.0, "Computing has waited no time for them."),
        ("running", 23.0, "Computing has waited 23 % of the time for them. Larger batches hide more of it."),
    ],
    ids=["live", "afterwards", "no stall", "many stalls"],
)  # fmt: skip
def test_it_says_how_many_layers_come_and_what_waiting_for_them_cost(state, stalled, said, studio):
    shown = str(layers(streaming(studio, resident=38, streamed=42, stalled=stalled, state=state))).replace("&#39;", "'")
    assert said in shown
    assert "flex-grow:38" in shown
    assert "flex-grow:42" in shown


def test_before_the_first_step_no_waiting_is_told(studio):
    info = streaming(studio, resident=1, streamed=4, stalled=0.0, device="CPU, 2 threads")
    shown = layers(replace(info, history=replace(info.history, steps=())))
    assert "1 of 5 layers stay in place" in shown
    assert "waited" not in shown


def test_an_open_page_is_told(studio):
    info = streaming(studio, resident=38, streamed=42, stalled=1.0)
    assert isinstance(info.status, Status)
    now = live(studio.snapshot(), [info], info.id, [], lambda _: None)
    assert "38 of 80 layers" in now["run-layers"]
