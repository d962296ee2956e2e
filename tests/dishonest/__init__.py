"""A coordinator that lies: what it is about to publish, and every way to bend it."""
