"""From evidence to a verdict and its reasons."""
