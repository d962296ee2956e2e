"""Scripts that run in the peers' environments: each imports its peer, never anything of ours but `serving`."""
