from dataclasses import replace

from engine.chat.records import NEAREST_VOICE, LookedUpTicket, LookUp
from engine.studio import Voice
from tests.ui.fake_tickets import HOSTILE
from ui.playground import views
from ui.state.conversations import Conversation, Reply

BASE = Voice("base", "Base model", "", None)


def tuned(tmp_path, name="Run 3"):
    return Voice("run:r3", name, "starter", tmp_path)


def test_every_pane_says_which_weights_answer(tmp_path):
    shown = views.board(Conversation(), [BASE, tuned(tmp_path)])
    assert '<span class="weights">base</span>' in shown
    assert '<span class="weights">base + Run 3</span>' in shown
    assert shown.count("data-voice=") == 2


def test_what_models_and_customers_write_is_never_a_part_of_the_page(tmp_path):
    conversation = Conversation(reference=HOSTILE, ticket=HOSTILE, ticket_question=HOSTILE).asked(("base",), HOSTILE)
    conversation = replace(conversation, replies={"base": Reply(HOSTILE, 3, 1.0, False)}, stage=HOSTILE)
    assert "<img" not in views.board(conversation, [BASE, tuned(tmp_path, HOSTILE)])


def test_the_tally_says_speed_length_and_why_it_ended(tmp_path):
    conversation = Conversation(replies={"base": Reply("Hello", 20, 2.0, True, "end")})
    assert "10.0 tokens/s · 20 tokens · ended by itself" in views.board(conversation, [BASE])


def test_an_answer_that_is_complete_stays_while_another_voice_still_speaks(tmp_path):
    asked = Conversation().asked(("base", "run:r3"), "Will the driver come again?")
    replies = {"base": Reply("On Monday.", 3, 1.0, True, "end"), "run:r3": Reply("On", 1, 1.0, False)}
    conversation = replace(asked, replies=replies)
    voices = [BASE, tuned(tmp_path)]
    assert views.board(conversation, voices).count("On Monday.") == 1
    assert views.board(conversation.answered(("base", "run:r3")), voices).count("On Monday.") == 1
    answered = conversation.answered(("base", "run:r3"))
    again = answered.asked(("run:r3",), "And if I am out?")  # the base is not asked again
    assert views.board(again, voices).count("On Monday.") == 1


def test_the_agents_real_answer_stands_beside(tmp_path):
    shown = views.board(Conversation(reference="Postage is 4 pounds 20.", ticket="7"), [BASE])
    assert "What the agent really wrote" in shown
    assert "panes-2" in shown


def test_voices_that_are_gone_are_left_out_and_there_are_at_most_three(tmp_path):
    known = [BASE, *(Voice(f"run:{n}", f"Run {n}", "starter", tmp_path) for n in range(5))]
    assert [voice.id for voice in views.shown(known, ["run:9", "run:1", "run:2", "run:3", "run:4"])] == [
        "base",
        "run:1",
        "run:2",
        "run:3",
    ]


def test_what_another_base_said_is_not_shown_as_this_ones(tmp_path):
    """After a conversation over the starter the pane of the base went on with what another model said."""
    one, other = Voice("run:1", "Run 1", "starter", tmp_path), Voice("run:2", "Run 2", "models/other", tmp_path)
    base, _ = views.shown([BASE, one, other], ["run:1"])
    asked = Conversation().asked((views.lane(base), "run:1"), "Where is my parcel?")
    conversation = replace(asked, replies={views.lane(base): Reply("It is a recipe."), "run:1": Reply("On its way.")})
    conversation = conversation.answered((views.lane(base), "run:1"))
    assert "It is a recipe." in views.board(conversation, views.shown([BASE, one, other], ["run:1"]))
    over_the_other = views.board(conversation, views.shown([BASE, one, other], ["run:2"]))
    assert "It is a recipe." not in over_the_other
    assert '<span class="weights">base: other</span>' in over_the_other


def test_adapters_over_another_base_leave_when_one_is_chosen(tmp_path):
    known = [BASE, *(Voice(f"run:{n}", f"Run {n}", "starter", tmp_path) for n in range(2))]
    known.append(Voice("run:9", "Run 9", "other", tmp_path))
    assert views.over_one_base(known, ["run:0", "run:1", "run:9"]) == ["run:9"]
    assert views.over_one_base(known, ["run:9", "run:1"]) == ["run:1"]
    assert views.over_one_base(known, ["run:0", "run:1"]) == ["run:0", "run:1"]
    assert views.over_one_base(known, []) == []
    assert views.over_one_base(known, ["run:gone", "base"]) == []
    assert [voice.id for voice in views.shown(known, ["run:0", "run:9"])] == ["base", "run:9"]


SAID = ({"role": "user", "content": HOSTILE}, {"role": "assistant", "content": "Use vinegar."})
NEAR = LookedUpTicket("7", 0.61, SAID)


def answered(found, done=True):
    asked = Conversation().asked(("base+lookup",), "It drips")
    reply = Reply("Vinegar.", 2, 1.0, done, "end", "", found)
    return replace(asked, replies={"base+lookup": reply})


def test_the_tickets_that_were_looked_up_stand_folded_under_the_answer_with_their_nearness():
    shown = views.board(answered(LookUp((NEAR, replace(NEAR, ticket="8")), 0.61, 0.2, used=1)), [BASE.looking])
    assert "1 ticket looked up" in shown and "nearness 0.61" in shown and "Use vinegar." in shown
    assert shown.count("found, and not used") == 1
    assert "<details" in shown and "<details open" not in shown and "<img" not in shown


def test_tickets_that_had_no_room_are_said_to_be_found_and_not_read():
    shown = views.board(answered(LookUp((NEAR,), 0.61, 0.2, used=0)), [BASE.looking])
    assert "Tickets were found, but there is no room" in shown and shown.count("found, and not used") == 1


def test_where_nothing_is_near_enough_the_answer_says_so():
    shown = views.board(answered(LookUp((), 0.12, 0.21)), [BASE.looking])
    assert "No ticket is near enough (the nearest has 0.12, 0.21 are needed)" in shown
    assert "looked up</summary>" not in shown


def test_who_answers_without_look_up_says_nothing_of_it(tmp_path):
    assert "looked up" not in views.board(answered(None), [BASE.looking])


def test_each_voice_can_be_chosen_with_look_up_and_so_can_the_nearest_answer(tmp_path):
    known = [BASE, tuned(tmp_path)]
    assert [name for _, name in views.choices(known)] == ["run:r3", "run:r3+lookup", "base+lookup", "nearest"]
    chosen = ["nearest", "base+lookup", "run:r3+lookup"]
    shown = views.shown(known, chosen)
    assert [voice.id for voice in shown] == ["base", *chosen]
    assert [voice.model for voice in shown] == ["starter", "", "starter", "starter"]
    assert [voice.lookup for voice in shown] == [False, True, True, True]


def test_a_voice_that_was_trained_with_look_up_has_no_other_way_to_answer(tmp_path):
    known = [BASE, replace(tuned(tmp_path), lookup=True)]
    assert [name for _, name in views.choices(known)] == ["run:r3", "base+lookup", "nearest"]
    assert views.newly(known, "run:r3") == ["run:r3"]


def test_a_new_playground_compares_the_base_the_tuned_and_the_tuned_with_look_up(tmp_path):
    assert views.newly([BASE, tuned(tmp_path)], "run:r3") == ["run:r3", "run:r3+lookup"]
    assert views.newly([BASE], "run:gone") == []


def test_look_up_changes_no_weights_and_so_not_their_name(tmp_path):
    shown = views.board(Conversation(), [tuned(tmp_path).looking])
    assert '<span class="weights">base + Run 3</span>' in shown and "<h3>Run 3, with look-up</h3>" in shown


def test_the_nearest_answer_says_so_where_there_is_none():
    asked = Conversation().asked(("nearest",), "A zebra walks through Ulm")
    reply = Reply("", 0, 0.1, True, "end", lookup=LookUp((), 0.12, 0.21))
    shown = views.board(replace(asked, replies={"nearest": reply}).answered(("nearest",)), [NEAREST_VOICE])
    assert "No ticket is near enough" in shown and "word for word" not in shown


def test_the_nearest_answer_says_that_no_model_has_a_part_in_it():
    shown = views.board(Conversation(), [NEAREST_VOICE])
    assert '<span class="weights">no model</span>' in shown and "no model has a part in it" in shown


ASKED = ({"role": "user", "content": "Where?"},)


def test_thoughts_stand_folded_before_the_answer_and_as_text():
    said = Reply("Hello.", 9, 1.0, True, "end", thoughts="<b>Hm</b>")
    talk = Conversation(lanes={"base": (*ASKED, {"role": "assistant", "content": "Hello."})}, replies={"base": said})
    shown = views.board(talk, [BASE])
    assert '<details class="thoughts">' in shown
    assert "&lt;b&gt;Hm" in shown
    assert shown.index("Where?") < shown.index("&lt;b&gt;Hm") < shown.index("Hello.")
    assert "<details open" not in shown


def test_a_model_that_is_thinking_is_said_to_be():
    thinking = Reply("", 3, 1.0, False, None, thoughts="Hm")
    shown = views.board(Conversation(lanes={"base": ASKED}, replies={"base": thinking}, stage="Writing"), [BASE])
    assert ">Thinking<" in shown


def test_a_conversation_whose_beginning_was_not_read_says_so_in_its_pane():
    said = Reply("Hello.", 9, 1.0, True, "end", note="The oldest 2 messages were left off.")
    shown = views.board(Conversation(lanes={"base": ASKED}, replies={"base": said}), [BASE])
    assert '<p class="left-off" role="note">The oldest 2 messages were left off.</p>' in shown


def test_the_agents_answer_stands_beside_answers_to_its_own_question_alone():
    picked = Conversation(reference="By Monday.", ticket="7", ticket_question=" Where is it?\n")
    assert "By Monday." in views.board(picked, [BASE])
    asked = picked.asked(("base",), "Where is it?")
    assert "By Monday." in views.board(asked, [BASE])
    assert "By Monday." not in views.board(picked.asked(("base",), "Can I return it?"), [BASE])
    followed = asked.answered(("base",)).asked(("base",), "And what does it cost?")
    assert "By Monday." not in views.board(followed, [BASE])
    assert "By Monday." in views.board(followed.taken_back()[1], [BASE])
