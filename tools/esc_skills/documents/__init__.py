"""Reading and writing of text, YAML, JSON Lines and front matter, strictly and within bounds."""
