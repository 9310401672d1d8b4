"""What the web server and the `flask` command load."""

from storefront.app import create_app
from storefront.infra.config import UnsafeSettings

try:
    app = create_app()
except UnsafeSettings as unsafe:
    # `check-config` ends here too: it says the same.
    raise SystemExit("\n".join(unsafe.problems)) from unsafe
