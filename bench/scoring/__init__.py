"""Whether scores tell the truth: against the exact Shapley value, and in the pay of nodes that cheat."""
