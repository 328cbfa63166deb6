"""How it is asked: the use cases, the HTTP service and the command line."""
