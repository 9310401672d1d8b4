"""Which entries to show."""

from __future__ import annotations

from wtforms import StringField
from wtforms.validators import Length, Optional

from storefront.infra.forms import ShopForm


class JournalForm(ShopForm):
    """Read from the address, so that a list can be kept as a bookmark."""

    class Meta(ShopForm.Meta):
        csrf = False

    sorte = StringField("Sorte", [Optional(), Length(max=80)])
