"""Incidents: declared, told of, closed, corrected; what they give is granted here."""
