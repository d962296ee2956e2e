"""What a node knows of jobs: terms and history, its checks of what is signed to it, base models."""
