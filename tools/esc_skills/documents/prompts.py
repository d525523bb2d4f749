"""The prompt templates of the roles, and the form of the answers that they ask for.

A template is a file that a reader may change; what is put into it was said by a model or written in a pull request. So
values are inserted as text that is never read as template, and none of them can close the mark that it stands in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from esc_skills.documents.findings import Finding
from esc_skills.documents.frontmatter import FrontMatter, split_front_matter
from esc_skills.documents.jsonl import digest
from esc_skills.documents.schema import check_schema, line_at, load_schema, suggest
from esc_skills.documents.shipped import shipped
from esc_skills.documents.text import decode, read_bytes
from esc_skills.documents.yaml import YamlDocument, parse_yaml
from esc_skills.errors import DocumentError, InputError
from esc_skills.vocabulary import Language

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.nodes import Node
    from jinja2.sandbox import SandboxedEnvironment

#: The brackets of the marks around material, and those that look like them, become plain ones inside a value.
_MARKS = {"⟦": "[", "⟧": "]", "〚": "[", "〛": "]"}
#: All that a template may be made of, as nodes of jinja2: no call, attribute or file, so filling it in cannot fail.
_CONSTRUCTS = frozenset(
    ("Output", "TemplateData", "Name", "For", "If", "And", "Or", "Not", "Compare", "Const", "eq", "ne")
)
_Word = TypeVar("_Word", bound=StrEnum)


class PromptRole(StrEnum):
    """What a model is asked to do; each has a template in every language and a form of answer."""

    SEEKER_APPRAISAL = "seeker-appraisal"
    SEEKER_REPLY = "seeker-reply"
    SUPPORTER_SELECT = "supporter-select"
    SUPPORTER_ANSWER = "supporter-answer"
    SUPPORTER_STRATEGY = "supporter-strategy"
    SUPPORTER_BASELINE = "supporter-baseline"
    ANALYST_DIAGNOSE = "analyst-diagnose"
    ANALYST_REFINE = "analyst-refine"
    ANALYST_DISTIL = "analyst-distil"
    ANNOTATOR_UNIT = "annotator-unit"
    JUDGE_SAFETY = "judge-safety"
    JUDGE_RESPONSES = "judge-responses"


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt template.

    Attributes:
        variables: The names that the template uses, in the order of its front matter.
        text: The template, without front matter.
        digest: `sha256:<hex>` of the file's bytes.
    """

    role: PromptRole
    language: Language
    version: str
    variables: tuple[str, ...]
    text: str
    digest: str

    def render(self, /, **values: str) -> str:
        """Return the template with its variables replaced by texts, which stand there as they are.

        The brackets ⟦ and ⟧ alone become [ and ] inside a value, so that it cannot close the mark around it.

        Raises:
            InputError: A variable is missing, unknown or no text; the message names each.
        """
        from jinja2 import TemplateError  # with the sandbox 40 ms, which a run without a model should not pay

        shown = f"the prompt {self.role}.{self.language}"
        is_right = values.keys() == set(self.variables) and all(type(value) is str for value in values.values())
        if not is_right and (wrong := "; ".join(_wrong_values(self.variables, values))):
            raise InputError(f"{shown}: {wrong}", f"its variables are {', '.join(self.variables)}; each is a text")
        try:
            return _template(self.text).render({name: _without_marks(value) for name, value in values.items()})
        except TemplateError as error:
            raise InputError(f"{shown}: {error}", "insert variables as they are, without attributes") from error


def _without_marks(value: str) -> str:
    if value.isascii():  # as nearly all is
        return value
    for mark, plain in _MARKS.items():
        if mark in value:
            value = value.replace(mark, plain)
    return value


def _wrong_values(variables: tuple[str, ...], values: Mapping[str, Any]) -> Iterator[str]:
    for name in variables:
        if name not in values:
            yield f"the variable {name!r} is missing"
    for name, value in values.items():
        if name not in variables:
            yield f"unknown variable {name!r}{suggest(name, list(variables))}"
        elif not isinstance(value, str):
            yield f"the variable {name!r} is {type(value).__name__}, not text"


@cache
def load_prompt(role: str, language: str) -> Prompt:
    """Return the shipped prompt of a role in a language.

    Raises:
        InputError: There is no such role or language.
        DocumentError: The file is no prompt, or another role's or language's.
    """
    wanted = _word(PromptRole, role, "a role"), _word(Language, language, "a language")
    path = shipped("prompts", "{}.{}.md".format(*wanted))
    prompt = parse_prompt(read_bytes(path), str(path))
    if (prompt.role, prompt.language) != wanted:
        found = f"says that it is {prompt.role} in {prompt.language}"
        raise DocumentError(str(path), 1, "prompt-name", found, "name the file <role>.<language>.md")
    return prompt


@cache
def prompt_digest(role: str, language: str) -> str:
    """Return the digest of the shipped prompt of a role in a language: `sha256:<hex>` of the file's bytes."""
    return digest(read_bytes(shipped("prompts", f"{role}.{language}.md")))


def _word(words: type[_Word], word: str, kind: str) -> _Word:
    try:
        return words(word)
    except ValueError:
        known = [str(each) for each in words]
        raise InputError(f"{word!r} is not {kind}{suggest(word, known)}", f"one of {', '.join(known)}") from None


def parse_prompt(data: bytes, shown: str) -> Prompt:
    """Return the prompt that the bytes of a file hold.

    Args:
        data: The file's bytes, from the disk or from git.
        shown: The file's name for messages.

    Raises:
        DocumentError: The front matter departs from `schemas/prompt.schema.json`, the template cannot be read or holds
            more than variables, `for` and `if`, or the variables that it declares are not those that it uses.
    """
    front = split_front_matter(decode(data, shown), shown)
    head = parse_yaml(front.yaml, shown, first_line=front.yaml_line)
    for finding in check_schema(head.value, "prompt", shown, head.lines):
        raise DocumentError(shown, finding.line, finding.code, finding.message, "see schemas/prompt.schema.json")
    variables = tuple(head.value["variables"].split(", "))
    _require_declared(variables, _used_variables(front, shown), head, shown)
    return Prompt(
        role=PromptRole(head.value["role"]),
        language=Language(head.value["language"]),
        version=head.value["version"],
        variables=variables,
        text=front.body.strip() + "\n",
        digest=digest(data),
    )


def _used_variables(front: FrontMatter, shown: str) -> set[str]:
    from jinja2 import TemplateSyntaxError
    from jinja2.meta import find_undeclared_variables

    try:
        template = _environment().parse(front.body)
    except TemplateSyntaxError as error:
        line = front.body_line + error.lineno - 1
        raise DocumentError(shown, line, "template-syntax", error.message or "is no template") from error
    _require_plain(template, front.body_line, shown)
    return find_undeclared_variables(template)


def _require_plain(template: Node, first_line: int, shown: str) -> None:
    from jinja2.nodes import Node, Operand

    line = 1
    for node in template.find_all(Node):
        line = node.lineno or line  # operands know no line of their own
        kind = node.op if isinstance(node, Operand) else type(node).__name__
        if kind not in _CONSTRUCTS:
            hint = "use plain variables, `for`, and `if` with `==` or `!=`"
            message = f"{kind} has no place in a prompt"
            raise DocumentError(shown, first_line + line - 1, "template-construct", message, hint)


def _require_declared(declared: tuple[str, ...], used: set[str], head: YamlDocument, shown: str) -> None:
    wrong = [f"{name!r} is declared twice" for name in sorted(set(declared)) if declared.count(name) > 1]
    wrong += [f"{name!r} is used and not declared" for name in sorted(used.difference(declared))]
    wrong += [f"{name!r} is declared and not used" for name in sorted(set(declared) - used)]
    if wrong:
        line = line_at(head.lines, "/variables")
        raise DocumentError(shown, line, "prompt-variables", "; ".join(wrong), "declare what the template uses")


@cache
def _environment() -> SandboxedEnvironment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.globals.clear()
    return environment


@lru_cache(maxsize=64)
def _template(text: str) -> Template:
    return _environment().from_string(text)


def answer_schema(role: str) -> dict[str, Any]:
    """Return the JSON Schema of a role's answer. It refers to nothing else, so an endpoint can be given it as it is.

    Raises:
        InputError: There is no such role.
    """
    schema: dict[str, Any] = load_schema("answers")["$defs"][_word(PromptRole, role, "a role")]
    return schema


def check_answer(role: str, value: Any, shown: str) -> list[Finding]:
    """Return every way in which a parsed answer departs from the form that its role asks for.

    Args:
        role: The role that was asked.
        value: The parsed answer.
        shown: Where the answer comes from, for the findings.

    Raises:
        InputError: There is no such role.
    """
    key = str(_word(PromptRole, role, "a role"))
    findings = check_schema({key: value}, "answers", shown)
    return [replace(each, pointer=each.pointer.removeprefix(f"/{key}")) for each in findings]
