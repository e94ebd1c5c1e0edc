"""The in-band ways to a host."""
