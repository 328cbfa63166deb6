"""What docs/api.md shows: a program that asks the service, and a receiver of its messages."""

import re
from pathlib import Path

GUIDE = (Path(__file__).resolve().parents[1] / "docs" / "api.md").read_text(encoding="utf-8")
PROGRAM, RECEIVER = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
