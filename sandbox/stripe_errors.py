"""Errors in Stripe's shape."""

from typing import Any

from sandbox.schema import Problem
from sandbox.state import Doc


class StripeError(Exception):
    """An answer other than 2xx. `kept` says whether an idempotency key keeps it."""

    def __init__(self, status: int, error: Doc, *, kept: bool = False) -> None:
        super().__init__(error.get("message"))
        self.status = status
        self.error = error
        self.kept = kept

    @property
    def body(self) -> Doc:
        return {"error": self.error}


def invalid(message: str, param: str | None = None, code: str | None = None) -> StripeError:
    """400: the request cannot be understood or is against the rules."""
    error: Doc = {"type": "invalid_request_error", "message": message}
    if param is not None:
        error["param"] = param
    if code is not None:
        error["code"] = code
        error["doc_url"] = f"https://docs.stripe.com/error-codes/{code.replace('_', '-')}"
    return StripeError(400, error)


def refused(message: str, param: str | None = None, code: str | None = None) -> StripeError:
    """400 for what the state of things forbids; kept under the idempotency key."""
    error = invalid(message, param, code)
    error.kept = True
    return error


def missing(kind: str, id: str, param: str = "id", status: int = 404) -> StripeError:
    """404 for the object itself, 400 for one named by a parameter."""
    error = invalid(f"No such {kind}: '{id}'", param, "resource_missing")
    error.status = status
    return error


def card_error(error: Doc) -> StripeError:
    """402: the card was refused; `error` carries the intent and the reasons."""
    return StripeError(402, error, kept=True)


def wrong_parameter(problem: Problem) -> StripeError:
    """What Stripe says of a parameter that the schema refuses."""
    first, *rest = problem.path or ("body",)
    name = first + "".join(f"[{part}]" for part in rest)
    value: Any = problem.value
    match problem.kind:
        case "unknown":
            return invalid(f"Received unknown parameter: {name}", name, "parameter_unknown")
        case "missing":
            return invalid(f"Missing required param: {name}.", name, "parameter_missing")
        case "empty":
            return invalid(
                f"You passed an empty string for '{name}'. We assume empty values are an attempt to"
                f" unset a parameter; however '{name}' cannot be unset.",
                name,
                "parameter_invalid_empty",
            )
        case "integer":
            return invalid(f"Invalid integer: {value}", name, "parameter_invalid_integer")
        case "too_small":
            return invalid(
                f"This value must be greater than or equal to {problem.detail}.",
                name,
                "parameter_invalid_integer",
            )
        case "too_large":
            return invalid(
                f"Invalid value: must be no more than {problem.detail}",
                name,
                "parameter_invalid_integer",
            )
        case "boolean":
            return invalid(f"Invalid boolean: {value}", name)
        case "choice":
            return invalid(f"Invalid {name}: must be one of {problem.detail}", name)
        case "object":
            return invalid("Invalid object", name)
        case "list":
            return invalid("Invalid array", name)
        case "string":
            return invalid("Invalid string", name)
        case "too_long" | "too_many":
            return invalid(f"Invalid value: must be at most {problem.detail}", name)
        case _:
            return invalid(f"Invalid value: {value}", name)
