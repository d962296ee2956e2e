"""Jobs played in memory, with real keys and real ledger code."""
