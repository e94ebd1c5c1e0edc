"""Reading what a console shows."""
