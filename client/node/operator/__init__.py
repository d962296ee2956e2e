"""What is the operator's: wallets, registration, stake, earnings and claims."""
