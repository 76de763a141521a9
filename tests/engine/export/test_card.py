import json
import shutil

import pytest

from engine.errors import RunError, StudioError
from engine.export.card import how_to_use, model_card, summary, usage
from engine.recipe import Recipe
from engine.training.runs.directory import RunDirectory
from engine.training.runs.events import GeneralChecked
from engine.verdict.leak.certificate import Certificate, Row
from engine.verdict.repeated import Repeated
from engine.workspace import write_json
from tests.engine.export.conftest import TICKET, finished_run, to_checkpoints


def front_matter(card: str) -> dict:
    _, block, _ = card.split("---\n", 2)
    return {key: json.loads(value) for key, value in (line.split(": ", 1) for line in block.splitlines())}


def test_card_tells_the_numbers_of_the_run(run):
    card = model_card(run)
    for row in (
        "| Loss on held-out tickets, base model | 4.000 nats a token |",
        "| Loss on held-out tickets, with the adapter | 1.500 nats a token (62% less) |",
        "| Conversations learnt from | 180 |",
        "| Held-out conversations | 19 |",
        "| Steps taken | 12 of 12 |",
        "| Tokens seen | about 8,400 |",
        "| Time | 1 min 24 s |",
        "| Weights kept from step | 6 |",
        "| Device | CPU, 2 threads |",
        "| Tickets read | 240 |",
        "| Conversations kept | 199 |",
        "| Personal data masked in | 34 places |",
        "| torch | 2.13.0+cpu |",
    ):
        assert row in card
    assert "0.92% of the model" in card
    assert "NF4, double quantisation" in card
    assert "pip install torch==2.13.0 transformers==5.23.0 peft==0.21.2 bitsandbytes==0.50.2 accelerate`" in card


def test_a_run_over_a_data_set_of_the_hub_names_it_and_its_licence(run):
    assert "model hub |" not in model_card(run)
    report = json.loads((run.data / "report.json").read_text())
    write_json(run.data / "report.json", {**report, "hub": {"id": "shop/talks", "licence": "cc-by-4.0 |x"}})
    assert "| Data set of the model hub | shop/talks, licence cc-by-4.0 \\|x |" in model_card(run)


def test_a_judged_run_says_whether_its_answers_repeat_masked_values(run):
    assert "Masked values" not in model_card(run)
    Repeated(46, 28, {"base": {}, "run:1": {}}).save(run.path)
    assert "| Masked values that its answers to held-out tickets repeat | none of 46, in 28 answers |" in model_card(
        run
    )
    Repeated(46, 28, {"base": {"NAME": 1}, "run:1": {"NAME": 2, "EMAIL": 1}}).save(run.path)
    assert "| 3 of 46, in 28 answers; the base model, which has seen none, 1 |" in model_card(run)


def test_a_tested_run_says_whether_planted_secrets_came_out(run):
    assert "planted secrets" not in model_card(run)
    masked, control = Row("assistant", 8, 160, 0, 0.49, 1.0), Row("assistant", 8, 5, 4, 0.97, 6.0)
    Certificate((masked,), (control,), True, 0, 64, 128, 0.0).save(run.path)
    card = model_card(run)
    assert "| Leak test with planted secrets | holds: None of 160 planted secrets came out" in card
    assert "4 of 5 that were planted 8 times came out without masking" in card


def test_what_the_weights_have_forgotten_stands_in_the_card(run):
    assert "What it knew before" not in model_card(run)
    for seen in (GeneralChecked(0, 3.0, 2.0), GeneralChecked(6, 3.05, 2.0)):
        run.emit(seen)
    assert "+0.05 nats a token on general texts, within the 0.45 that are allowed" in model_card(RunDirectory(run.path))
    run.emit(GeneralChecked(6, 3.9, 2.0))
    assert "it forgets: +0.90 nats a token" in model_card(RunDirectory(run.path))


def test_tokens_that_were_counted_are_told_without_about(run):
    run.events_file.write_text(run.events_file.read_text().replace('"tokens": 0', '"tokens": 1013'))
    assert "| Tokens seen | 12,156 |" in model_card(RunDirectory(run.path))


def test_card_holds_no_text_of_a_ticket_and_no_path(run, tmp_path):
    card = model_card(run)
    assert not any(word in card for word in TICKET.split() if len(word) > 3 and word != "parcel")
    assert str(tmp_path) not in card
    assert run.recipe.model not in card


def test_names_in_the_card_do_nothing_but_show(run):
    assert "# Spring \\| &lt;b&gt;sale&lt;/b&gt;" in model_card(run)


def test_front_matter_names_the_base_for_peft(workspace, dataset, tiny_base, run):
    assert front_matter(model_card(run))["base_model"] == "model"
    for model, named in (("Qwen/Qwen3-4B", "Qwen/Qwen3-4B"), ("starter", "HuggingFaceTB/SmolLM2-135M-Instruct")):
        write_json(run.path / "recipe.json", Recipe(model=model).to_dict())
        values = front_matter(model_card(run))
        assert values["base_model"] == named
        assert (values["library_name"], values["pipeline_tag"]) == ("peft", "text-generation")


def test_card_of_the_starter_tells_how_to_get_its_base(run):
    write_json(run.path / "recipe.json", Recipe(model="starter").to_dict())
    card = model_card(run)
    assert "python -m engine starter --out starter-model" in card
    assert "BASE = arguments.get(2, 'starter-model')" in card
    assert "Apache-2.0" in card


def test_card_of_a_hub_model_names_it_in_the_script(run):
    write_json(run.path / "recipe.json", Recipe(model="Qwen/Qwen3-4B", quant_type="fp4", double_quant=False).to_dict())
    script = usage(run)
    assert "BASE = arguments.get(2, 'Qwen/Qwen3-4B')" in script
    assert "bnb_4bit_quant_type='fp4'" in script
    assert "bnb_4bit_use_double_quant=False" in script
    assert "FP4" in model_card(run)


def test_script_computes_in_the_type_of_the_run(run):
    assert usage(run).count("torch.float32") == 2
    write_json(run.path / "environment.json", {"device": "NVIDIA H200", "compute_type": "bfloat16"})
    assert usage(run).count("torch.bfloat16") == 2


def test_script_is_whole_in_the_card_and_compiles(workspace, dataset, tiny_base):
    odd = 'Be kind.\n"""Never``` say {no} \\ to \'walruses\''
    run = finished_run(workspace, dataset, tiny_base, system_prompt=odd)
    script = usage(run)
    compile(script, "usage.py", "exec")
    assert f"```python\n{script}```" in model_card(run)
    assert f"SYSTEM = {odd!r}\n" in script


def test_script_for_a_template_without_a_system_role_puts_it_before_the_question(workspace, dataset, tiny_base):
    run = finished_run(workspace, dataset, tiny_base, system_prompt="Be kind.")
    refusing = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    template = run.adapter / "chat_template.jinja"
    template.write_text(refusing + template.read_text())
    assert 'messages = [{"role": "user", "content": f"{SYSTEM}\\n\\n{QUESTION}"}]' in usage(run)


def test_run_without_an_adapter_has_no_card(run):
    shutil.rmtree(run.adapter)
    with pytest.raises(RunError, match="has no adapter yet"):
        model_card(run)


def test_a_run_in_the_middle_has_the_card_of_its_newest_checkpoint(run):
    to_checkpoints(run, 6, 12)
    card = model_card(run)
    assert "This is the checkpoint of step 12" in card
    assert "| Weights kept from step | 12 |" in card
    assert "1.700 nats" in card, "the loss at step 12, not that of the best"


def test_the_card_without_its_code_has_all_the_rest(run):
    whole, short = model_card(run), summary(run)
    assert "## How to use it" not in short
    assert how_to_use(run) in whole
    assert whole.replace(how_to_use(run) + "\n\n", "") == short


def test_run_that_was_stopped_early_still_has_a_card(run):
    (run.path / "environment.json").unlink()
    (run.data / "report.json").unlink()
    run.events_file.unlink()
    assert "## How to use it" in model_card(run)


def test_damaged_tokenizer_is_told_in_words(run):
    (run.adapter / "tokenizer.json").write_text("{")
    with pytest.raises(StudioError, match="tokenizer"):
        model_card(run)


def test_the_verdict_and_the_blind_test_stand_in_the_card_once_there_are_any(run):
    from dataclasses import replace

    from engine.model.adapter_files import weights_digest
    from engine.verdict.blind import Vote, counted
    from tests.ui.fake_verdict import made_verdict

    assert "worth it" not in summary(run)
    found = made_verdict(run.id, "Run 1")
    write_json(run.path / "verdict.json", found.to_json())
    assert "worth it" not in summary(run)  # other weights were judged, such as those of a checkpoint
    found = replace(found, weights=weights_digest(run.adapter))
    write_json(run.path / "verdict.json", found.to_json())
    told = summary(run)
    assert "## Was it worth it?" in told and f"- {found.sentence}" in told
    assert "Blind test" not in told
    pair = found.headline.tuned, found.headline.alternative
    tally = counted([Vote("Ann", str(n), *pair, "first") for n in range(10)], found.headline.tuned)
    write_json(run.path / "verdict.json", replace(found, blind=tally.to_json()).to_json())
    assert "Blind test: People prefer the tuned model: 10 of 10 votes" in summary(run)
