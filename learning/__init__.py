"""What is learned and how it is combined: tasks, fixed-point updates, exact aggregation, screening, scoring."""
