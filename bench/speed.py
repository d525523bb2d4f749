"""Measure the speeds that the README and docs/speed.md state, on this machine: `python bench/speed.py`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from esc_skills.bank.reader import read_bank, read_files
from esc_skills.documents.shipped import shipped
from esc_skills.evidence.trial import Trial, run_trial
from esc_skills.language.cues import load_cues
from esc_skills.seekers.population import read_population
from esc_skills.settings import GateSettings
from esc_skills.simulation.players import cast_players
from esc_skills.simulation.runner import wait_for
from esc_skills.surrogate.appraisal import load_seeker_model
from esc_skills.surrogate.features import Exchange, extract_features
from esc_skills.vocabulary import Disposition, HiddenIntention, Language


def best_of(times: int, *command: str) -> float:
    """Return the shortest wall time of a command, in seconds."""
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        best = min(best, time.perf_counter() - start)
    return best


def validate_thousand() -> float:
    """Return the seconds that validating 1,000 skills takes, in a process of its own."""
    folders = [
        path.parent for path in sorted(shipped("skills").glob("*/SKILL.md")) if (path.parent / "references").is_dir()
    ]
    with tempfile.TemporaryDirectory() as folder:
        for number in range(1000):
            own = folders[number % len(folders)]
            name = own.name if number < len(folders) else f"{own.name}-{number}"
            shutil.copytree(own, Path(folder, name))
            path = Path(folder, name, "SKILL.md")
            path.write_text(path.read_text().replace(f"name: {own.name}\n", f"name: {name}\n", 1))
        return best_of(3, sys.executable, "-m", "esc_skills", "validate", folder)


def simulate_pairs(draws: int) -> float:
    """Return the seconds that a trial of `draws` pairs takes that nothing stops early."""
    files = read_files(shipped("skills"))
    bank = read_bank(files, "skills")
    population = read_population(read_files(shipped("profiles")), "profiles")
    changed = {**files, "open-with-room/SKILL.md": files["open-with-room/SKILL.md"].replace(b"# Open", b"#  Open", 1)}
    gate = GateSettings(draws=draws, batch=draws)
    trial = Trial(bank, read_bank(changed, "skills"), population, gate, cast_players())
    start = time.perf_counter()
    wait_for(run_trial(trial, lambda done, total: None))
    return time.perf_counter() - start


def appraisals_a_second() -> float:
    """Return how many fresh exchanges one core appraises in a second."""
    model, cues = load_seeker_model(), load_cues(Language.ENGLISH)
    words = (shipped("skills", "reflect-the-feeling", "SKILL.md").read_text()).split()
    exchanges = [
        Exchange(" ".join(words[at : at + 40]), " ".join(words[at + 50 : at + 110]), (), (), "", 1 + at % 9)
        for at in range(len(words) - 120)
    ]
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < 3:
        exchange = exchanges[count % len(exchanges)]
        fresh = Exchange(
            f"{exchange.seeker_said} {count}", f"{exchange.supporter_said} {count}", (), (), "", exchange.turn
        )
        model.expected_change(extract_features(fresh, cues), HiddenIntention.BE_HEARD, Disposition.PASSIVE)
        count += 1
    return count / (time.perf_counter() - start)


def main() -> None:
    """Print the figures as a Markdown table."""
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores\n")
    print("| what | measured | bar |\n|---|--:|--:|")
    print(
        f"| `esc-skills --help` | {1000 * best_of(10, sys.executable, '-m', 'esc_skills', '--help'):.0f} ms | 150 ms |"
    )
    print(f"| validate 1,000 skills | {validate_thousand():.2f} s | 2 s |")
    print(f"| appraisals a second on one core | {appraisals_a_second():,.0f} | 2,000 |")
    print(f"| 400 draws × 2 arms | {simulate_pairs(400):.1f} s | 20 s |")


if __name__ == "__main__":
    main()
