"""The command line: one file a command, each reads options and calls its twin in Python."""
