"""A fingerprint of the sources, so that a check which passed is not repeated on the same ones."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

# What the machine makes; .gitignore lists the same.
_CACHES = {".pytest_cache", ".mypy_cache", ".ruff_cache", ".import_linter_cache", ".hypothesis"}
_MADE = {".git", ".venv", ".check", "instance", "node_modules", "test-results", "__pycache__"}


def fingerprint(root: Path) -> str:
    """Changes with any source's name, content or right to be executed, and with the interpreter."""
    digest = hashlib.sha256(sys.version.encode())
    for path in _sources(root):
        content = bytes(path.readlink()) if path.is_symlink() else path.read_bytes()
        executable = os.access(path, os.X_OK)
        digest.update(f"\0{path.relative_to(root)}\0{executable}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _sources(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _MADE | _CACHES)
        for name in sorted(files):
            if not name.endswith((".pyc", ".egg-info")):
                yield Path(folder, name)
