"""Target plans."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Go there."""
    op.create_table(
        "target_plans",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("dataset", sa.String(length=200), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("revises", sa.String(length=32), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("data_version", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("model_version", sa.String(length=200), nullable=False),
        sa.Column("model_digest", sa.String(length=64), nullable=False),
        sa.Column("policy_version", sa.String(length=200), nullable=False),
        sa.Column("known_on", sa.String(length=10), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("indicators", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("request_key", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(["revises"], ["target_plans.id"], name=op.f("fk_target_plans_revises_target_plans")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_target_plans")),
        sa.UniqueConstraint("dataset", "year", "version", name=op.f("uq_target_plans_dataset_year_version")),
        sa.UniqueConstraint("request_key", name=op.f("uq_target_plans_request_key")),
    )
    with op.batch_alter_table("target_plans", schema=None) as batch_op:
        batch_op.create_index(
            "uq_target_plans_published",
            ["dataset", "year"],
            unique=True,
            sqlite_where=sa.text("state = 'published'"),
            postgresql_where=sa.text("state = 'published'"),
        )

    op.create_table(
        "target_plan_events",
        sa.Column("plan", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("actor", sa.String(length=300), nullable=False),
        sa.Column("action", sa.String(length=30), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan"], ["target_plans.id"], name=op.f("fk_target_plan_events_plan_target_plans"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plan", "number", name=op.f("pk_target_plan_events")),
    )
    op.create_table(
        "target_plan_lines",
        sa.Column("plan", sa.String(length=32), nullable=False),
        sa.Column("unit", sa.String(length=200), nullable=False),
        sa.Column("indicator", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("leaf", sa.Boolean(), nullable=False),
        sa.Column("above", sa.Text(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=True),
        sa.Column("last_actual", sa.Double(), nullable=True),
        sa.Column("growth", sa.Double(), nullable=True),
        sa.Column("floor", sa.Double(), nullable=True),
        sa.Column("target", sa.Double(), nullable=True),
        sa.Column("stretch", sa.Double(), nullable=True),
        sa.Column("p_floor", sa.Double(), nullable=True),
        sa.Column("p_target", sa.Double(), nullable=True),
        sa.Column("p_stretch", sa.Double(), nullable=True),
        sa.Column("suggested", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("groups", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("flagged", sa.Boolean(), nullable=False),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("overridden", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.String(length=200), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["plan"], ["target_plans.id"], name=op.f("fk_target_plan_lines_plan_target_plans"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plan", "unit", "indicator", name=op.f("pk_target_plan_lines")),
    )
    with op.batch_alter_table("target_plan_lines", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_target_plan_lines_plan_position"), ["plan", "position"], unique=True)


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("target_plan_lines", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_target_plan_lines_plan_position"))

    op.drop_table("target_plan_lines")
    op.drop_table("target_plan_events")
    with op.batch_alter_table("target_plans", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_target_plans_published",
            sqlite_where=sa.text("state = 'published'"),
            postgresql_where=sa.text("state = 'published'"),
        )

    op.drop_table("target_plans")
