"""The fields of the playground that say how an answer is chosen."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine.chat.records import Sampling


@dataclass(frozen=True)
class SamplingFields:
    """Components in the order in which :func:`sampling_of` takes their values; their elem_ids in brackets."""

    temperature: gr.Slider
    """[temperature]"""
    top_p: gr.Slider
    """[top-p]"""
    length: gr.Slider
    """[answer-length]"""
    seed: gr.Number
    """[answer-seed]"""
    top_k: gr.Slider
    """[top-k]"""
    min_p: gr.Slider
    """[min-p]"""
    penalty: gr.Slider
    """[repetition-penalty]"""
    stop_words: gr.Textbox
    """[stop-words]"""
    thinking: gr.Checkbox
    """[thinking]"""
    budget: gr.Slider
    """[thinking-budget]"""

    @property
    def all(self) -> list[Any]:
        """The components."""
        return [getattr(self, name) for name in self.__dataclass_fields__]


def build_sampling() -> SamplingFields:
    """Make the components."""
    with gr.Row(elem_classes="settings"):
        temperature = _slider(
            "temperature", 0, 2, 0.0, 0.05, "Daring (temperature)", "0 always takes the likeliest word."
        )
        top_p = _slider("top-p", 0.05, 1, 0.9, 0.05, "Choice (top-p)", "Draws among the likeliest words only.")
        top_k = _slider("top-k", 0, 200, 0, 1, "Choices (top-k)", "Draws among so many words; 0 is all.")
        min_p = _slider(
            "min-p", 0, 0.5, 0, 0.01, "Least chance (min-p)", "Leaves out what is far less likely than the likeliest."
        )
        penalty = _slider(
            "repetition-penalty",
            1,
            1.5,
            1,
            0.01,
            "Repetition penalty",
            "Above 1, words that were said come less often.",
        )
        length = _slider(
            "answer-length", 16, 1024, 160, 16, "Longest answer (tokens)", "About three quarters of a word each."
        )
        seed = gr.Number(
            0, label="Seed", info="The same seed gives the same answer.", elem_id="answer-seed", precision=0
        )
        stop_words = gr.Textbox(
            "", label="Stop words", info="One a line; an answer ends before the first.", lines=1, max_lines=4,
            elem_id="stop-words",
        )  # fmt: skip
        thinking = gr.Checkbox(
            False,
            label="Let it think first",
            info="For models that can, such as Qwen3; takes longer.",
            elem_id="thinking",
        )
        budget = _slider("thinking-budget", 0, 4096, 512, 64, "Longest thought (tokens)", "Then it has to answer.")
    return SamplingFields(temperature, top_p, length, seed, top_k, min_p, penalty, stop_words, thinking, budget)


def _slider(name: str, low: float, high: float, value: float, step: float, label: str, info: str) -> gr.Slider:
    return gr.Slider(low, high, value=value, step=step, label=label, info=info, elem_id=name)


def sampling_of(
    temperature: float,
    top_p: float,
    length: float,
    seed: float | None,
    top_k: float = 0,
    min_p: float = 0.0,
    penalty: float = 1.0,
    stop_words: str = "",
    thinking: bool = False,
    budget: float = 512,
) -> Sampling:
    """Return what the fields say.

    Raises:
        StudioError: A value is out of its range.
    """
    return Sampling(
        temperature=float(temperature),
        top_p=float(top_p),
        max_new_tokens=int(length),
        seed=int(seed) if seed is not None else None,
        top_k=int(top_k),
        min_p=float(min_p),
        repetition_penalty=float(penalty),
        thinking=bool(thinking),
        thinking_budget=int(budget),
        stop_words=tuple(dict.fromkeys(line for line in (stop_words or "").splitlines() if line.strip())),
    )
