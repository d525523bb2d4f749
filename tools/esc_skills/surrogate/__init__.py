"""The surrogate: an offline seeker fitted on published transcripts, and a supporter that performs examples."""
