"""What two honest parties must compute identically: statements, trees, tallies, rewards, the checks of an audit."""
