from pathlib import Path

from engine.studio import Voice
from ui.playground.conversation_file import as_markdown
from ui.state.conversations import Conversation, Reply


def test_every_voice_the_marks_and_the_agent_stand_in_the_file():
    base, tuned = Voice("base", "Base model", "", None), Voice("run:1", "Spring", "starter", Path("x"))
    asked = Conversation(reference="By Monday.", ticket="7").asked(("base", "run:1"), "Where is it?\nReally?")
    replies = {"base": Reply("No idea."), "run:1": Reply("On its\n# way", weights="step 12, 0badcafe")}
    written = as_markdown(
        Conversation(asked.lanes, replies, "By Monday.", "7").answered(("base", "run:1")), [base, tuned]
    )
    assert (
        written.index("## Base model") < written.index("## Spring (step 12, 0badcafe)") < written.index("## The agent")
    )
    assert "> Where is it?\n> Really?" in written
    assert "> On its\n> # way" in written  # what a model writes makes no heading
    assert "> By Monday." in written
