"""Models: what finished jobs leave behind, each with its card."""
