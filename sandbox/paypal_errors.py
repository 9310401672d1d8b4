"""Errors in PayPal's shape: a name, and `details` whose `issue` tells them apart."""

from typing import Any

from sandbox.schema import Problem
from sandbox.state import Doc, new_id

_MESSAGES = {
    "INVALID_REQUEST": "Request is not well-formed, syntactically incorrect, or violates schema.",
    "UNPROCESSABLE_ENTITY": "The requested action could not be performed, semantically incorrect,"
    " or failed business validation.",
    "RESOURCE_NOT_FOUND": "The specified resource does not exist.",
}


class PayPalError(Exception):
    """An answer other than 2xx."""

    def __init__(self, status: int, body: Doc) -> None:
        super().__init__(body.get("name") or body.get("error"))
        self.status = status
        self.body = body


def _error(status: int, name: str, detail: Doc, links: list[Doc] | None = None) -> PayPalError:
    return PayPalError(
        status,
        {
            "name": name,
            "message": _MESSAGES[name],
            "debug_id": new_id("", 13).lower(),
            "details": [detail],
            "links": links or [],
        },
    )


def malformed(issue: str, description: str, field: str = "", value: Any = None) -> PayPalError:
    """400: the request does not have the form that the address wants."""
    detail: Doc = {"location": "body", "issue": issue, "description": description}
    if field:
        detail["field"] = field
    if value is not None:
        detail["value"] = str(value)
    return _error(400, "INVALID_REQUEST", detail)


def unprocessable(
    issue: str, description: str, field: str = "", links: list[Doc] | None = None
) -> PayPalError:
    """422: well formed, but the state of things forbids it."""
    detail: Doc = {"issue": issue, "description": description}
    if field:
        detail["field"] = field
    return _error(422, "UNPROCESSABLE_ENTITY", detail, links)


def not_found(id: str) -> PayPalError:
    return _error(
        404,
        "RESOURCE_NOT_FOUND",
        {
            "location": "path",
            "issue": "INVALID_RESOURCE_ID",
            "value": id,
            "description": "Nothing is known under this id.",
        },
    )


def unauthorised(error: str, description: str) -> PayPalError:
    """401, in the shape of OAuth 2."""
    return PayPalError(401, {"error": error, "error_description": description})


_ISSUES = {
    "missing": "MISSING_REQUIRED_PARAMETER",
    "unknown": "INVALID_PARAMETER",
    "choice": "INVALID_PARAMETER_VALUE",
    "too_long": "INVALID_STRING_MAX_LENGTH",
    "empty": "INVALID_STRING_LENGTH",
    "too_many": "INVALID_ARRAY_MAX_ITEMS",
}


def wrong_parameter(problem: Problem) -> PayPalError:
    """What PayPal says of a member that the schema refuses."""
    issue = _ISSUES.get(problem.kind, "INVALID_PARAMETER_SYNTAX")
    description = {
        "missing": "A required field is missing.",
        "unknown": "This field is not known here.",
        "choice": f"The value must be one of {problem.detail}.",
        "too_long": f"The value is longer than {problem.detail} characters.",
    }.get(problem.kind, f"The value does not have the form wanted here ({problem.kind}).")
    value = problem.value if isinstance(problem.value, str | int | float) else None
    return malformed(issue, description, "/" + "/".join(problem.path), value)
