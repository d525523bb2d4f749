"""Time the public API, as Markdown: the import, and the selection among 1,000 skills.

python bench/public_api.py
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from statistics import median

from esc_skills import Bank

SAID = [
    "My boss shouted at me before everyone, and I said nothing.",
    "I feel so guilty about my brother.",
    "I cannot sleep and nobody asks how I am.",
]


def import_ms() -> float:
    script = "import time; a = time.perf_counter(); import esc_skills; print(1000 * (time.perf_counter() - a))"
    own = [float(subprocess.check_output([sys.executable, "-c", script])) for _ in range(9)]
    return median(own)


def import_bank_ms() -> float:
    script = (
        "import time; a = time.perf_counter(); from esc_skills import Bank; print(1000 * (time.perf_counter() - a))"
    )
    return median(float(subprocess.check_output([sys.executable, "-c", script])) for _ in range(9))


def select_ms(count: int) -> float:
    bank = Bank.load()
    skills = list(bank)
    many = {
        f"{skill.name}-{at}": replace(skill, name=f"{skill.name}-{at}")
        for at in range(-(-count // len(skills)))
        for skill in skills
    }
    big = Bank(replace(bank.record, skills=dict(list(many.items())[:count])), bank.where)
    big.select(SAID[:1])
    times = []
    for at in range(60):
        said = [f"{each} {at}" for each in SAID]
        start = time.perf_counter()
        big.select(said)
        times.append(1000 * (time.perf_counter() - start))
    return median(times)


def main() -> None:
    print("| what | milliseconds, median |\n|---|--:|")
    print(f"| `import esc_skills` | {import_ms():.1f} |")
    print(f"| `from esc_skills import Bank` | {import_bank_ms():.0f} |")
    print(f"| a selection among 1,000 skills, three messages | {select_ms(1000):.1f} |")


if __name__ == "__main__":
    main()
