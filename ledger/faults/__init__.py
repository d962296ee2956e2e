"""The faults of a coordinator that code can decide: found in what an auditor has, each with what proves it.

`faults.py` lists them, `case.py` says what they are found in, `finding.py` is the order. Nothing here trusts a byte: an
entry counts only with its proof under the anchored root, a promise only with the coordinator's signature. What nothing
proves because it is kept back is a gap (`gaps.py`): it is demanded on chain.
"""
