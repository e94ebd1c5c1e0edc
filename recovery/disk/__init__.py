"""Disks of machines that do not run, mounted here, and files taken from machines. Only `fixing` writes to them."""
