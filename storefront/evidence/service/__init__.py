"""Making evidence files, and telling the journal of each."""

from storefront.evidence.service.archive import Evidence, note, write

__all__ = ["Evidence", "note", "write"]
