"""A stand-in for Stripe and PayPal: their HTTP APIs, hosted pages and webhooks, on loopback only.

The real SDKs talk to it, so the shop's own provider code runs unchanged in the demo and in the
tests. It knows nothing of the shop and imports nothing from it. See `sandbox/README.md`.
"""
