"""What is asked and answered about webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from serving.request_schemas import Asked
from serving.schemas import Answer, Page

EventName = Literal["plan.published", "alert.raised", "run.ended"]
Url = Annotated[str, StringConstraints(min_length=1, max_length=2_000, pattern=r"^https?://[!-~]+$")]


class Webhook(Answer):
    """A receiver that is told of events."""

    id: str = Field(description="Its name.", examples=["4f2c9a1be07d4c554f2c9a1be07d4c55"])
    url: str = Field(description="Where messages go.", examples=["https://risk.bank.example/loadline"])
    events: list[EventName] = Field(description="What it is told of.", examples=[["plan.published"]])
    created_at: datetime = Field(
        description="It is told of what happens from then on.", examples=["2026-03-02T08:15:30Z"]
    )
    created_by: str = Field(description="By whom.", examples=["Li Ming"])
    ended_at: datetime | None = Field(
        description="When it was ended; null while it stands.", examples=["2026-03-02T08:15:30Z"]
    )


class NewWebhook(Webhook):
    """A webhook with its secret, which is told once."""

    secret: str = Field(
        description="Base64 after `whsec_`: the key of the HMAC-SHA256 over `webhook-id.webhook-timestamp.body`, as "
        "Standard Webhooks 1.0 has it.",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )


class WebhookPage(Page[Webhook]):
    """Webhooks, the oldest first."""

    items: list[Webhook] = Field(description="The webhooks.")


class WebhookAsked(Asked):
    """A receiver and what it is to be told of."""

    url: Url = Field(
        description="Where messages go: https, on a host that LOADLINE_WEBHOOK_HOSTS allows.",
        examples=["https://risk.bank.example/loadline"],
    )
    events: list[EventName] = Field(
        min_length=1, max_length=10, description="What it is told of.", examples=[["plan.published", "alert.raised"]]
    )


class Delivery(Answer):
    """A message and how its delivery stands."""

    id: str = Field(
        description="The message's `webhook-id`: the same at each attempt.",
        examples=["4f2c9a1be07d4c554f2c9a1be07d4c55"],
    )
    event: str = Field(description="What it tells of; `webhook.test` for a trial.", examples=["plan.published"])
    state: Literal["waiting", "delivered", "given-up"] = Field(description="How it stands.", examples=["delivered"])
    attempts: int = Field(description="How often it was sent.", examples=[1])
    last_status: int | None = Field(description="What the receiver answered last; null for nothing.", examples=[204])
    made_at: datetime = Field(description="When it was written down.", examples=["2026-03-02T08:15:30Z"])
    due_at: datetime = Field(description="When it is or was due next.", examples=["2026-03-02T08:15:30Z"])
    delivered_at: datetime | None = Field(description="When it arrived.", examples=["2026-03-02T08:15:30Z"])


class DeliveryPage(Page[Delivery]):
    """Messages, the newest first; those beyond the last hundred are not shown."""

    items: list[Delivery] = Field(description="The messages.")


class TestMessage(Answer):
    """The message that tries a webhook."""

    id: str = Field(
        description="Its `webhook-id`; follow it among the deliveries.", examples=["4f2c9a1be07d4c554f2c9a1be07d4c55"]
    )
