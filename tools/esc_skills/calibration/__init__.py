"""Calibration: how often the gate accepts nothing and finds something, for one bank, its seekers and who plays them."""
