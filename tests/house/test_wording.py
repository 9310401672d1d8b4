"""Everything the shop refuses is refused in words; everything it can be told is written down."""

import dataclasses
import importlib
import pkgutil
import re

import pytest

import storefront
from storefront.infra.config import PREFIX, Settings
from storefront.kernel.errors import Refusal
from tests.house.sources import ROOT, TEMPLATES

pytestmark = pytest.mark.static

ERRORS = TEMPLATES / "errors"


def refusals(parent: type[Refusal] = Refusal) -> set[type[Refusal]]:
    """Every refusal of the shop, at whatever depth it is derived."""
    children = set(parent.__subclasses__())
    return children.union(*(refusals(child) for child in children))


def load_the_whole_shop() -> None:
    for module in pkgutil.walk_packages(storefront.__path__, "storefront."):
        importlib.import_module(module.name)


def test_every_refusal_has_its_french_wording():
    load_the_whole_shop()
    ours = {refusal for refusal in refusals() if refusal.__module__.startswith("storefront.")}
    assert ours
    silent = sorted(
        refusal.name for refusal in ours if not (ERRORS / f"{refusal.name}.html").exists()
    )
    assert not silent


def test_every_setting_stands_in_the_readme():
    readme = (ROOT / "README.md").read_text()
    settings = {f"{PREFIX}{field.name.upper()}" for field in dataclasses.fields(Settings)}
    assert settings
    assert not settings - set(re.findall(rf"{PREFIX}[A-Z_]+", readme))


def test_every_setting_in_the_readme_is_read():
    """Nobody sets in vain what the shop no longer reads."""
    readme = (ROOT / "README.md").read_text()
    settings = {f"{PREFIX}{field.name.upper()}" for field in dataclasses.fields(Settings)}
    told = {name for name in re.findall(rf"{PREFIX}[A-Z_]+", readme) if "TEST_" not in name}
    assert not {name for name in told if not name.endswith("_")} - settings
