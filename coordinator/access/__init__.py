"""Who is asking: Sign-In with Ethereum, bearer tokens, roles."""
