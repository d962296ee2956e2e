"""The demo: the main job end to end, as real processes on one machine."""
