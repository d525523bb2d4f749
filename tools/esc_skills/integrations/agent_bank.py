"""A bank as an agent uses it: load it, check it, choose a skill for a conversation, make a system prompt of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from esc_skills.bank.entrance import ENTRANCE_FILE, render_entrance
from esc_skills.bank.reader import ENTRANCE, read_bank, read_files
from esc_skills.bank.reader import Bank as BankRecord
from esc_skills.bank.skill import SKILL_FILE, Skill
from esc_skills.documents.findings import Finding
from esc_skills.documents.frontmatter import split_front_matter
from esc_skills.documents.schema import suggest
from esc_skills.documents.shipped import shipped
from esc_skills.documents.text import read_bytes
from esc_skills.errors import InputError
from esc_skills.settings import read_settings
from esc_skills.vocabulary import Risk

#: A message of a conversation: what the seeker said, or a message of a chat with its `role` and `content`.
Message = str | Mapping[str, Any]
_ROLES = {"user": True, "assistant": False, "system": None, "tool": None, "developer": None}
#: The shortest description that is worth showing.
_SHORTEST = 24
_DOTS = "…"
LOAD_TOOL, SELECT_TOOL = "load_skill", "select_skill"


@dataclass(frozen=True, slots=True)
class Selection:
    """A skill that was chosen for a conversation.

    Attributes:
        skill: The skill; None where no skill's contract allows the seeker's state.
        reason: Why, in words: the need, the stage, the emotion and the risk that were heard.
        risk: The risk that was heard: `none`, `passive`, `active` or `imminent`. It is a word list's guess; see docs/surrogate.md.
    """

    skill: Skill | None
    reason: str
    risk: str


class Bank:
    """A bank of skills, read and checked.

    Example:
        >>> from esc_skills import Bank
        >>> bank = Bank.load()                      # the shipped bank; Bank.load("skills") for your own
        >>> chosen = bank.select(["My sister died in May and nobody asks any more."])
        >>> chosen.skill is not None
        True

    Args:
        record: The bank as its reader returns it.
        where: Its folder.
    """

    def __init__(self, record: BankRecord, where: Path) -> None:
        self._record = record
        self.where = where

    @classmethod
    def load(cls, path: str | Path | None = None) -> Bank:
        """Read a bank.

        Args:
            path: The folder of skills; None for the bank that the package ships.

        Raises:
            InputError: The folder holds no bank, or a skill has an error.
        """
        folder = shipped("skills") if path is None else Path(path)
        if not folder.is_dir():
            raise InputError(f"{folder}: is no folder", "give the folder of skills, each with its SKILL.md")
        file = folder.parent / "pyproject.toml"
        settings = read_settings(read_bytes(file) if file.is_file() else None, str(file))
        return cls(read_bank(read_files(folder), str(folder), settings.vocabulary), folder)

    @property
    def skills(self) -> Mapping[str, Skill]:
        """The skills by name, in the order of their names."""
        return self._record.skills

    @property
    def record(self) -> BankRecord:
        """The bank as the other rooms take it, with the content of every file."""
        return self._record

    @property
    def digest(self) -> str:
        """A digest that is equal exactly where all files are."""
        return self._record.digest

    def __len__(self) -> int:
        return len(self.skills)

    def __iter__(self) -> Iterator[Skill]:
        return iter(self.skills.values())

    def __contains__(self, name: object) -> bool:
        return name in self.skills

    def __getitem__(self, name: str) -> Skill:
        """Return a skill.

        Raises:
            InputError: There is none of that name; the message names the nearest.
        """
        if name not in self.skills:
            raise InputError(
                f"the bank holds no skill {name!r}{suggest(name, list(self.skills))}", "see `Bank.skills` for all names"
            )
        return self.skills[name]

    def __repr__(self) -> str:
        return f"Bank({str(self.where)!r}, {len(self)} skills)"

    def validate(self) -> list[Finding]:
        """Return every problem of the folder as it is on disk now; empty where there is none."""
        from esc_skills.validation import Rules, validate_paths

        return list(validate_paths([self.where], Rules.ESC).findings)

    def select(self, messages: Sequence[Message], used: Sequence[str] = ()) -> Selection:
        """Choose the skill whose contract fits a conversation best, as the surrogate supporter does, without a model.

        Where danger is heard, even in passing, a skill for danger is chosen. What is heard follows from word lists: a person in
        danger may say it in words that none of them holds, so this is no safety net.

        Args:
            messages: What the seeker said, oldest first; or the messages of a chat, of which those of `user` are read.
            used: The names of the skills of earlier turns, oldest first; what was just used yields to others.

        Raises:
            InputError: No message is the seeker's, or one has neither text nor a known role.
        """
        from esc_skills.language.wording import detect_language
        from esc_skills.surrogate.state import read_seeker_state
        from esc_skills.surrogate.supporter import select_skill

        said = _said_by_seeker(messages)
        language = detect_language(said[-1])
        state = read_seeker_state(said, language)
        skills = self._with_examples(language)
        if state.risk is not Risk.NONE:  # danger comes first, as the entrance says, even in passing
            skills = [each for each in skills if {Risk.ACTIVE, Risk.IMMINENT} & set(each.risk_levels)] or skills
        chosen = select_skill(skills, state, used, said[-1])
        return Selection(chosen.skill, chosen.reason, str(state.risk))

    def _with_examples(self, language: str) -> Sequence[Skill]:
        """The skills that can be shown in a language; all where none can, since guidance is read in any language."""
        spoken = self._by_language.setdefault(language, [each for each in self if each.examples_in(language)])
        return spoken or list(self)

    @cached_property
    def _by_language(self) -> dict[str, list[Skill]]:
        return {}

    def search(self, words: str, limit: int = 10) -> list[Skill]:
        """Return the skills whose name, description or occasions hold most of some words, the best first.

        Args:
            words: The words; any order.
            limit: How many skills at most.
        """
        from esc_skills.language.wording import stem
        from esc_skills.surrogate.echo import content_words

        def read(text: str) -> set[str]:
            return {stem(each) for each in content_words(text)}

        asked, found = read(words), []
        for skill in self:
            first = read(f"{skill.name.replace('-', ' ')} {skill.description}")
            second = read(" ".join((*skill.when_to_use, *skill.needs, *skill.emotions)))
            worth = 2 * len(asked & first) + len(asked & second - first)
            if worth:
                found.append((-worth, skill.name, skill))
        return [skill for _, _, skill in sorted(found, key=lambda each: each[:2])[:limit]]

    @property
    def entrance(self) -> str:
        """The text of the entrance: what a supporter always does, and the map of all skills, without front matter."""
        data = self._record.contents.get(ENTRANCE_FILE)
        text = data.decode() if data is not None else render_entrance(self.skills)
        return split_front_matter(text, ENTRANCE_FILE).body.strip() + "\n"

    def body(self, name: str) -> str:
        """Return what a skill says, without its front matter.

        Args:
            name: The skill's name, or `emotional-support` for the entrance.

        Raises:
            InputError: There is none of that name.
        """
        return (
            self.entrance if name == ENTRANCE else split_front_matter(self[name].text, SKILL_FILE).body.strip() + "\n"
        )

    def system_prompt(self, budget: int | None = None) -> str:
        """Return a system prompt: what a supporter always does, and the skills with the moment that each is for.

        The model loads a skill with a tool, whose definition `tools` returns.

        Args:
            budget: The most characters that it may take; descriptions are shortened alike. None for no bound.

        Raises:
            InputError: Not even the names fit the budget; the message says what does.
        """
        head, _, _ = self.entrance.partition("\n## The skills\n")
        head = head.replace(
            "Read `../NAME/SKILL.md`, or load NAME with the tool that your client has for skills.",
            f"Load it with `{LOAD_TOOL}`.",
        ).strip()
        start = f"{head}\n\n## The skills\n\n"
        whole = {skill.name: skill.description for skill in self}
        if budget is None:
            return start + _lines(whole)
        return start + _within(whole, budget - len(start), len(start))

    def tools(self) -> list[dict[str, Any]]:
        """Return the definitions of the tools that go with `system_prompt`, in the form of OpenAI's chat completions.

        `call_tool` answers their calls.
        """
        name = {"type": "string", "enum": [ENTRANCE, *self.skills], "description": "the skill's name"}
        messages = {"type": "array", "items": {"type": "string"}, "description": "what the seeker said, oldest first"}
        return [
            _tool(LOAD_TOOL, "Read a support skill before answering with it.", {"name": name}),
            _tool(SELECT_TOOL, "Suggest the support skill that fits what the seeker said.", {"messages": messages}),
        ]

    def call_tool(self, tool: str, arguments: Mapping[str, Any]) -> str:
        """Return the answer to a model's call of one of `tools`, as text for the model.

        A call that is wrong is answered with what is wrong, so that the model can try again.
        """
        try:
            if tool == LOAD_TOOL:
                return self.body(str(arguments.get("name")))
            if tool == SELECT_TOOL:
                chosen = self.select(arguments.get("messages") or ())
                return f"{chosen.skill.name}: {chosen.reason}" if chosen.skill else f"no skill: {chosen.reason}"
        except InputError as error:
            return f"error: {error.message}"
        return f"error: there is no tool {tool!r}; {LOAD_TOOL} and {SELECT_TOOL} are there"


def _said_by_seeker(messages: Sequence[Message]) -> list[str]:
    if isinstance(messages, str) or not isinstance(messages, Sequence):
        raise InputError("the messages are no list", "give a list, such as [text]")
    said = []
    for at, message in enumerate(messages):
        if isinstance(message, str):
            said.append(message)
            continue
        if not isinstance(message, Mapping):
            raise InputError(f"message {at} is neither a text nor a message of a chat", "see `Bank.select`")
        role, content = message.get("role"), message.get("content")
        if role not in _ROLES:
            raise InputError(f"message {at} has the role {role!r}", f"one of {', '.join(_ROLES)}")
        if _ROLES[role]:
            said.append(content if isinstance(content, str) else _text_of(content, at))
    if not any(each.strip() for each in said):
        raise InputError("no message is the seeker's", "give what they said, or messages of the role user")
    return said


def _text_of(content: Any, at: int) -> str:
    """Return the text of a message that comes in parts."""
    if not isinstance(content, Sequence):
        raise InputError(f"message {at} has no text", "give its `content` as a string")
    return " ".join(str(each.get("text", "")) for each in content if isinstance(each, Mapping))


def _lines(catalogue: Mapping[str, str]) -> str:
    return "".join(f"- `{name}`: {text}\n" if text else f"- `{name}`\n" for name, text in catalogue.items())


def _within(catalogue: Mapping[str, str], room: int, head: int) -> str:
    """Return the catalogue with all descriptions cut to one length, the longest that fits."""
    if len(lines := _lines(catalogue)) <= room:
        return lines
    for length in range(max(map(len, catalogue.values())), _SHORTEST - 1, -1):
        cut = {name: text if len(text) <= length else text[: length - 1] + _DOTS for name, text in catalogue.items()}
        if len(lines := _lines(cut)) <= room:
            return lines
    names = _lines(dict.fromkeys(catalogue, ""))
    if len(names) <= room:
        return names
    raise InputError(
        f"a budget of {head + room} characters does not hold what a supporter always does and {len(catalogue)} names",
        f"give {head + len(names)} or more, or a bank of fewer skills",
    )


def _tool(name: str, description: str, properties: dict[str, Any]) -> dict[str, Any]:
    parameters = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}
