"""Ways to combine updates that a dishonest minority cannot steer, all in exact integers (DESIGN.md §4.4)."""
