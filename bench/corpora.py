"""Measure how fast corpora are imported and how much memory it takes: `python bench/corpora.py [--dialogues N] [FORM…]`.

Each form is generated (no text of a corpus), imported in a process of its own, and deleted.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from esc_skills.vocabulary import STRATEGY_LABELS, ProblemType

TURNS = 10
FORMS = ("esconv", "openai", "csv")
TEXT = "the rota changed and nobody asked me so my weekend is gone, you kept going though, perhaps a walk would help"
WORDS = TEXT.split()
LABELS = [label for label in STRATEGY_LABELS if label != "greeting"]


def texts(chance: random.Random, number: int) -> list[str]:
    return [
        " ".join([str(number), *chance.choices(WORDS, k=12 + turn)]).capitalize() + ("?" if turn % 3 else ".")
        for turn in range(TURNS)
    ]


def esconv(chance: random.Random, number: int) -> dict[str, Any]:
    said = []
    for turn, text in enumerate(texts(chance, number)):
        supporter = turn % 2 == 1
        annotation = {"strategy": chance.choice(LABELS)} if supporter else {"feedback": str(1 + turn % 5)}
        said.append(
            {"speaker": "supporter" if supporter else "seeker", "annotation": annotation, "content": text + "\n"}
        )
    return {
        "emotion_type": "anger",
        "problem_type": str(chance.choice(list(ProblemType))).replace("-", " "),
        "situation": "The rota changed.",
        "survey_score": {"seeker": {"initial_emotion_intensity": "4", "final_emotion_intensity": "2"}, "supporter": {}},
        "dialog": said,
    }


def openai(chance: random.Random, number: int) -> dict[str, Any]:
    said = [
        {"role": "assistant" if turn % 2 else "user", "content": text}
        for turn, text in enumerate(texts(chance, number))
    ]
    return {"messages": [{"role": "system", "content": "Be kind."}, *said]}


def rows(chance: random.Random, number: int) -> Iterator[list[str]]:
    for turn, text in enumerate(texts(chance, number)):
        yield [str(number), "helper" if turn % 2 else "person", text, chance.choice(LABELS) if turn % 2 else ""]


def generate(form: str, path: Path, dialogues: int) -> list[str]:
    """Write a file and return the options that import it."""
    chance = random.Random(0)
    with path.open("w", encoding="utf-8", newline="") as file:
        if form == "csv":
            writer = csv.writer(file)
            writer.writerow(["conversation", "who", "said", "label"])
            for number in range(dialogues):
                writer.writerows(rows(chance, number))
            columns = ("dialogue=conversation", "speaker=who", "text=said", "strategy=label")
            named = [option for column in columns for option in ("--column", column)]
            return [*named, "--seeker", "person", "--supporter", "helper"]
        for number in range(dialogues):
            if form == "esconv":
                file.write("[\n" if number == 0 else ",\n")
                json.dump(esconv(chance, number), file, indent=1)
            else:
                file.write(json.dumps(openai(chance, number)) + "\n")
        file.write("\n]\n" if form == "esconv" else "")
    return []


def processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(*command: str) -> tuple[float, float, float]:
    """Return the seconds of a command by the clock and of the processor, and the most memory, in MB, of any so far."""
    start, before = time.perf_counter(), processor()
    done = subprocess.run(
        [sys.executable, "-m", "esc_skills", "corpus", *command], capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(done.stdout[-2000:] + done.stderr)
    return seconds, processor() - before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def table_row(what: str, dialogues: int, size: float, seconds: float, used: float, memory: float) -> None:
    turns = dialogues * TURNS
    speeds = f"{turns / seconds:,.0f} | {turns / used:,.0f}"
    print(f"| {what} | {dialogues:,} | {turns:,} | {size:.0f} | {speeds} | {memory:.0f} |", flush=True)


def long_line(folder: Path) -> None:
    """Print what a line of 2 GB costs, which is passed over."""
    path = folder / "long.jsonl"
    line = json.dumps(openai(random.Random(0), 1)).encode() + b"\n"
    with path.open("wb") as file:
        file.write(line)
        file.seek(2 << 30, os.SEEK_CUR)
        file.write(b"\n" + line.replace(b"The", b"A"))
    command = ["import", "--from", "openai", str(path), "--out", str(folder / "out.jsonl")]
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "esc_skills", "corpus", *command], capture_output=True, text=True, check=False
    )
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(
        f"a line of 2 GB: exit {done.returncode}, {time.perf_counter() - start:.1f} s, {memory:.0f} MB at most so far"
    )
    print(done.stdout.splitlines()[0])


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("forms", nargs="*", default=FORMS, choices=[*FORMS, []])
    parser.add_argument("--dialogues", type=int, default=20_000)
    given = parser.parse_args()
    print(
        "| what | dialogues | turns | MB | turns a second | … of processor time | peak MB so far |\n|---|--:|--:|--:|--:|--:|--:|"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for form in given.forms:
            path, out, clean = folder / f"made-up.{form}", folder / "out.jsonl", folder / "clean.jsonl"
            options = generate(form, path, given.dialogues)
            size = path.stat().st_size / 1e6
            table_row(
                f"import {form}",
                given.dialogues,
                size,
                *run("import", "--from", form, str(path), "--out", str(out), *options),
            )
            path.unlink()
        table_row("scrub", given.dialogues, out.stat().st_size / 1e6, *run("scrub", str(out), "--out", str(clean)))
        long_line(folder)


if __name__ == "__main__":
    main()
