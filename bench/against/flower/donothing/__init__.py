"""A Flower app whose rounds do nothing."""
