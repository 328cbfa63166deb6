"""Documents that were written beforehand, given out so that they can be looked at and do nothing."""

from __future__ import annotations

from starlette.responses import Response

from serving.api.desk import entity_tag

POLICY = "; ".join(
    ("default-src 'none'", "style-src 'unsafe-inline'", "img-src data:", "frame-ancestors 'none'", "sandbox")
)
"""A document brings its own style and drawings; it runs nothing, loads nothing, and is kept apart from the console."""
MEDIA_TYPES = {"html": "text/html", "md": "text/markdown"}


def document_answer(content: str, *, form: str, language: str | None = None) -> Response:
    """Answer with a document.

    Parameters
    ----------
    content : str
    form : str
        Of `MEDIA_TYPES`.
    language : str, optional
        As HTTP has it; none for one in both languages.
    """
    headers = {"ETag": entity_tag("document", content), "Content-Security-Policy": POLICY}
    if language is not None:
        headers["Content-Language"] = language
    return Response(content, media_type=f"{MEDIA_TYPES[form]}; charset=utf-8", headers=headers)


def described_as(*forms: str) -> dict[int | str, dict[str, object]]:
    """Give what the description of an address says of its answer."""
    content = {MEDIA_TYPES[form]: {"schema": {"type": "string"}} for form in forms}
    return {200: {"description": "The document.", "content": content}}
