"""Chats with an assistant: OpenAI's messages and ShareGPT's conversations, whose person is the seeker.

OpenAI: `{"messages": [{"role": …, "content": …}]}`, as its fine-tuning files have it. ShareGPT: `{"conversations":
[{"from": …, "value": …}]}`, as FastChat and axolotl read it. What is no message of the two, such as a system prompt, which
tells of the assistant and not of the seeker, is left out and counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from esc_skills.corpora.dialogue import Dialogue, Utterance
from esc_skills.corpora.forms import BadDialogueError, Place, make_dialogue, own_id, require_list, require_text
from esc_skills.vocabulary import Speaker

_OPENAI = {
    "user": Speaker.SEEKER,
    "assistant": Speaker.SUPPORTER,
    **dict.fromkeys(("system", "developer", "tool", "function")),
}
_SHAREGPT = {
    **dict.fromkeys(("human", "user"), Speaker.SEEKER),
    **dict.fromkeys(("gpt", "chatgpt", "assistant", "bard", "bing"), Speaker.SUPPORTER),
    **dict.fromkeys(("system", "tool", "function_call", "function_response", "observation")),
}


def read_openai(value: Any, place: Place) -> Dialogue:
    """Return a conversation of OpenAI's form.

    Raises:
        BadDialogueError: It is of another form.
    """
    utterances = []
    for message in require_list(value, "messages"):
        speaker = _speaker(require_text(message, "role"), _OPENAI, place)
        if speaker and (text := _content(message, place)) is not None:
            utterances.append(Utterance(speaker, text))
    return make_dialogue(place, own_id(value, place, "id", "conversation_id"), utterances)


def read_sharegpt(value: Any, place: Place) -> Dialogue:
    """Return a conversation of ShareGPT's form.

    Raises:
        BadDialogueError: It is of another form.
    """
    utterances = []
    for message in require_list(value, "conversations"):
        speaker = _speaker(require_text(message, "from"), _SHAREGPT, place)
        if speaker:
            utterances.append(Utterance(speaker, require_text(message, "value")))
    return make_dialogue(place, own_id(value, place, "id"), utterances)


def _speaker(role: str, known: Mapping[str, Speaker | None], place: Place) -> Speaker | None:
    if role not in known:
        raise BadDialogueError("speaker", f"the role {role[:40]!r} should be one of {', '.join(known)}")
    if known[role] is None:
        place.tally.leave_out("message", role)
    return known[role]


def _content(message: dict[str, Any], place: Place) -> str | None:
    """Return the text of a message, whose content may be in parts, or be missing where a tool is called."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    if content is None and (message.get("tool_calls") or message.get("function_call")):
        place.tally.leave_out("message", "tool call")
        return None
    if not isinstance(content, list):
        raise BadDialogueError("form", f"'content' should be a text or a list of parts and is {str(content)[:40]!r}")
    texts = []
    for part in content:
        if isinstance(part, dict) and part.get("type") == "text":
            texts.append(require_text(part, "text"))
        else:
            place.tally.leave_out("part", str(part.get("type")) if isinstance(part, dict) else "of another form")
    return "\n".join(texts)
