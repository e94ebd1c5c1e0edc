"""Disks of machines that do not run, mounted here, and files taken from machines. Nothing is ever written to them."""
