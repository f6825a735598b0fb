"""What is read of a reply, and only that."""

import msgspec
import pytest

from pstgen.models.endpoint_replies import Reply, Token, letter_scores


def reply(**choice):
    return msgspec.json.decode(msgspec.json.encode({"choices": [choice], "extra": 1}), type=Reply)


def test_an_answer_is_its_text_or_its_refusal_or_nothing():
    assert reply(message={"content": " yes\n", "tool_calls": []}).text == "yes"
    assert reply(message={"content": None, "refusal": "No."}).text == "No."
    assert reply(message={"role": "assistant"}).text == ""


@pytest.mark.parametrize(
    "logprobs",
    [None, {}, {"content": None}, {"content": []}, {"content": [{"top_logprobs": []}]}, {"token_logprobs": [-1.0]}],
)
def test_a_reply_without_log_probabilities_lists_no_token(logprobs):
    assert reply(message={"content": "A"}, logprobs=logprobs).first_tokens == []


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"choices": []}', b'{"choices": [{}]}', b'{"choices": 1}'])
def test_what_is_no_reply_is_not_read_as_one(body):
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(body, type=Reply)


def test_where_no_letter_is_listed_none_is_likelier():
    assert letter_scores([Token("The", -0.1), Token("a", -2.0)], ("A", "B")) == (-3.0, -3.0)
