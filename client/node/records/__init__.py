"""What a node's machine keeps: what it signed and was promised, and what the network said."""
