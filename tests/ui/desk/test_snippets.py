"""What a person types elsewhere is complete, and is what it says it is."""

import ast
import json
import shlex

import pytest

from ui.desk.snippets import curl, python, snippets, webhook, zendesk_note


@pytest.mark.parametrize("lookup", [True, False])
def test_the_body_for_a_terminal_is_what_the_endpoint_takes(lookup):
    from engine.serving.requests import Limits, chat_request

    words = shlex.split(curl("our-shop", lookup).replace("\\\n", " "))
    assert words[:2] == ["curl", "ADDRESS/v1/chat/completions"]
    asked = chat_request(json.loads(words[-1]), Limits())
    assert (asked.model, asked.mask, asked.lookup) == ("our-shop", True, lookup)


def test_the_body_of_a_webhook_is_json_with_the_ticket_in_it():
    head, _, body = webhook("our-shop", False).partition("\n\n")
    assert "Authorization: Bearer " in head
    assert json.loads(body)["messages"] == [{"role": "user", "content": "{{ticket.latest_public_comment}}"}]


@pytest.mark.parametrize("written", [python, zendesk_note])
def test_the_scripts_can_be_parsed_and_name_the_model(written):
    tree = ast.parse(written("our-shop", True))
    assert any(isinstance(node, ast.Constant) and node.value == "our-shop" for node in ast.walk(tree))


def test_all_of_them_can_be_pressed_to_be_copied():
    assert str(snippets("our-shop", False)).count("data-copy") == 4
