"""Corpora: published conversations, read strictly into records."""
