"""`python -m esc_skills` is `esc-skills`."""

from esc_skills.cli.main import main

main()
