"""Webhooks: other systems are told of published plans, new alerts and finished runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, status
from starlette.responses import Response

from serving.api.desk import Desk, desk_of, entity_tag
from serving.api.paging import DEFAULT_LIMIT, Cursor, Limit, read_cursor, write_cursor
from serving.errors import InvalidError
from serving.idempotency import request_key
from serving.webhook_schemas import (
    Delivery,
    DeliveryPage,
    NewWebhook,
    TestMessage,
    Webhook,
    WebhookAsked,
    WebhookPage,
)

router = APIRouter(tags=["webhooks"])
WebhookName = Annotated[
    str,
    Path(
        max_length=32,
        pattern="^[0-9a-f]{1,32}$",
        description="The webhook's id.",
        examples=["4f2c9a1be07d4c554f2c9a1be07d4c55"],
    ),
]
TheDesk = Annotated[Desk, Depends(desk_of)]
MOST_DELIVERIES = 100
"""Messages shown of a webhook: who looks wants to know why the last ones did not arrive."""


@router.get("/webhooks", summary="List the webhooks", operation_id="list_webhooks")
def list_webhooks(
    response: Response, desk: TheDesk, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> WebhookPage:
    """List who is told of what, the oldest first, with those that were ended."""
    rows, after, begin = desk.advisor.webhooks.every(), read_cursor(cursor), 0
    if after is not None:
        names = [row["id"] for row in rows]
        if after not in names:
            raise InvalidError("the cursor is not one of this list", hint="Begin again without `cursor`.")
        begin = names.index(after) + 1
    shown = rows[begin : begin + limit]
    more = write_cursor(shown[-1]["id"] if begin + limit < len(rows) else None)
    answer = WebhookPage(items=[_webhook(row) for row in shown], total=len(rows), next_cursor=more)
    response.headers["ETag"] = entity_tag("webhooks", answer.model_dump_json())
    return answer


@router.post(
    "/webhooks",
    summary="Add a webhook",
    operation_id="add_webhook",
    status_code=status.HTTP_201_CREATED,
    responses={
        201: {
            "description": "It stands; its secret is told only now.",
            "headers": {"Location": {"description": "Where it is found.", "schema": {"type": "string"}}},
        }
    },
)
def add_webhook(asked: WebhookAsked, response: Response, desk: TheDesk) -> NewWebhook:
    """Have a receiver told of what happens from now on. Messages name things and versions, and hold no results."""
    row, secret = desk.advisor.webhooks.add(asked.url, asked.events, request_key=request_key())
    response.headers["Location"] = f"/api/v1/webhooks/{row['id']}"
    response.headers["Cache-Control"] = "no-store"  # it shows the secret
    return NewWebhook(**_webhook(row).model_dump(), secret=secret)


@router.get("/webhooks/{webhook}", summary="Look a webhook up", operation_id="get_webhook")
def get_webhook(response: Response, webhook: WebhookName, desk: TheDesk) -> Webhook:
    """Give a webhook, without its secret."""
    answer = _webhook(desk.advisor.webhooks.find(webhook))
    response.headers["ETag"] = entity_tag("webhook", answer.model_dump_json())
    return answer


@router.delete("/webhooks/{webhook}", summary="End a webhook", operation_id="end_webhook")
def end_webhook(webhook: WebhookName, desk: TheDesk) -> Webhook:
    """Tell a receiver nothing more; what waits is given up. Ending twice changes nothing."""
    return _webhook(desk.advisor.webhooks.end(webhook))


@router.post(
    "/webhooks/{webhook}/test",
    summary="Try a webhook",
    operation_id="try_webhook",
    status_code=status.HTTP_202_ACCEPTED,
)
def try_webhook(webhook: WebhookName, desk: TheDesk) -> TestMessage:
    """Send a message that says nothing; its delivery tells whether it arrived."""
    return TestMessage(id=desk.advisor.webhooks.test(webhook))


@router.get("/webhooks/{webhook}/deliveries", summary="List deliveries", operation_id="list_deliveries")
def list_deliveries(response: Response, webhook: WebhookName, desk: TheDesk) -> DeliveryPage:
    """List what was sent to a webhook and what waits, the newest first."""
    rows = desk.advisor.webhooks.deliveries(webhook, limit=MOST_DELIVERIES)
    items = [Delivery(**{name: row[name] for name in Delivery.model_fields}) for row in rows]
    answer = DeliveryPage(items=items, total=len(items), next_cursor=None)
    response.headers["ETag"] = entity_tag("deliveries", answer.model_dump_json())
    return answer


def _webhook(row: Mapping[str, Any]) -> Webhook:
    told = {name: row[name] for name in ("id", "url", "events", "created_at", "created_by")}
    return Webhook(**told, ended_at=row["disabled_at"])
