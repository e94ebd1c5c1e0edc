"""The desk: tickets for hosts that need hands, what technicians say of them, and recovery keys."""
