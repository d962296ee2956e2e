"""The requester: puts up a budget, follows its job, and takes the model and what was not earned."""
