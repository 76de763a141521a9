"""What a person does: sample shop -> training -> reload in the middle -> compare -> take the adapter home."""

import json
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import open_window
from tests.program import running

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
PLAIN_PEFT = """
import json, sys, torch
from pathlib import Path
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

base, adapter, question, length = sys.argv[1:5]
config = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
                            bnb_4bit_compute_dtype=torch.float32)
model = AutoModelForCausalLM.from_pretrained(base, quantization_config=config, dtype=torch.float32, device_map="cpu")
for layer in model.modules():
    layer.support_avx512bf16_for_cpu = False  # as the exported script: else some processors compute in bfloat16
model = PeftModel.from_pretrained(model, adapter).eval()
tokenizer = AutoTokenizer.from_pretrained(adapter)
turns = [{"role": "user", "content": question}]
text = tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
ids = tokenizer(text, add_special_tokens=False, return_tensors="pt")
out = model.generate(**ids, max_new_tokens=int(length), do_sample=False, pad_token_id=tokenizer.pad_token_id)
print(json.dumps(tokenizer.decode(out[0, ids["input_ids"].shape[1]:], skip_special_tokens=True)))
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The program as a newcomer has it: started in an empty workspace, the starter model is fetched and converted."""
    with running(tmp_path_factory.mktemp("newcomer"), anew=True) as started:
        yield started


def tab(page, name):
    page.locator(f"#tab-{name}-button").click()


def set_number(page, field, value):
    """Type into a field of the advanced settings, and leave it."""
    box = page.locator(f"#field-{field} input").first
    box.fill(str(value))
    box.press("Tab")


def start_a_run(page, tiny_model, name, steps):
    """Choose the tiny model and few steps, and press Start."""
    tab(page, "recipe")
    page.locator("[data-key=preset-quick]").click()
    page.locator("#other-model textarea, #other-model input").first.fill(str(tiny_model))
    page.locator("#use-other-model").click()
    expect(page.locator("#models")).to_contain_text(Path(tiny_model).name)
    page.locator("#advanced > button, #advanced .label-wrap").first.click()
    settings = {"max_steps": steps, "epochs": 100, "learning_rate": 0.01, "max_length": 128, "patience": 0}
    for field, value in settings.items():  # no patience: else a quick computer ends a long run early, in mid-test
        set_number(page, field, value)
    page.locator("#run-name textarea, #run-name input").first.fill(name)
    page.locator("#start-training").dblclick()


def test_the_whole_way(page, program, tiny_model, tmp_path):
    page.locator("#try-sample").click()
    expect(page.locator("#summary")).to_contain_text("to learn from")
    expect(page.locator("#conversations .list-row").first).to_be_visible()
    page.locator("#to-recipe").click()

    start_a_run(page, tiny_model, "First run", 120)
    expect(page.locator("#run-title")).to_contain_text("First run")
    expect(page.locator("#run-progress")).to_contain_text(re.compile(r"of 120"), timeout=120_000)

    page.reload()
    page.wait_for_selector("html[data-ready]", state="attached")
    expect(page.locator("#tab-training-button")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#run-title")).to_contain_text("First run")
    expect(page.locator("#loss-chart svg, #loss-chart canvas").first).to_be_visible()
    expect(page).to_have_title(re.compile(r"^\d+% · First run · Ticket Tuner$"))
    expect(page.locator("#run-title")).to_contain_text("finished", timeout=240_000)
    expect(page).to_have_title("Done · First run · Ticket Tuner")
    expect(page.locator("#to-playground")).to_be_visible()
    assert [(run["name"], run["state"]) for run in runs_of(program)] == [("First run", "finished")], (
        "one press, one run"
    )

    page.locator("#to-playground").click()
    expect(page.locator("[data-voice]")).to_have_count(3)
    page.locator("#question textarea").fill("Where is my parcel?")
    page.locator("#question textarea").press("Control+Enter")
    expect(page.locator("#board .turn-assistant.speaking")).to_have_count(0)
    said = page.locator("[data-voice]:not([data-voice$='+lookup']) .turn-assistant")  # with it some say nothing
    expect(said.nth(1)).to_be_visible(timeout=120_000)
    expect(page.locator("#board .speaking")).to_have_count(0, timeout=120_000)
    answers = said.locator("p").all_inner_texts()
    assert len(answers) == 2
    assert answers[0] != answers[1]
    expect(page.locator("[data-voice$='+lookup'] :is(.lookup, .lookup-none)")).to_have_count(1)
    expect(page.locator(":is(.lookup, .lookup-none)")).to_have_count(1)

    tab(page, "export")
    expect(page.locator("#export-about")).to_contain_text("First run")
    with page.expect_download(timeout=120_000) as waiting:
        page.locator("#download").click()
    taken = tmp_path / "taken.zip"
    waiting.value.save_as(taken)
    with zipfile.ZipFile(taken) as archive:
        assert {
            "adapter_model.safetensors",
            "adapter_config.json",
            "chat_template.jinja",
            "recipe.json",
            "README.md",
        } <= {Path(name).name for name in archive.namelist()}
        archive.extractall(tmp_path / "adapter")
    [config] = (tmp_path / "adapter").rglob("adapter_config.json")
    command = [sys.executable, "-c", PLAIN_PEFT, str(tiny_model), str(config.parent), "Where is my parcel?", "160"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert " ".join(json.loads(done.stdout.splitlines()[-1]).split()) == " ".join(answers[1].split())


def test_a_second_tab_and_a_restart_after_kill_9_show_the_same_curve_and_resume(browser, program, tiny_model):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    open_window(page, program)
    if page.locator("#try-sample").is_visible():
        page.locator("#try-sample").click()
        expect(page.locator("#summary")).to_contain_text("to learn from")
    start_a_run(page, tiny_model, "Cut off", 4000)
    expect(page.locator("#run-title")).to_contain_text("Cut off")
    expect(page.locator("#run-progress")).to_contain_text(re.compile(r"of 4,?000"), timeout=120_000)
    second = context.new_page()
    open_window(second, program)
    tab(second, "training")
    expect(second.locator("#run-title")).to_contain_text("Cut off")
    for place in ("#status-job", "#run-progress", "#runs tr.selected"):  # of themselves, as steps are taken
        before = second.locator(place).inner_text()
        expect(second.locator(place)).not_to_have_text(before)

    [cut] = [run for run in runs_of(program) if run["name"] == "Cut off"]
    until_a_checkpoint(page, program, cut["id"])
    page.evaluate("window.isOld = true")
    program.end(signal.SIGKILL)
    expect(second.get_by_role("alert").filter(has_text="Ticket Tuner has ended")).to_be_visible()
    program.start()
    expect(second.locator(".ended")).to_have_count(0)
    page.bring_to_front()
    page.wait_for_function("!window.isOld")  # hidden meanwhile or not, it begins again too
    page.wait_for_selector("html[data-ready]", state="attached")
    tab(page, "training")
    expect(page.locator("#run-title")).to_contain_text("Cut off")
    expect(page.locator("#run")).to_contain_text("interrupted", ignore_case=True)
    page.locator("#resume").click()
    expect(page.locator("#stop")).to_be_visible()
    expect(page.locator("#run-progress")).to_contain_text(re.compile(r"of 4,?000"), timeout=120_000)
    page.locator("#stop").click()
    expect(page.locator("#resume")).to_be_visible(timeout=120_000)
    context.close()


def until_a_checkpoint(page, program, run):
    """Poll the run's folder through the page's clock, so that no fixed time is slept."""
    folder = program.workspace / "runs" / run / "checkpoints"
    for _ in range(600):
        if any((entry / "trainer_state.json").exists() for entry in folder.glob("checkpoint-*")):
            return
        page.evaluate("new Promise(done => setTimeout(done, 100))")
    raise AssertionError("no checkpoint within a minute")


def runs_of(program):
    """Read the runs from the workspace, the newest first."""
    found = []
    for folder in sorted((program.workspace / "runs").iterdir(), reverse=True):
        found.append({"id": folder.name, **json.loads((folder / "status.json").read_text())})
    return found
