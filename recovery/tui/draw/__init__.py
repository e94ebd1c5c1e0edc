"""What panels say: from a snapshot and the room there is, to text. Pure."""
