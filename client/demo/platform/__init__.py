"""A small video platform: it keeps what viewers watched and serves each node only the viewers its token names.

It stands for any real platform and imports nothing else of ours; nodes meet it on the wire alone.
"""
