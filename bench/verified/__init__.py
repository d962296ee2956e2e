"""Dishonest nodes at scale: what each kind is paid, who notices, and what is left of the model, by aggregation rule.

`python -m bench.verified` plays it with nothing but learning/, ledger/, numpy, torch and scikit-learn.
"""
