"""What a holder does with a subscription on their own pages, one blueprint a subject."""
