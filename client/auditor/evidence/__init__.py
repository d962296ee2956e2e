"""Where an audit's bytes come from: a coordinator, a chain, a bundle; nothing of it is believed."""
