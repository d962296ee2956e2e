"""A node at work: it trains, commits, reveals and keeps its entries."""
