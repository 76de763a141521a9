import json
from pathlib import Path
from typing import Any

import pytest

from engine.errors import TicketsError
from engine.tickets.importing.detect import detect
from tests.engine.tickets.exports import lines, only, prepared, read, said, write

PAIR = [("user", "public", "Dark?"), ("assistant", "public", "Press it.")]


@pytest.mark.parametrize(
    "record",
    [
        {"messages": [{"role": "user", "content": "Dark?"}, {"role": "assistant", "content": "Press it."}]},
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Dark?"}]},
                {"role": "assistant", "content": "Press it."},
            ]
        },
        {"conversations": [{"from": "human", "value": "Dark?"}, {"from": "gpt", "value": "Press it."}]},
        {"conversation": [{"role": "customer", "content": "Dark?"}, {"role": "agent", "content": "Press it."}]},
        {"instruction": "Dark?", "input": "", "output": "Press it."},
        {"prompt": "Dark?", "completion": "Press it."},
        {
            "prompt": [{"role": "user", "content": "Dark?"}],
            "completion": [{"role": "assistant", "content": "Press it."}],
        },
        {"question": "Dark?", "answer": "Press it."},
    ],
)
def test_every_chat_shape_is_read_as_lines_and_as_an_array(tmp_path: Path, record: dict[str, Any]) -> None:
    assert said(only(write(tmp_path / "t.jsonl", lines(record)))) == PAIR
    assert [said(found) for found in read(write(tmp_path / "t.json", [record, record]))] == [PAIR, PAIR]
    assert said(only(write(tmp_path / "one.json", record))) == PAIR
    assert detect([tmp_path / "t.jsonl"]).format == "chat"


def test_system_prompts_and_alpaca_inputs_are_kept(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.jsonl",
        lines(
            {"system": "Be kind.", "conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]},
            {"instruction": "Translate", "input": "Lampe", "output": "Lamp", "history": [["x", "y"]]},
        ),
    )
    first, second = read(path)
    assert said(first)[0] == ("system", "public", "Be kind.")
    assert [content for _, _, content in said(second)] == ["x", "y", "Translate\n\nLampe", "Lamp"]


def turns(*said: tuple[str, str | None]) -> list[dict[str, Any]]:
    return [{"role": role, "content": content} for role, content in said]


def kinds(path: Path) -> list[str]:
    return [kind for _, kind, _ in said(only(path))]


@pytest.mark.parametrize(
    "call",
    [
        [
            {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "track"}}]},
            *turns(("tool", "42")),
        ],
        [{"role": "assistant", "content": "Let me look.", "tool_calls": [{"id": "a"}]}, *turns(("tool", "42"))],
        [{"role": "assistant", "content": "", "function_call": {"name": "track"}}, *turns(("function", "42"))],
        [{"from": "function_call", "value": "{}"}, {"from": "observation", "value": "42"}],
        turns(("tool_call", "{}"), ("Tool_Response", "42")),
    ],
)
def test_no_answer_behind_a_tool_call_is_learnt(tmp_path: Path, call: list[dict[str, Any]]) -> None:
    before, after = turns(("user", "Dark?"), ("assistant", "Press it.")), turns(("user", "Parcel?"))
    behind = turns(("assistant", "It lies in depot 42."), ("user", "Thanks."), ("assistant", "Do ask again."))
    path = write(tmp_path / "t.jsonl", lines({"messages": [*before, *after, *call, *behind]}))
    assert kinds(path) == ["public"] * 3 + ["tool"] * 2 + ["after_tool", "public", "after_tool"]
    report, data = prepared([path], tmp_path / "out", heldout=0.0)
    assert [list(row.turns) for row in data.conversations("train")] == [before]
    assert report.messages_left_out["answer after a tool call"] == 2
    assert any("2 answers that follow a tool call" in warning for warning in report.warnings)


def test_where_nothing_but_tool_calls_answers_it_is_said_so(tmp_path: Path) -> None:
    call = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "track"}}]}
    path = write(tmp_path / "t.jsonl", lines({"messages": [*turns(("user", "Parcel?")), call]}))
    with pytest.raises(TicketsError, match="tool call or its result: 1") as caught:
        prepared([path], tmp_path / "out")
    assert "do not come from a tool" in caught.value.remedy


@pytest.mark.parametrize("role", ["AI", "Support Agent", "Support", "Operator", "Bot", "llm", "ai_assistant", "Staff"])
@pytest.mark.parametrize("asker", ["USER", "Client", "Visitor", "End-user", "end_user", "Customer"])
def test_roles_are_known_by_the_names_that_desks_and_data_sets_use(tmp_path: Path, role: str, asker: str) -> None:
    path = write(tmp_path / "t.jsonl", lines({"messages": turns((asker, "Dark?"), (role, "Press it."))}))
    assert said(only(path)) == PAIR


@pytest.mark.parametrize(
    ("who", "what"), [("speaker", "text"), ("speaker", "utterance"), ("role", "text"), ("from", "text")]
)
def test_turns_are_known_by_the_keys_that_data_sets_use(tmp_path: Path, who: str, what: str) -> None:
    talk = [{who: "user", what: "Dark?"}, {who: "agent", what: "Press it."}]
    for key in ("messages", "conversation", "turns"):
        record = {key: talk}
        assert said(only(write(tmp_path / "t.jsonl", lines(record)))) == PAIR
        assert said(only(write(tmp_path / "t.json", record))) == PAIR
    assert f"{who} and {what}" in detect([tmp_path / "t.jsonl"]).evidence


def test_a_role_that_is_not_known_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", lines({"messages": turns(("user", "Dark?"), ("zygote", "Press it."))}))
    assert said(only(path))[1] == ("assistant", "unknown", "zygote: Press it.")
    assert "'zygote'" in detect([path]).cautions[0]
    with pytest.raises(TicketsError, match="'zygote'"):
        prepared([path], tmp_path / "out")


@pytest.mark.parametrize(
    "mark", [{"label": False}, {"kto_tag": False}, {"label": "false"}, {"rating": "bad"}, {"feedback": "thumbs_down"}]
)
def test_answers_marked_as_bad_are_not_learnt(tmp_path: Path, mark: dict[str, Any]) -> None:
    good = {"messages": turns(("user", "Dark?"), ("assistant", "Press it.")), "label": True}
    bad = {"messages": turns(("user", "Broken?"), ("assistant", "Go away.")), **mark}
    pair = {"prompt": "Late?", "completion": "Go away.", **mark}
    path = write(tmp_path / "t.jsonl", lines(good, bad, pair))
    report, data = prepared([path], tmp_path / "out", heldout=0.0)
    assert [list(row.turns) for row in data.conversations("train")] == [good["messages"]]
    assert report.dropped == {"marked as a bad answer": 2}


def test_a_single_turn_marked_as_bad_is_left_out_alone(tmp_path: Path) -> None:
    talk = turns(("user", "Dark?"), ("assistant", "Go away."), ("user", "Please."), ("assistant", "Press it."))
    talk[1]["rating"] = -1
    path = write(tmp_path / "t.jsonl", lines({"messages": talk}))
    assert kinds(path) == ["public", "rated_bad", "public", "public"]


ASKED = {"role": "user", "content": "Dark?"}
GOOD = {"role": "assistant", "content": "Press it."}
BAD = {"role": "assistant", "content": "Go away."}


@pytest.mark.parametrize(
    "record",
    [
        {"prompt": "Dark?", "chosen": "Press it.", "rejected": "Go away."},
        {"question": "Dark?", "chosen": "Press it.", "rejected": "Go away."},
        {"instruction": "Dark?", "input": "", "chosen": "Press it.", "rejected": "Go away."},
        {"chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]},
        {"prompt": [ASKED], "chosen": [GOOD], "rejected": [BAD]},
        {"prompt": "Dark?", "chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]},
        {"conversations": [{"from": "human", "value": "Dark?"}], "chosen": GOOD, "rejected": BAD},
        {
            "messages": [ASKED],
            "chosen": {"from": "gpt", "value": "Press it."},
            "rejected": {"from": "gpt", "value": "No"},
        },
        {"input": {"messages": [ASKED]}, "preferred_output": [GOOD], "non_preferred_output": [BAD]},
        {"prompt": "Dark?", "chosen_response": "Press it.", "rejected_response": "Go away."},
        {"chosen": "\n\nHuman: Dark?\n\nAssistant: Press it.", "rejected": "\n\nHuman: Dark?\n\nAssistant: No"},
    ],
)
def test_of_a_preference_pair_the_chosen_answer_is_learnt(tmp_path: Path, record: dict[str, Any]) -> None:
    for path in (write(tmp_path / "t.jsonl", lines(record)), write(tmp_path / "t.json", [record])):
        assert said(only(path))[:-1] == PAIR
        assert said(only(path))[-1][:2] == ("assistant", "rejected")
        assert detect([path]).cautions == (
            "These are preference pairs: the chosen answers are learnt, the rejected ones never; the pairs are kept "
            "beside the data set for training with preferences later.",
        )


def test_the_turns_before_a_chosen_answer_stay(tmp_path: Path) -> None:
    earlier = turns(("system", "Be kind."), ("user", "Dark?"), ("assistant", "Where?"), ("user", "Here."))
    path = write(tmp_path / "t.jsonl", lines({"messages": earlier, "chosen": GOOD, "rejected": BAD}))
    assert [content for _, _, content in said(only(path))] == [
        *("Be kind.", "Dark?", "Where?", "Here.", "Press it."),
        "Go away.",
    ]


TALK = turns(("user", "Dark?"), ("assistant", "Press it."))


@pytest.mark.parametrize("written", [json.dumps(TALK), json.dumps(TALK, indent=1), str(TALK)])
def test_a_conversation_written_into_a_cell_is_read(tmp_path: Path, written: str) -> None:
    cell = written.replace('"', '""')
    files = [
        write(tmp_path / "t.csv", f'ticket,messages\n7,"{cell}"\n8,"{cell}"\n'),
        write(tmp_path / "t.jsonl", lines({"id": 7, "messages": written}, {"id": 8, "messages": written})),
    ]
    for path in files:
        assert [(found.id, said(found)) for found in read(path)] == [("7", PAIR), ("8", PAIR)]
        assert detect([path]).format == "chat"


def test_a_ticket_whose_comments_are_a_cell_is_its_desks(tmp_path: Path) -> None:
    talk = json.dumps([{"author_id": 7, "body": "Dark?"}, {"author_id": 9, "body": "Press it."}])
    cell = talk.replace('"', '""')
    path = write(tmp_path / "t.csv", f'id,requester_id,submitter_id,subject,comments\n1,7,7,Lamp,"{cell}"\n')
    assert said(only(path)) == PAIR
    assert detect([path]).format == "zendesk"


def test_an_answer_that_is_json_itself_stays_text(tmp_path: Path) -> None:
    rows = [{"prompt": f"Parcel {number}?", "completion": '[{"intent": "parcel"}]'} for number in range(3)]
    found = read(write(tmp_path / "t.jsonl", lines(*rows)))
    assert [said(conversation)[1][2] for conversation in found] == ['[{"intent": "parcel"}]'] * 3


def test_its_own_output_can_be_read_again(tmp_path: Path) -> None:
    row = {
        "ticket": "12",
        "subject": "Lamp",
        "messages": [{"role": "user", "content": "Lamp\n\nDark?"}, {"role": "assistant", "content": "Press it."}],
    }
    found = only(write(tmp_path / "train.jsonl", lines(row)))
    assert (found.id, found.subject, found.messages[0].content) == ("12", "", "Lamp\n\nDark?")


@pytest.mark.parametrize("mark", [{"weight": 0}, {"weight": 0.0}, {"weight": "0"}, {"train": False}, {"loss": False}])
def test_an_answer_marked_as_not_to_be_learnt_stays_as_context_and_is_counted(
    tmp_path: Path, mark: dict[str, Any]
) -> None:
    marked = {"role": "assistant", "content": "Just throw the lamp away, who cares.", **mark}
    turns = [
        {"role": "user", "content": "My lamp flickers."},
        marked,
        {"role": "user", "content": "Is there a fix?"},
        {"role": "assistant", "content": "Tighten the bulb a little.", "weight": 1, "train": True, "loss": True},
    ]
    spoilt = {"messages": [{"role": "user", "content": "Hello, a question?"}, marked]}
    report, data = prepared([write(tmp_path / "chat.jsonl", lines({"messages": turns}, spoilt))], tmp_path / "out")
    (row,) = data.conversations("train")
    assert [message.learnt for message in row.messages] == [True, False, True, True]
    assert row.messages[1].content == "Just throw the lamp away, who cares."
    assert report.dropped == {"marked as not to be learnt": 1}
    assert report.messages_left_out["read, not learnt (weight 0)"] == 1
    _, data = prepared([tmp_path / "out" / "train.jsonl"], tmp_path / "again")
    assert data.conversations("train")[0].messages == row.messages


@pytest.mark.parametrize(
    "record",
    [
        {"original": [["customer", "Dark?"], ["agent", "Press it."]]},
        {
            "contents": [
                {"role": "user", "parts": [{"text": "Dark?"}]},
                {"role": "model", "parts": [{"text": "Press it."}]},
            ]
        },
        {"query": "Dark?", "response": "Press it."},
        {"messages": [{"role": role, "content": [{"type": "text", "value": text}]} for role, _, text in PAIR]},
        {"text": "<|im_start|>user\nDark?<|im_end|>\n<|im_start|>assistant\nPress it.<|im_end|>\n"},
        {"text": "### Human: Dark?### Assistant: Press it."},
        {"text": "### Instruction:\nDark?\n\n### Response:\nPress it."},
        {"text": "<s>[INST] Dark? [/INST] Press it. </s>"},
        {"text": "<start_of_turn>user\nDark?<end_of_turn>\n<start_of_turn>model\nPress it.<end_of_turn>\n"},
        {"text": "<|user|>\nDark?</s>\n<|assistant|>\nPress it.</s>\n"},
        {
            "text": "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nDark?<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\nPress it.<|eot_id|>"
        },
    ],
)
def test_the_shapes_of_other_trainers_are_taken_apart(tmp_path: Path, record: dict[str, Any]) -> None:
    for path in (write(tmp_path / "t.jsonl", lines(record)), write(tmp_path / "t.json", [record, record])):
        assert said(read(path)[0]) == PAIR
        assert detect([path]).format == "chat"


@pytest.mark.parametrize("prompt", ["Be kind.", {"role": "system", "parts": [{"text": "Be kind."}]}])
@pytest.mark.parametrize("key", ["system", "systemInstruction"])
def test_a_system_prompt_and_the_history_stay_before_a_pair(tmp_path: Path, key: str, prompt: Any) -> None:
    record = {key: prompt, "query": "Dark?", "response": "Press it.", "history": [["Hello", "How may I help?"]]}
    found = only(write(tmp_path / "t.jsonl", lines(record)))
    assert [content for _, _, content in said(found)] == ["Be kind.", "Hello", "How may I help?", "Dark?", "Press it."]


def test_events_between_the_turns_are_no_answers(tmp_path: Path) -> None:
    talk = [["customer", "Dark?"], ["action", "Lamp looked up"], ["agent", "Press it."]]
    assert kinds(write(tmp_path / "t.jsonl", lines({"original": talk}))) == ["public", "system", "public"]


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("prompt,completion,label", "Dark?,Go away.,False", ["Dark?", ""]),
        ("prompt,chosen,rejected", "Dark?,Press it.,Go away.", ["Dark?", "Press it."]),
        ("instruction,input,output", "Translate,Lampe,Lamp", ["Translate\n\nLampe", "Lamp"]),
        ("system,prompt,completion", "Be kind.,Dark?,Press it.", ["Be kind.", "Dark?", "Press it."]),
        ("text,source", "### Human: Dark?### Assistant: Press it.,x", ["Dark?", "Press it."]),
    ],
)
def test_a_table_of_chat_data_is_read_as_chat_data(tmp_path: Path, header: str, row: str, expected: list[str]) -> None:
    path = write(tmp_path / "t.csv", f"{header}\n{row}\n")
    shown = ["" if kind == "rated_bad" else content for _, kind, content in said(only(path)) if kind != "rejected"]
    assert (shown, detect([path]).format) == (expected, "chat")


def test_a_table_of_questions_and_answers_stays_a_table(tmp_path: Path) -> None:
    for header in ("question,answer,label", "prompt,completion,tags", "instruction,output,date"):
        assert detect([write(tmp_path / "t.csv", f"{header}\nDark?,Press it.,lamp\n")]).format == "table"


def test_a_weight_on_the_customers_turn_means_nothing(tmp_path: Path) -> None:
    talk = [{"role": "user", "content": "Dark?", "loss_weight": 0.0}, {**GOOD, "loss_weight": 1.0}]
    assert [message.learnt for message in only(write(tmp_path / "t.jsonl", lines({"messages": talk}))).messages] == [
        True,
        True,
    ]


LAMP, VAN = "Where is my lamp?", "It is in the van."
TOLD = [("user", "public", LAMP), ("assistant", "public", VAN)]


@pytest.mark.parametrize(
    "text",
    [
        f"<｜begin▁of▁sentence｜><｜User｜>{LAMP}<｜Assistant｜>{VAN}<｜end▁of▁sentence｜>",
        f"<|start_of_role|>user<|end_of_role|>{LAMP}<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>{VAN}<|end_of_text|>",
        f"<BOS_TOKEN><|START_OF_TURN_TOKEN|><|USER_TOKEN|>{LAMP}<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>{VAN}",
        f"<|start|>user<|message|>{LAMP}<|end|><|start|>assistant<|channel|>analysis<|message|>Hm<|end|>"
        f"<|start|>assistant<|channel|>final<|message|>{VAN}<|return|>",
        f"A chat between a curious user and an assistant. USER: {LAMP} ASSISTANT: {VAN}</s>",
        f"Human: {LAMP}\n\nAssistant: {VAN}",
        f"<s>Customer: {LAMP}\nAgent: {VAN}</s>",
    ],
)
def test_texts_of_more_templates_are_taken_apart(tmp_path: Path, text: str) -> None:
    assert said(only(write(tmp_path / "t.jsonl", lines({"text": text})))) == TOLD
    parts = [{"label": False, "text": text[:40]}, {"label": True, "text": text[40:]}]
    assert said(only(write(tmp_path / "s.jsonl", lines({"segments": parts})))) == TOLD


@pytest.mark.parametrize(
    ("prompt", "completion"),
    [
        (f"<s>[INST] {LAMP} [/INST]", f"{VAN}</s>"),
        (f"<|im_start|>user\n{LAMP}<|im_end|>\n<|im_start|>assistant", f"{VAN}<|im_end|>"),
        (f"\n\nHuman: {LAMP}\n\nAssistant:", f" {VAN}"),
        (LAMP, f"{VAN}<|eot_id|>"),
    ],
)
def test_no_mark_of_a_template_stays_in_pairs(tmp_path: Path, prompt: str, completion: str) -> None:
    spoken = said(only(write(tmp_path / "t.jsonl", lines({"prompt": prompt, "completion": completion}))))
    assert [(role, kind, words.strip()) for role, kind, words in spoken] == TOLD
    pair = {"prompt": prompt, "chosen": completion, "rejected": "Who knows?"}
    spoken = said(only(write(tmp_path / "p.jsonl", lines(pair))))
    assert [(role, kind, words.strip()) for role, kind, words in spoken[:-1]] == TOLD


def test_a_cell_that_quotes_a_talk_makes_no_chat_data_of_its_table(tmp_path: Path) -> None:
    rows = "".join(f"{n},ada,Where is lamp {n}?\n{n},shop,In van {n}.\n" for n in range(9))
    quoted = '9,ada,"Customer: Where?\nAgent: Here."\n9,shop,Yes that is what we said.\n'
    assert detect([write(tmp_path / "t.csv", f"ticket,author,text\n{rows}{quoted}")]).format == "table"
    notes = "".join(f"note {n},Nothing new.\n" for n in range(9))
    with pytest.raises(TicketsError):
        prepared([write(tmp_path / "n.csv", f'title,text\n{notes}x,"User: Where?\nBot: Here."\n')], tmp_path / "out")


def one(speaker: str, words: str) -> list[dict[str, str]]:
    return [{"speaker": speaker, "utterance": words}]


@pytest.mark.parametrize(
    "record",
    [
        {"conversation": [{"human": LAMP, "assistant": VAN}]},
        {"conversations": [{"from": "user", "value": LAMP}, {"from": "bing", "value": VAN}]},
        {"dialogue_id": "1", "turns": [*one("USER", LAMP), *one("SYSTEM", VAN)]},
        {"original dialog id": "1", "log": [{"turn id": 1, "user utterance": LAMP, "system response": VAN}]},
        {"SGD--train--1": {"log": [{"turn id": 1, "user utterance": LAMP, "system response": VAN}]}},
        {"SNG01.json": {"goal": {}, "log": [{"text": LAMP, "metadata": {}}, {"text": VAN, "metadata": {"x": 1}}]}},
        {"id": "0", "data": [LAMP, VAN]},
        {"chunkedPrompt": {"chunks": [
            {"text": LAMP, "role": "user"}, {"text": "?", "role": "ai", "isThought": True}, {"text": VAN, "role": "ai"},
        ]}},
        {"uuid": "x", "chat_messages": [{"sender": "human", "text": LAMP}, {"sender": "assistant", "text": VAN}]},
    ],
)  # fmt: skip
def test_conversations_of_more_shapes_are_read(tmp_path: Path, record: dict[str, Any]) -> None:
    path = write(tmp_path / "t.json", [record] if "SGD" not in str(record) and "SNG" not in str(record) else record)
    assert said(only(path)) == TOLD


def test_what_an_instruction_is_about_and_a_question_has_for_a_system_prompt_stay(tmp_path: Path) -> None:
    dolly = {"instruction": LAMP, "context": "Lamps come in vans.", "response": VAN, "category": "qa"}
    assert said(only(write(tmp_path / "d.jsonl", lines(dolly))))[0][2] == f"{LAMP}\n\nLamps come in vans."
    orca = {"id": "1", "system_prompt": "Be kind.", "question": LAMP, "response": VAN}
    assert said(only(write(tmp_path / "o.jsonl", lines(orca)))) == [("system", "public", "Be kind."), *TOLD]


def test_of_two_models_answers_the_one_that_people_chose_is_learnt(tmp_path: Path) -> None:
    sides = {
        "conversation_a": turns(("user", LAMP), ("assistant", "No.")),
        "conversation_b": turns(("user", LAMP), ("assistant", VAN)),
    }
    found = read(write(tmp_path / "t.jsonl", lines(*({**sides, "winner": won} for won in ("model_b", "tie")))))
    assert said(found[0]) == [*TOLD, ("assistant", "rejected", "No.")]
    assert said(found[1]) == []


def reply(key: str, parent: str | None, words: str, role: str = "assistant", **more: Any) -> dict[str, Any]:
    return {"message_id": key, "parent_id": parent, "message_tree_id": "a", "text": words, "role": role, **more}


REPLIES = [
    reply("a", None, LAMP, "prompter"),
    reply("c", "a", "Who knows?", rank=1),
    reply("b", "a", VAN, rank=0),
    reply("x", "a", "Spam", rank=None, deleted=True),
    reply("d", "b", "When?", "prompter"),
    reply("e", "d", "On Friday."),
]


def test_of_openassistants_trees_the_best_ranked_replies_are_read(tmp_path: Path) -> None:
    nested: dict[str, Any] = {row["message_id"]: {**row, "replies": []} for row in REPLIES}
    for row in REPLIES[1:]:
        nested[row["parent_id"]]["replies"].append(nested[row["message_id"]])
    tree = {"message_tree_id": "a", "tree_state": "ready_for_export", "prompt": nested["a"]}
    for path in (write(tmp_path / "flat.jsonl", lines(*REPLIES)), write(tmp_path / "tree.jsonl", lines(tree))):
        assert [words for _, _, words in said(only(path))] == [LAMP, VAN, "When?", "On Friday."]
        assert "best ranked" in detect([path]).cautions[0]


def node(key: str, parent: str | None, role: str, words: str, **more: Any) -> dict[str, Any]:
    message = {"author": {"role": role}, "create_time": 1.7e9, "content": {"content_type": "text", "parts": [words]}}
    return {"id": key, "parent": parent, "children": [], "message": {**message, **more}}


def test_of_chatgpts_export_the_branch_on_the_screen_is_read_and_its_model_named(tmp_path: Path) -> None:
    nodes = [
        {"id": "r", "parent": None, "message": None},
        node("s", "r", "system", "You are kind.", metadata={"is_visually_hidden_from_conversation": True}),
        node("u", "s", "user", LAMP),
        node("old", "u", "assistant", "Tried once."),
        node("call", "u", "assistant", "search(lamp)", recipient="browser"),
        node("t", "call", "tool", "A page"),
        node("now", "t", "assistant", VAN),
        node("u2", "now", "user", "Thanks."),
    ]
    mapping: dict[str, Any] = {str(entry["id"]): entry for entry in nodes}
    talk = {"title": "Lamp", "conversation_id": "c1", "mapping": mapping, "current_node": "u2"}
    path = write(tmp_path / "conversations.json", [talk])
    assert [kind for _, kind, _ in said(only(path))] == ["public", "tool", "tool", "after_tool", "public"]
    assert detect([path]).cautions[0] == "The answers in this export are a model's, not your team's."
    mapping["r"]["parent"] = "u2"  # a circle ends where it began
    assert len(only(write(tmp_path / "circle.json", [talk])).messages) == 5
