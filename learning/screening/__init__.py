"""What may enter the sum: one small pure rule for each way in which an update is refused, and what it went by."""
