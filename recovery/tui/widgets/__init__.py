"""What screens are made of. Widgets know the model and the snapshot, and nothing else."""
