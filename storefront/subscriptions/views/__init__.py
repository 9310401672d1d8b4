"""What subscribers read and do, one blueprint a subject."""
