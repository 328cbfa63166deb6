"""What every page knows of whoever looks at it: the name, and what its forms must carry."""

from __future__ import annotations

from markupsafe import Markup

from features.errors import LoadlineError
from serving.access.principal import Principal, who
from serving.identity.cookies import CSRF_FIELD


def signed_in() -> Principal | None:
    """Give who looks at the page; None for a stranger."""
    try:
        return who()
    except LoadlineError:
        return None


def csrf_field() -> Markup:
    """Give the hidden field without which a form of a session is refused; nothing where there is no session."""
    principal = signed_in()
    if principal is None or not principal.csrf:
        return Markup()
    return Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, principal.csrf)
