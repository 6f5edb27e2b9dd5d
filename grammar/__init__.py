"""Text <-> tree. Knows words, not meaning; imports nothing of ours."""
