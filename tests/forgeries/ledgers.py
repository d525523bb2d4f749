"""Forged ledgers: entries changed, left out, put in, in another order or another place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from esc_skills.git import Repository
from esc_skills.ledger.book import find_ledger

from .kind import family, refused
from .workshop import Entry, Workshop, file_of

MORE = r"the ledger's commit [0-9a-f]{10} does more than add"


def rewritten(shop: Workshop, change: Callable[[list[Entry]], Sequence[Any]]) -> None:
    """Propose the real change on a ledger written anew; the entries are what a function makes of the real ones."""
    shop.propose(shop.real.evidence)
    shop.write_ledger(*change(shop.entries))


def appended(shop: Workshop, *steps: Any) -> None:
    """Propose the real change where something was appended to its ledger."""
    shop.propose(shop.real.evidence)
    shop.append(*steps)


def with_fields(at: int, **fields: Any) -> Callable[[list[Entry]], list[Entry]]:
    """Change fields of an entry."""
    return lambda entries: [{**each, **fields} if each["number"] == at else each for each in entries]


family("entries that do not follow from those before them")


@refused("ledger", r"000004\.json: /threshold is 1\.2 and should be 1\.8")
def a_threshold_is_lowered(shop: Workshop) -> None:
    rewritten(shop, with_fields(4, threshold=1.2))


@refused("ledger", r"000004\.json: /accepted is 7 and should be 1")
def more_acceptances_are_counted_than_there_were(shop: Workshop) -> None:
    rewritten(shop, with_fields(4, accepted=7, threshold=1.2 * 0.5 / (8 / 6)))


@refused("ledger", r"000004\.json: /index is 1 and should be 2")
def a_registration_is_counted_anew(shop: Workshop) -> None:
    rewritten(shop, with_fields(4, index=1, threshold=0.6))


@refused("ledger", r"000004\.json: /epoch is 2 and should be 1")
def an_epoch_is_named_that_nobody_opened(shop: Workshop) -> None:
    rewritten(shop, with_fields(4, epoch=2))


@refused("ledger", r"000004\.json: /accepted is 1 and should be 0")
def an_earlier_acceptance_is_turned_into_a_refusal(shop: Workshop) -> None:
    rewritten(shop, with_fields(3, verdict="reject"))


@refused("ledger", r"000003\.json: /number is 4 and should be 3")
def an_entry_is_dropped_and_the_rest_moved_up(shop: Workshop) -> None:
    def drop(entries: list[Entry]) -> list[Any]:
        kept = [*entries[:2], *entries[3:]]
        return [renamed(each, at) for at, each in enumerate(kept, start=1)]

    rewritten(shop, drop)


def renamed(entry: Entry, number: int) -> dict[str, bytes]:
    """The file of an entry under another number than its own."""
    ((_, data),) = file_of(entry).items()
    return {f"entries/{number:06}.json": data}


@refused("ledger", r"000002\.json: /index is 2 and should be 1")
def a_proposal_is_dropped_and_the_rest_renumbered(shop: Workshop) -> None:
    rewritten(shop, lambda entries: [entries[0], {**entries[3], "number": 2}])


@refused("ledger", r"000006\.json: decides the registration 2 a second time")
def a_registration_is_decided_a_second_time(shop: Workshop) -> None:
    appended(shop, {**shop.entries[2], "number": 6})


@refused("ledger", r"000006\.json: /registration is 9, which is no registration")
def something_is_decided_that_was_not_registered(shop: Workshop) -> None:
    appended(shop, {**shop.entries[2], "number": 6, "registration": 9})


@refused("ledger", r"000006\.json: /registration is 1, which is no registration")
def an_epoch_is_decided(shop: Workshop) -> None:
    appended(shop, {**shop.entries[2], "number": 6, "registration": 1})


@refused("ledger", r"000002\.json: /registration is 3, which is no registration")
def the_decision_stands_before_the_registration(shop: Workshop) -> None:
    def swap(entries: list[Entry]) -> list[Entry]:
        epoch, registration, decision, *_ = entries
        return [epoch, {**decision, "number": 2, "registration": 3}, {**registration, "number": 3}]

    rewritten(shop, swap)


@refused("ledger", r"000001\.json: stands before any epoch")
def there_is_no_epoch(shop: Workshop) -> None:
    rewritten(shop, lambda entries: [{**entries[1], "number": 1}])


@refused("ledger", r"000006\.json: /epoch is 7 and should be 2")
def epochs_are_skipped(shop: Workshop) -> None:
    appended(shop, {**shop.entries[0], "number": 6, "epoch": 7})


@refused("ledger", r"000006\.json: /number is 9 and should be 6")
def an_entry_has_the_number_of_another(shop: Workshop) -> None:
    appended(shop, renamed({**shop.entries[0], "number": 9, "epoch": 2}, 6))


family("entries that are none")


def text_of(shop: Workshop, text: str, number: int = 6) -> None:
    """Append a text as an entry."""
    appended(shop, {f"entries/{number:06}.json": text.encode()})


@refused("ledger", r"000006\.json:1: json-value: the key 'kind' occurs twice")
def an_entry_repeats_a_key(shop: Workshop) -> None:
    text_of(shop, '{"format":"esc-skills/ledger/1","kind":"epoch","kind":"decision"}\n')


@refused("ledger", r"000006\.json:1: json-value: Infinity is no JSON number")
def an_entry_holds_no_number(shop: Workshop) -> None:
    text_of(shop, '{"e_value":Infinity}\n')


@refused("ledger", r"000006\.json: schema-anyOf")
def an_entry_has_keys_of_its_own(shop: Workshop) -> None:
    appended(shop, {**shop.entries[0], "number": 6, "epoch": 2, "because": "we need it"})


@refused("ledger", r"000006\.json is not written as the tools write it")
def an_entry_is_laid_out_in_another_way(shop: Workshop) -> None:
    data = file_of({**shop.entries[0], "number": 6, "epoch": 2})["entries/000006.json"]
    appended(shop, {"entries/000006.json": data.replace(b",", b", ")})


@refused("ledger", r"000006\.json: has [\d,]+ bytes")
def an_entry_is_huge(shop: Workshop) -> None:
    text_of(shop, "x" * 20_001)


@refused("ledger", r"000006\.json:1: encoding: byte 0xff is not UTF-8")
def an_entry_is_no_text(shop: Workshop) -> None:
    appended(shop, {"entries/000006.json": b"\xff"})


family("commits that do something else")


def next_epoch(shop: Workshop) -> Entry:
    """An epoch that may follow."""
    return {**shop.entries[0], "number": 6, "epoch": 2, "release": "v2"}


@refused("ledger", r"000002\.json: /threshold is 1\.01 and should be 1\.2")
def an_old_entry_is_changed_by_a_new_commit(shop: Workshop) -> None:
    appended(shop, file_of({**shop.entries[1], "threshold": 1.01}))


@refused(
    "ledger",
    r"000005\.json.*(is missing|does more)",
)
def a_refused_entry_is_deleted_by_a_new_commit(shop: Workshop) -> None:
    appended(shop, {"entries/000005.json": None})


@refused("ledger", rf"{MORE} entries/000006\.json", "a commit that does something else")
def a_commit_adds_another_file_beside_its_entry(shop: Workshop) -> None:
    appended(shop, {**file_of(next_epoch(shop)), "README.md": b"# Hello\n"})


@refused("ledger", rf"{MORE} entries/000006\.json", "a commit that does something else")
def a_commit_adds_two_entries(shop: Workshop) -> None:
    appended(shop, {**file_of(next_epoch(shop)), **file_of({**next_epoch(shop), "number": 7, "epoch": 3})})


@refused("ledger", rf"{MORE} entries/000006\.json", "a commit that does something else")
def a_commit_adds_nothing(shop: Workshop) -> None:
    shop.propose(shop.real.evidence)
    shop.move(shop.git("rev-parse", "ledger^{tree}"), "ledger", branch="ledger")


@refused("ledger", rf"{MORE} entries/000006\.json", "a commit that does something else")
def a_number_is_left_out(shop: Workshop) -> None:
    appended(shop, {**next_epoch(shop), "number": 7})


@refused("ledger", rf"{MORE} entries/000006\.json", "a commit that does something else")
def an_entry_may_be_executed(shop: Workshop) -> None:
    shop.propose(shop.real.evidence)
    (data,) = file_of(next_epoch(shop)).values()
    lines = [*shop.git("ls-tree", "ledger:entries").split("\n"), f"100755 blob {shop.blob(data)}\t000006.json"]
    shop.move(shop.put("entries", shop.mktree(lines), ref="ledger"), "ledger", branch="ledger")


@refused("ledger", r"the ledger cannot be read: .*000006\.json: is a link")
def an_entry_is_a_link(shop: Workshop) -> None:
    shop.propose(shop.real.evidence)
    link = f"120000 blob {shop.blob(b'000001.json')}\t000006.json"
    lines = [*shop.git("ls-tree", "ledger:entries").split("\n"), link]
    shop.move(shop.put("entries", shop.mktree(lines), ref="ledger"), "ledger", branch="ledger")


@refused("ledger", rf"{MORE} entries/000006\.json", "a commit that does something else")
def a_file_s_name_holds_what_parts_the_log(shop: Workshop) -> None:
    shop.propose(shop.real.evidence)
    lines = [*shop.git("ls-tree", "ledger").split("\n"), f"100644 blob {shop.blob(b'x')}\t\x01charm"]
    shop.move(shop.mktree(lines), "ledger", branch="ledger")


@refused("ledger", rf"{MORE} entries/000001\.json")
def the_ledger_begins_with_several_entries_at_once(shop: Workshop) -> None:
    shop.propose(shop.real.evidence)
    shop.move(shop.git("rev-parse", "ledger^{tree}"), branch="ledger")


@refused("ledger", rf"{MORE} entries/000002\.json")
def the_ledger_is_another_branch(shop: Workshop) -> None:
    shop.propose(shop.real.evidence)
    entries = shop.entries
    shop.write_ledger(entries[0], {"README.md": b"x"}, *entries[1:3])


family("another history")


@refused("ledger", r"the ledger's commit [0-9a-f]{10} does not follow the one before it alone")
def two_ledgers_are_merged(shop: Workshop) -> None:
    shop.propose(shop.real.evidence)
    shop.append(next_epoch(shop))
    tree = shop.git("rev-parse", "ledger^{tree}")
    shop.move(tree, "ledger~1", "main", branch="ledger")


@refused("ledger", r"the ledger was rewritten: its commit [0-9a-f]{10}, which was seen before")
def what_was_refused_is_taken_out_of_a_ledger_that_was_seen(shop: Workshop) -> None:
    seen_before(shop)
    shop.git("update-ref", "refs/heads/ledger", "ledger~2")
    shop.propose(shop.real.evidence)


@refused("ledger", r"the ledger was rewritten: its commit [0-9a-f]{10}", "a ledger that was seen is rewritten")
def a_ledger_that_was_seen_is_written_anew(shop: Workshop) -> None:
    seen_before(shop)
    entries = shop.entries
    shop.run_on({**entries[0], "release": "anew"}, entries[1])


def seen_before(shop: Workshop) -> None:
    """Let the clone see the ledger as it is."""
    with Repository(shop.folder) as repository:
        assert find_ledger(repository)
