"""Small pictures as SVG, drawn from plain numbers: axes, points, lines and shades; every text is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

INK, SOFT, GRID, BLUE, SHADE, BAD = "#1c2733", "#5a6b7b", "#e3e8ee", "#0b5cad", "#dce9f6", "#b3402a"
FONT = "system-ui, 'PingFang SC', 'Noto Sans CJK SC', 'Microsoft YaHei', sans-serif"
TEXT = 12
"""Size of the labels, in pixels."""


@dataclass
class Drawing:
    """A picture that is being drawn, in the units of its axes.

    Attributes
    ----------
    width, height : int
        In pixels.
    x, y : tuple of float
        What the axes reach from and to.
    left, right, top, bottom : int
        Margins, in pixels.
    """

    width: int
    height: int
    x: tuple[float, float]
    y: tuple[float, float]
    left: int = 56
    right: int = 18
    top: int = 14
    bottom: int = 44
    _parts: list[str] = field(default_factory=list)

    def across(self, value: float) -> float:
        """Give the place of a value on the axis from left to right, in pixels."""
        low, high = self.x
        return self.left + (value - low) / (high - low) * (self.width - self.left - self.right)

    def up(self, value: float) -> float:
        """Give the place of a value on the axis from bottom to top, in pixels from the top."""
        low, high = self.y
        return self.height - self.bottom - (value - low) / (high - low) * (self.height - self.top - self.bottom)

    def line(
        self, points: Sequence[tuple[float, float]], *, colour: str = BLUE, width: float = 2, dash: str = ""
    ) -> None:
        """Draw a line through points."""
        drawn = " ".join(f"{self.across(x):.1f},{self.up(y):.1f}" for x, y in points)
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(
            f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="{width:g}"{dashed}/>'
        )

    def area(self, points: Sequence[tuple[float, float]]) -> None:
        """Shade what points enclose."""
        drawn = " ".join(f"{self.across(x):.1f},{self.up(y):.1f}" for x, y in points)
        self._parts.append(f'<polygon points="{drawn}" fill="{SHADE}"/>')

    def dot(self, x: float, y: float, *, colour: str = BLUE, size: float = 4, faint: bool = False) -> None:
        """Draw a dot."""
        fade = ' fill-opacity="0.35"' if faint else ""
        self._parts.append(
            f'<circle cx="{self.across(x):.1f}" cy="{self.up(y):.1f}" r="{size:g}" fill="{colour}"{fade}/>'
        )

    def write(self, x: float, y: float, text: str, *, anchor: str = "middle", colour: str = SOFT) -> None:
        """Write a text at a place in pixels."""
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{TEXT}" fill="{colour}">'
            f"{escape(text)}</text>"
        )

    def ticks_across(self, ticks: Sequence[tuple[float, str]], *, title: str = "") -> None:
        """Draw the lines and labels of the axis below."""
        bottom = self.height - self.bottom
        for value, label in ticks:
            at = self.across(value)
            self._parts.append(f'<path d="M{at:.1f} {self.top}V{bottom}" stroke="{GRID}"/>')
            self.write(at, bottom + 16, label)
        if title:
            self.write((self.left + self.width - self.right) / 2, self.height - 6, title)

    def ticks_up(self, ticks: Sequence[tuple[float, str]], *, title: str = "") -> None:
        """Draw the lines and labels of the axis on the left."""
        for value, label in ticks:
            at = self.up(value)
            self._parts.append(f'<path d="M{self.left} {at:.1f}H{self.width - self.right}" stroke="{GRID}"/>')
            self.write(self.left - 7, at + 4, label, anchor="end")
        if title:
            middle = (self.top + self.height - self.bottom) / 2
            self._parts.append(
                f'<text transform="translate(14 {middle:.1f}) rotate(-90)" text-anchor="middle" font-size="{TEXT}" '
                f'fill="{SOFT}">{escape(title)}</text>'
            )

    def svg(self, *, label: str) -> str:
        """Give the picture; `label` is what is read out in its place."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" width="{self.width}" '
            f'height="{self.height}" role="img" aria-label="{escape(label)}" font-family="{FONT}">'
            f"{''.join(self._parts)}</svg>"
        )
