"""The mock twin: the physics of simulated machines, their faults, and a clock that can be moved."""
