"""The payment providers behind one port: see `base` for the port, `registry` for the list."""
