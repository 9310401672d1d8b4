"""The support desk: the queue, tickets, interventions."""
