"""The engine: runs, pursuits, waves, guard. It knows ports and model, and nothing of what is behind a port."""
