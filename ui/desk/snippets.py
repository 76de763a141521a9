"""What a person types elsewhere to ask the endpoint: complete, with the address and the name of a model filled in."""

import json

from markupsafe import Markup

from ui import parts
from ui.desk.views import ADDRESS
from ui.parts import join

QUESTION = "Where is my parcel? I ordered on Monday."


def snippets(model: str, lookup: bool) -> Markup:
    """All ways, each folded.

    Args:
        model: The name of a model that is offered.
        lookup: Whether it has tickets in which it can look up.
    """
    ways = [
        ("In a terminal (curl)", "", curl(model, lookup)),
        ("In a script (Python)", "Any client of OpenAI's API will do.", python(model, lookup)),
        ("Zendesk: a draft as an internal note (Python)", NOTE_WORDS, zendesk_note(model, lookup)),
        ("Zendesk or Freshdesk: the body of a webhook", WEBHOOK_WORDS, webhook(model, lookup)),
    ]
    told = [
        Markup('<details class="way"{}><summary>{}</summary>{}{}</details>').format(
            Markup(" open") if number == 0 else "",
            title,
            Markup('<p class="quiet">{}</p>').format(sentence) if sentence else "",
            parts.command(text),
        )
        for number, (title, sentence, text) in enumerate(ways)
    ]
    rest = Markup(
        '<p class="quiet">Press a text to copy it. TICKET_TUNER_KEY holds a key from above; <code>mask</code> hides '
        "personal data from the model and puts it back into the answer, <code>lookup</code> lets it read the nearest "
        "tickets first.</p>"
    )
    return Markup('<div class="ways">{}{}</div>').format(rest, join(told))


NOTE_WORDS = "Run it for a ticket's number; the agent finds the draft in the ticket, where no customer sees it."
WEBHOOK_WORDS = (
    "Address, header and body of the request. A webhook of Zendesk only sends, and so does Freshdesk's ‘Trigger "
    "Webhook’; Freshdesk's ‘Trigger API’ lets a rule go on with the answer. Both have to reach this computer."
)


def curl(model: str, lookup: bool) -> str:
    """For a terminal."""
    body = json.dumps(_body(model, QUESTION, lookup))
    return (
        f"curl {ADDRESS}/v1/chat/completions \\\n"
        '  -H "Authorization: Bearer $TICKET_TUNER_KEY" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d '{body}'"
    )


def python(model: str, lookup: bool) -> str:
    """For a script."""
    return f"""# pip install openai
import os
from openai import OpenAI

desk = OpenAI(base_url="{ADDRESS}/v1", api_key=os.environ["TICKET_TUNER_KEY"])
answer = desk.chat.completions.create(
    model="{model}",
    messages=[{{"role": "user", "content": "{QUESTION}"}}],
    extra_body={{"mask": True, "lookup": {lookup}}},
)
print(answer.choices[0].message.content)"""


def zendesk_note(model: str, lookup: bool) -> str:
    """For a script that reads a ticket of Zendesk and puts a draft into it.

    https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/
    """
    return f"""# pip install openai requests
import os, sys
import requests
from openai import OpenAI

ticket = f"https://YOUR-SHOP.zendesk.com/api/v2/tickets/{{int(sys.argv[1])}}.json"
login = (os.environ["ZENDESK_EMAIL"] + "/token", os.environ["ZENDESK_TOKEN"])
asked = requests.get(ticket, auth=login, timeout=30).json()["ticket"]["description"]

desk = OpenAI(base_url="{ADDRESS}/v1", api_key=os.environ["TICKET_TUNER_KEY"])
answer = desk.chat.completions.create(
    model="{model}",
    messages=[{{"role": "user", "content": asked}}],
    extra_body={{"mask": True, "lookup": {lookup}}},
)
note = {{"body": "Draft:\\n" + answer.choices[0].message.content, "public": False}}
requests.put(ticket, auth=login, timeout=30, json={{"ticket": {{"comment": note}}}}).raise_for_status()"""


def webhook(model: str, lookup: bool) -> str:
    """For a rule of a help desk."""
    body = json.dumps(_body(model, "{{ticket.latest_public_comment}}", lookup), indent=2)
    return f"""POST {ADDRESS}/v1/chat/completions
Authorization: Bearer THE-KEY
Content-Type: application/json

{body}"""


def _body(model: str, question: str, lookup: bool) -> dict[str, object]:
    asked = {"model": model, "messages": [{"role": "user", "content": question}], "mask": True}
    return {**asked, "lookup": True} if lookup else asked
