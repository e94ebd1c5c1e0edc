"""The command line: arguments, one call of the service, an exit code."""
