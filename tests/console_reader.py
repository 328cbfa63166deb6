"""Reads pages of the console as a browser would, and signs people in."""

import re
from html.parser import HTMLParser

from serving_home import ADDRESS, TOKEN
from starlette.testclient import TestClient

from serving.app import create_app

VOID = {"meta", "link", "input", "br", "img"}


class Page(HTMLParser):
    """Reads a page and notes what it would load, run, or style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.open = "", []
        self.feed(text)
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def person_at(advisor, **headers: str) -> TestClient:
    person = TestClient(
        create_app(advisor, token=TOKEN),
        base_url=ADDRESS,
        headers={"Accept": "text/html", **headers},
        raise_server_exceptions=False,
    )
    assert person.get("/", params={"token": TOKEN}).status_code == 200
    return person


def tables(html: str) -> list[list[list[str]]]:
    """Read the tables of a page: rows of cells as text."""
    found = []
    for table in re.findall(r"(?s)<table.*?</table>", html):
        rows = re.findall(r"(?s)<tr.*?</tr>", table)
        found.append([[Page(cell).text.strip() for cell in re.findall(r"(?s)<t[hd].*?</t[hd]>", row)] for row in rows])
    return found
