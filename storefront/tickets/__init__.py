"""Support tickets, proposals and interventions."""
