from dataclasses import replace

from ui.state.conversations import MOST, Conversation, Conversations, Reply

BOTH = ("base", "run:1")


def test_all_hear_the_question_and_each_remembers_its_own_answer():
    conversation = Conversation().asked(BOTH, "Where is it?")
    assert conversation.asking
    conversation = replace(conversation, replies={"base": Reply("Here."), "run:1": Reply("There.")}).answered(BOTH)
    assert [said["content"] for said in conversation.hears("base")] == ["Where is it?", "Here."]
    assert [said["content"] for said in conversation.hears("run:1")] == ["Where is it?", "There."]
    assert not conversation.asking


def test_a_voice_that_said_nothing_is_asked_again_from_the_same_place():
    conversation = Conversation().asked(("base",), "Where is it?").answered(("base",))
    assert conversation.hears("base") == ()
    assert conversation.replies["base"].done


def test_a_held_out_ticket_begins_with_its_earlier_turns():
    opening = ({"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello!"})
    conversation = Conversation(opening=opening).asked(("base",), "Where is it?")
    assert [said["content"] for said in conversation.hears("base")] == ["Hello", "Hello!", "Where is it?"]
    assert conversation.hears("run:2") == opening


def test_only_the_newest_conversations_are_kept():
    conversations = Conversations()
    for number in range(MOST + 1):
        conversations.keep(str(number), Conversation(ticket=str(number)))
    assert conversations.get("0") == Conversation()
    assert conversations.get(str(MOST)).ticket == str(MOST)
