"""ESC-Skills: a Git-native bank of emotional support skills and the tools that verify its changes."""

__version__ = "0.1.0"
