"""Where a node's training data comes from, and the vouchers for it."""
