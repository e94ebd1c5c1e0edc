"""Incident profiles and playbooks: reading them, proving them safe, finding the bundled ones."""
