"""What the chain enforces: Solidity sources, artifacts, deployment, the dev chain and the gateway to a chain."""
