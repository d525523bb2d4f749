"""Words of English and Chinese, read by cue: what surrogate, annotator and safety share, and nothing above them."""
