from dataclasses import replace

from ui.state.conversations import MOST, Spoken, Talk, Talks

BOTH = ("base", "run:1")


def test_all_hear_the_question_and_each_remembers_its_own_answer():
    talk = Talk().asked(BOTH, "Where is it?")
    assert talk.asking
    talk = replace(talk, spoken={"base": Spoken("Here."), "run:1": Spoken("There.")}).answered(BOTH)
    assert [said["content"] for said in talk.hears("base")] == ["Where is it?", "Here."]
    assert [said["content"] for said in talk.hears("run:1")] == ["Where is it?", "There."]
    assert not talk.asking


def test_a_voice_that_said_nothing_is_asked_again_from_the_same_place():
    talk = Talk().asked(("base",), "Where is it?").answered(("base",))
    assert talk.hears("base") == ()
    assert talk.spoken["base"].done


def test_a_held_out_ticket_begins_with_its_earlier_turns():
    opening = ({"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello!"})
    talk = Talk(opening=opening).asked(("base",), "Where is it?")
    assert [said["content"] for said in talk.hears("base")] == ["Hello", "Hello!", "Where is it?"]
    assert talk.hears("run:2") == opening


def test_only_the_newest_talks_are_kept():
    talks = Talks()
    for number in range(MOST + 1):
        talks.keep(str(number), Talk(ticket=str(number)))
    assert talks.get("0") == Talk()
    assert talks.get(str(MOST)).ticket == str(MOST)
