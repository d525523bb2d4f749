"""Safety: what a seeker says about ending their life, and what a supporter must not say.

The gate vetoes a proposal that raises a new red flag, so the answers here are deterministic and precision comes first.
Phrases, severities and reasons are data (`data/safety.<language>.yaml`); the modules hold only how they are read. It is a
first net, not a clinical instrument: no flag does not mean that a turn is safe.
"""
