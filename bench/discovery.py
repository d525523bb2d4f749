"""Measure discovery at size: `python bench/discovery.py [--dialogues N]` (200,000 dialogues of ten turns take ten minutes).

Dialogues are generated from phrases of our own lexicons, imported as chat JSON Lines, annotated and clustered, each step in
a process of its own with one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from itertools import chain
from pathlib import Path

import yaml

import esc_skills

TURNS = 10
LEXICONS = tuple(Path(esc_skills.__file__).parent / room / "data" for room in ("language", "surrogate"))
FILLER = (
    "and then at",
    "the table with",
    "my sister there",
    "was not much",
    "left to say",
    "about the house",
    "or the week",
)


def phrases(name: str, *groups: str) -> list[str]:
    path = next(each / name for each in LEXICONS if (each / name).is_file())
    value = yaml.safe_load(path.read_text(encoding="utf-8"))
    found = chain.from_iterable(chain.from_iterable(value[group].values()) for group in groups)
    return [str(each).rstrip("*") for each in found]


def generate(path: Path, dialogues: int) -> None:
    chance = random.Random(0)
    theirs = phrases("state.en.yaml", "emotions", "needs", "dispositions", "intensity") + phrases(
        "replies.en.yaml", "better", "worse"
    )
    ours = phrases("cues.en.yaml", "supporter") + phrases("strategies.en.yaml", "strategies")
    with path.open("w", encoding="utf-8") as file:
        for number in range(dialogues):
            messages = []
            for turn in range(TURNS):
                known = ours if turn % 2 else theirs
                parts = [" ".join(chance.choices(FILLER, k=2)) + " " + chance.choice(known) for _ in range(3)]
                text = ", ".join(parts).capitalize() + chance.choice(".?!")
                messages.append({"role": "assistant" if turn % 2 else "user", "content": text})
            file.write(json.dumps({"id": f"d{number}", "messages": messages}) + "\n")


def run(*command: str) -> tuple[float, float]:
    """Return the seconds of a command, start-up included: as the clock has them, and as a core was busy with it."""
    one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    start, busy = time.perf_counter(), busy_seconds()
    done = subprocess.run(
        [sys.executable, "-m", "esc_skills", *command],
        capture_output=True,
        text=True,
        env={**os.environ, **one},
        check=False,
    )
    if done.returncode:
        sys.exit(done.stdout[-2000:] + done.stderr[-2000:])
    return time.perf_counter() - start, busy_seconds() - busy


def busy_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def told(what: str, turns: int, seconds: tuple[float, float]) -> str:
    clock, busy = seconds
    return (
        f"{what}: {clock:.1f} s, {turns / clock:,.0f} turns a second; {busy:.1f} s of a core, {turns / busy:,.0f} turns a "
        f"second; at most {memory():.0f} MB so far"
    )


def memory() -> float:
    """Return the most memory of any child so far, in MB."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dialogues", type=int, default=200_000)
    dialogues = parser.parse_args().dialogues
    turns = dialogues * TURNS
    with tempfile.TemporaryDirectory() as folder:
        raw, imported, units, found = (
            str(Path(folder) / name) for name in ("raw.jsonl", "dialogues.jsonl", "units.jsonl", "prototypes.jsonl")
        )
        generate(Path(raw), dialogues)
        print(f"{dialogues:,} dialogues, {turns:,} turns, {Path(raw).stat().st_size / 1e6:.0f} MB")
        seconds = run("corpus", "import", "--from", "openai", raw, "--out", imported)
        print(told("import", turns, seconds))
        Path(raw).unlink()
        seconds = run("discover", "extract", imported, "--out", units)
        print(told("extract", turns, seconds))
        Path(imported).unlink()
        seconds = run("discover", "cluster", units, "--out", found)
        count = Path(found).read_text(encoding="utf-8").count("\n")
        print(told(f"cluster into {count:,} prototypes", turns, seconds))


if __name__ == "__main__":
    main()
