"""Simulated machines behind real sockets: SSH and WinRM servers on loopback, with the physics of the mock twin."""
