"""Everything that is ever executed on an endpoint, and the readers of what comes back."""
