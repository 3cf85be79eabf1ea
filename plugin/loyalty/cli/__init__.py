"""The command line, and what the demo and the tests start by themselves."""
