"""Settlement: everything that reaches the chain, sent by one worker from one durable queue."""
