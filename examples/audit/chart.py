"""A horizontal bar chart as the text of an SVG: 800 wide, legible on light and on dark, no library needed."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH = 800
MARGIN = 28
HEAD = 72  # above the first bar: the title
ROW = 30
THICK = 16
GAP = 12  # between a label, its bar and its value
LABEL = 220  # the widest label

STYLE = """
  text { font: 13px system-ui, -apple-system, "Segoe UI", "Liberation Sans", "DejaVu Sans", sans-serif }
  .paper { fill: #ffffff; stroke: #d8dee6 } .title { font-size: 17px; font-weight: 600; fill: #1a2332 }
  .label { fill: #1a2332 } .value { fill: #57606a; font-variant-numeric: tabular-nums }
  .track { fill: #eef2f6 } .bar { fill: #0b7a8f } .muted { fill: #9aa7b4 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0f1720; stroke: #2b3846 } .title, .label { fill: #e8edf3 } .value { fill: #9fb0c0 }
    .track { fill: #1b2632 } .bar { fill: #35b5cc } .muted { fill: #5d6f80 }
  }
"""


@dataclass(frozen=True)
class Bar:
    label: str
    value: float
    text: str  # the value as it is shown
    muted: bool = False


def bar_chart(title: str, bars: Sequence[Bar]) -> str:
    """Draws the bars in the order given. The longest fills the room that the longest label and value leave."""
    height = HEAD + ROW * max(len(bars), 1) + MARGIN - (ROW - THICK)
    labels = [shorten(bar.label) for bar in bars]
    left = MARGIN + max(map(text_width, labels), default=0.0) + GAP
    room = WIDTH - MARGIN - max((text_width(bar.text) for bar in bars), default=0.0) - GAP - left
    most = max((bar.value for bar in bars), default=0.0)
    note = f"{len(bars)} bars: " + ", ".join(f"{bar.label} {bar.text}" for bar in bars) if bars else "Nothing to show"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        'role="img" aria-labelledby="title note">',
        f'<title id="title">{clean(title)}</title>',
        f'<desc id="note">{clean(note)}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>',
        f'<text class="title" x="{MARGIN}" y="42">{clean(title)}</text>',
    ]
    if not bars:
        lines.append(f'<text class="value" x="{MARGIN}" y="{HEAD + THICK - 4}">{note}</text>')
    for row, (bar, label) in enumerate(zip(bars, labels, strict=True)):
        top = HEAD + ROW * row
        base = top + THICK - 3.5  # where the text stands, so that its small letters are in the middle of the bar
        length = max(room * bar.value / most, 1.5) if bar.value > 0 else 0.0
        lines += [
            f"<g><title>{clean(bar.label)}: {clean(bar.text)}</title>",
            f'<text class="label" x="{left - GAP:.1f}" y="{base}" text-anchor="end">{clean(label)}</text>',
            f'<rect class="track" x="{left:.1f}" y="{top}" width="{room:.1f}" height="{THICK}" rx="3"/>',
            f'<rect class="{"muted" if bar.muted else "bar"}" x="{left:.1f}" y="{top}" width="{length:.1f}" '
            f'height="{THICK}" rx="{min(3.0, length / 2):.1f}"/>',
            f'<text class="value" x="{WIDTH - MARGIN}" y="{base}" text-anchor="end">{clean(bar.text)}</text></g>',
        ]
    return "\n".join([*lines, "</svg>", ""])


def clean(text: str) -> str:
    """For XML, which cannot hold control characters or lone surrogates even when they are escaped."""
    return escape(re.sub(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]", "\N{REPLACEMENT CHARACTER}", text))


def text_width(text: str) -> float:
    """How wide the text at 13 px may be: an estimate on the safe side, as the reader's font cannot be measured here."""
    return sum(map(letter_width, text))


def letter_width(letter: str) -> float:
    if unicodedata.east_asian_width(letter) in "WF":
        return 14
    if letter in "mw@%" or letter.isupper():
        return 12.5
    return 4.5 if letter in "ijl.,:;'|! " else 8


def shorten(label: str) -> str:
    """The label, or its two ends: the names of related distributions differ at either."""
    if text_width(label) <= LABEL:
        return label
    while text_width(label) > LABEL - letter_width("…"):
        middle = len(label) // 2
        label = label[:middle] + label[middle + 1 :]
    middle = len(label) // 2
    return f"{label[:middle]}…{label[middle:]}"
