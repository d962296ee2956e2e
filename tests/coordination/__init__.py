"""A real coordinator in this process (database, files, compute child, HTTP), and real keys that talk to it."""
