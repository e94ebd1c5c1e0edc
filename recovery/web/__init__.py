"""The field page: tickets, checklists and recovery keys on a phone, a board for the lead, an end point for media."""
