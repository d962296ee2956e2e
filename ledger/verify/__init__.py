"""The checks of an audit that need public bytes and no learning: pure, numbered, each with a stable id.

1 to 3 the job's files · 4 to 7 contributions · 8 to 11 receipts · 12 to 14 closing · 15 to 17 openings and beacon ·
18 to 23 entries and tally · 24 to 26 tree and proofs · 27 to 30 header · 31 manifest · 32 to 34 chain · 35 draw ·
36 ages · 37 vouchers.

`checks.py` is the table, `rounds.py` the order. `verify_job` and `verify_round` never raise on bytes: what is malformed
fails the check it belongs to. Unsigned copies of signed values are never read; what could not be checked is unknown.
"""
