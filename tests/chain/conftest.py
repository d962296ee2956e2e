"""Fixtures of the tests against a real anvil."""

from tests.chain.fixtures import clean_state, deployment, dev_chain, gateway, parties

__all__ = ["clean_state", "deployment", "dev_chain", "gateway", "parties"]
