"""One look at a text before it is published: dead citations, suspect clauses, what is missing."""

from __future__ import annotations

from collections.abc import Iterable

from storefront.legal.rules.citations import dead_citations
from storefront.legal.rules.contents import missing_contents
from storefront.legal.rules.findings import Finding, Look, Text
from storefront.legal.rules.problems import Problem, UnpublishableTerms
from storefront.legal.rules.warnings import risky_promises, suspect_clauses

LOOKS: tuple[Look, ...] = (missing_contents, dead_citations, suspect_clauses, risky_promises)


def inspect(text: Text) -> list[Finding]:
    """Everything that is wrong or risky, errors first, each once."""
    found = dict.fromkeys(finding for look in LOOKS for finding in look(text))
    return sorted(found, key=lambda finding: not finding.is_error)


def errors_of(text: Text) -> list[Finding]:
    """What the law forbids alone, for who publishes: none of the suspect clauses is an error."""
    found = (one for look in (missing_contents, dead_citations) for one in look(text))
    return [one for one in found if one.is_error]


def refuse_errors(findings: Iterable[Finding]) -> None:
    """Raise `UnpublishableTerms` with every error among these, if there is one."""
    problems = tuple(
        Problem(
            one.place,
            "unlawful",
            rule=one.rule.name,
            source=one.rule.source,
            found=f": {one.words}" if one.words else "",
        )
        for one in findings
        if one.is_error
    )
    if problems:
        raise UnpublishableTerms(problems=problems)
