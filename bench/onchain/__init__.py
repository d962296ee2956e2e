"""What operations cost on a chain: a stand, and one scheme for us and for each peer."""
