"""The child process that knows torch: heavy work for the worker and checks of uploaded files for the API."""
