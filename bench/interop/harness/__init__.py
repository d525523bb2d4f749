"""What all clients share. `model` and `client` run inside a client's environment and need the standard library alone."""
