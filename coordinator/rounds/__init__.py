"""Rounds: cohorts, receipts, closings, reveals, tallies, headers and their evidence."""
