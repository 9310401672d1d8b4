"""What stands behind ./run and ./check: runs on a bare python3, without any package."""
