"""Ways to hosts that need nothing of the host itself: its hypervisor, its management board, its cloud."""
