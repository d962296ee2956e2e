"""The node: a machine that trains on its operator's data, keeps its half of every promise and draws what it earned."""
