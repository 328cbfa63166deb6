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
    Column("revises", String(32), ForeignKey("target_plans.id")),  # the published version that it is to replace
    Column("title", String(200), nullable=False),
    Column("state", String(20), nullable=False),  # draft, submitted, approved, published, superseded, withdrawn
    Column("revision", Integer, nullable=False),  # goes up with every change: the ETag
    Column("data_version", Integer, nullable=False),
    Column("fingerprint", String(64), nullable=False),  # of the data version
    Column("model_version", String(200), nullable=False),
    Column("model_digest", String(64), nullable=False),  # blank where all was fitted on the spot
    Column("policy_version", String(200), nullable=False),
    Column("known_on", String(10), nullable=False),
    Column("asked", Document, nullable=False),  # goals, ceilings, rules and what else the draft was made from
    Column("indicators", Document, nullable=False),  # as they were defined when it was drafted
    Column("notes", Document, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("published_at", Moment),
    Column("digest", String(64), nullable=False),  # of all lines, from submission on; blank in a draft
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
    Column("position", Integer, nullable=False),  # from 0, in the order in which lines are shown
    Column("revision", Integer, nullable=False),
    Column("role", String(10), nullable=False),  # goal; total: of units below a goal; blank
    Column("leaf", Boolean, nullable=False),
    Column("above", Document, nullable=False),  # the units above, the nearest first
    Column("weight", Double),  # the denominator, of ratios and levels
    Column("last_actual", Double),
    Column("growth", Double),  # of the last actual over the year before: percent, or points of a ratio or level
    Column("floor", Double),
    Column("target", Double),
    Column("stretch", Double),
    Column("p_floor", Double),
    Column("p_target", Double),
    Column("p_stretch", Double),
    Column("suggested", Document, nullable=False),  # the three levels and probabilities as suggested
    Column("basis", Document, nullable=False),  # curve of probability, milestones: what the rest is told from
    Column("groups", Document, nullable=False),  # peer quartiles, and groups by which fairness is judged
    Column("evidence", Text, nullable=False),
    Column("flagged", Boolean, nullable=False),  # for risk: its target has a ceiling
    Column("pinned", Boolean, nullable=False),  # stays when the rest is allocated again
    Column("overridden", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("changed_by", String(200)),
    Column("changed_at", Moment),
    Index(None, "plan", "position", unique=True),
)

events = Table(
    "target_plan_events",
    metadata,
    Column("plan", String(32), ForeignKey("target_plans.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),  # 1, 2, ... within the plan
    Column("at", Moment, nullable=False),
    Column("by", String(200), nullable=False),
    Column("actor", String(300), nullable=False),  # who it is beneath the name, see serving.plans.actors
    Column("action", String(30), nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Document, nullable=False),  # before and after of what changed
)
