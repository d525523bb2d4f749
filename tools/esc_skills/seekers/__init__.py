"""Seekers: profiles composed of scenario, persona and hidden intention, whole profiles, and their readers."""
