"""The watchtower: follows jobs on the chain, verifies each round in its window, and proves what is false.

`place.py` is what survives a restart; `following.py` reads the chain into it, `verifying.py` the evidence;
`prosecuting.py` decides what to send and `docket.py` sends it, once.
"""
