"""Target plans: what HR drafts from suggestions, and what was published."""

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from serving.database.tables.base import Document, Moment, metadata

plans = Table(
    "target_plans",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("dataset", String(200), nullable=False),
    Column("year", Integer, nullable=False),
    Column("version", Integer, nullable=False),  # of the plan for that year: 1, 2, ...
    Column("revises", String(32), ForeignKey("target_plans.id")),
    Column("title", String(200), nullable=False),
    Column("state", String(20), nullable=False),  # draft, submitted, approved, published, superseded, withdrawn
    Column("revision", Integer, nullable=False),  # goes up with every change: the ETag
    Column("data_version", Integer, nullable=False),
    Column("model_version", String(200), nullable=False),
    Column("policy_version", String(200), nullable=False),
    Column("known_on", String(10), nullable=False),
    Column("asked", Document, nullable=False),  # goals, ceilings and what else the draft was made from
    Column("notes", Document, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("published_at", Moment),
    Column("request_key", String(500), unique=True),  # principal and Idempotency-Key: the same twice is one plan
    UniqueConstraint("dataset", "year", "version"),
    Index(
        "uq_target_plans_published",
        "dataset",
        "year",
        unique=True,
        sqlite_where=text("state = 'published'"),
        postgresql_where=text("state = 'published'"),
    ),
)

lines = Table(
    "target_plan_lines",
    metadata,
    Column("plan", String(32), ForeignKey("target_plans.id", ondelete="CASCADE"), primary_key=True),
    Column("unit", String(200), primary_key=True),
    Column("indicator", String(200), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("last_actual", Double),
    Column("floor", Double),
    Column("target", Double),
    Column("stretch", Double),
    Column("p_floor", Double),
    Column("p_target", Double),
    Column("p_stretch", Double),
    Column("suggested", Document, nullable=False),  # the three levels and probabilities as suggested
    Column("basis", Document, nullable=False),  # quantiles, peer quartile, drivers: what the rest is told from
    Column("evidence", Text, nullable=False),
    Column("pinned", Boolean, nullable=False),  # stays when the rest is allocated again
    Column("overridden", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("changed_by", String(200)),
    Column("changed_at", Moment),
)

events = Table(
    "target_plan_events",
    metadata,
    Column("plan", String(32), ForeignKey("target_plans.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),  # 1, 2, ... within the plan
    Column("at", Moment, nullable=False),
    Column("by", String(200), nullable=False),
    Column("action", String(30), nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Document, nullable=False),  # before and after of what changed
)
