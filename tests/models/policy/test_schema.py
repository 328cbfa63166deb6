from __future__ import annotations

from pathlib import Path
from typing import Any

from models.policy.document import Item, Policy
from models.policy.schema import DESCRIPTIONS, policy_schema, schema_text

PUBLISHED = Path(__file__).parents[3] / "docs" / "policy.schema.json"
RENEW = "from models.policy.schema import schema_text; open('docs/policy.schema.json', 'w').write(schema_text())"


def parts() -> dict[str, dict[str, Any]]:
    schema = policy_schema()
    found = {"Policy": schema, **schema["$defs"]}
    return {name: part["properties"] for name, part in found.items()}


def test_the_published_schema_is_up_to_date() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == schema_text(), f"renew it: {RENEW}"


def test_every_field_is_described() -> None:
    bare = [f"{name}.{field}" for name, part in parts().items() for field in part if "description" not in part[field]]
    assert bare == []


def test_every_description_is_of_a_field() -> None:
    known = {f"{name}.{field}" for name, part in parts().items() for field in part}
    known |= {field for part in parts().values() for field in part}
    assert set(DESCRIPTIONS) <= known


def test_every_part_says_what_it_is() -> None:
    schema = policy_schema()
    assert [name for name, part in schema["$defs"].items() if not part.get("description")] == []
    assert schema["description"].startswith("A whole policy")


def test_unknown_fields_are_refused_everywhere() -> None:
    schema = policy_schema()
    assert all(part["additionalProperties"] is False for part in (schema, *schema["$defs"].values()))


def test_fields_are_called_as_in_the_document() -> None:
    assert "from" in parts()["Period"]
    assert set(parts()["Item"]) == set(Item.model_fields)
    assert set(parts()["Policy"]) == set(Policy.model_fields)
