"""Nodes: registrations to relay, presence, and what nodes say of themselves."""
