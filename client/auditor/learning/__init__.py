"""The learning of a job recomputed, or taken as published, and held against what is signed."""
