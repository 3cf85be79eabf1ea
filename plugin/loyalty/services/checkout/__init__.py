"""Quote, reserve, commit, release: what a checkout asks for, and how it is shown."""
