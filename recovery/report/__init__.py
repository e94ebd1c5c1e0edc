"""What people and programs are told: status now, reports later."""
