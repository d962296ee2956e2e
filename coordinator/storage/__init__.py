"""Where state is: the database with its bell, and files by content address."""
