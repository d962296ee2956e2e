"""The programs people run: nodes, auditors, requesters and the demo."""
