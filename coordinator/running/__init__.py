"""What runs without being asked: the worker with its lease, its duties, heartbeat and echo."""
