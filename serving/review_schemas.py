"""What is answered about alerts under review, and what is asked of those who review."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from serving.alert_schemas import AlertVersions
from serving.request_schemas import LONGEST, Day, Person, Reason, Signed
from serving.schemas import Answer, Number, Page, Sentence, UnitName

Grade = Literal["", "amber", "red"]
Status = Literal["new", "assigned", "watching", "confirmed", "dismissed", "superseded"]
Action = Literal["raised", "confirmed", "dismissed", "watching", "assigned", "note", "linked", "released", "undone"]
Verdict = Literal["silent", "unlabelled", "too_few", "holds", "weak", "no_better", "worse"]


class Alert(Answer):
    """An episode of a unit put before a person: for review, no finding."""

    alert: str = Field(
        description="Names the alert for good: the unit and the period in which it was raised.",
        examples=["CN-GD-17@2024-10"],
    )
    unit: str = Field(description="Code of the unit.", examples=["CN-GD-17"])
    name: UnitName = Field(description="Name of the unit.")
    severity: Grade = Field(
        description="`red` for two independent reasons or a high probability, `amber` for one; blank for a unit drawn "
        "from below the line.",
        examples=["amber"],
    )
    title: Sentence | None = Field(description="The strongest pattern; null where there is none.")
    detectors: list[str] = Field(
        description="Codes of the patterns that were met, the strongest first.", examples=[["W01", "W03"]]
    )
    first: str = Field(description="The period in which it was raised.", examples=["2024-10"])
    last: str = Field(description="The last period in which it was on the list.", examples=["2024-12"])
    period: str = Field(description="The period in which its score was highest.", examples=["2024-11"])
    score: Number = Field(description="What the list is ranked by, from 0 to 1.", examples=[0.93])
    probability: Number | None = Field(
        description="Calibrated probability of deterioration; null where no model has shown that it can tell.",
        examples=[0.41],
    )
    open: bool = Field(description="Whether it is still listed in the last period.", examples=[True])
    sampled: bool = Field(
        description="Whether it was drawn from below the line, so that what the list misses can be estimated.",
        examples=[False],
    )
    status: Status = Field(
        description="How its review stands; `superseded` where it is undecided and no longer among the alerts.",
        examples=["new"],
    )
    assigned_to: str = Field(description="Who is to decide; blank for nobody yet.", examples=["Wang Fang"])
    due: date | None = Field(description="Day by which to decide; null where none is set.", examples=["2025-02-28"])
    overdue: bool = Field(description="Whether that day has passed without a decision.", examples=[False])
    reviewer: str = Field(description="Who decided; blank while nobody has.", examples=["Li Ming"])
    decided_on: date | None = Field(description="When; null while nobody has.", examples=["2025-01-20"])
    note: str = Field(description="The last note; blank for none.", examples=["Merged with branch 02 in May."])
    links: list[str] = Field(description="Cases elsewhere that it is linked to.", examples=[["AML-2025-118"]])
    released: bool = Field(description="Whether the unit's managers may see it.", examples=[False])
    entry: int = Field(
        description="Number of the last entry that a person wrote on it, 0 for none: send it as `expected`.",
        examples=[7],
    )


class AlertPage(Page[Alert]):
    """Some of the alerts, the most pressing first."""

    summary: Sentence = Field(description="How many units are to be reviewed.")
    looked_at: int = Field(description="How many units were looked at.", examples=[401])
    listed: int = Field(description="How many of them are on the list.", examples=[20])
    expected_false: Number | None = Field(
        description="Share of the list that is expected to be false, 0 to 1; null where nothing is listed or it "
        "cannot be told.",
        examples=[0.18],
    )
    level: Number = Field(description="The share of false alerts that the list aims to stay within.", examples=[0.2])
    budget: Number = Field(description="Part of the units that can be reviewed in a period.", examples=[0.05])
    notes: list[Sentence] = Field(description="What a careful reader should know.")
    versions: AlertVersions = Field(description="What the alerts rest on.")


class ReviewEntry(Answer):
    """A line of the record of review."""

    entry: int = Field(description="Its number in the record.", examples=[7])
    at: datetime = Field(description="When it was written, UTC.", examples=["2025-01-15T08:30:00Z"])
    by: str = Field(description="Who wrote it; the program where the alert was shown.", examples=["Li Ming"])
    action: Action = Field(
        description="What was done; `raised` where the alert was shown for the first time or looked different.",
        examples=["dismissed"],
    )
    text: str = Field(description="Reason or note; blank for none.", examples=["Merged with branch 02."])
    to: str | None = Field(description="To whom it was assigned.", examples=["Wang Fang"])
    due: date | None = Field(description="Day by which to decide.", examples=["2025-02-28"])
    link: str | None = Field(description="The case elsewhere that it was linked to.", examples=["AML-2025-118"])
    undoes: int | None = Field(description="Number of the entry that it takes back.", examples=[6])
    severity: Grade | None = Field(description="As shown; null for what people wrote.", examples=["red"])
    score: Number | None = Field(description="As shown; null for what people wrote.", examples=[0.93])
    probability: Number | None = Field(description="As shown, where there was one.", examples=[0.41])
    undone: bool = Field(description="Whether a later entry took it back.", examples=[False])


class ReviewedAlert(Alert):
    """An alert with all that is on record about it."""

    history: list[ReviewEntry] = Field(
        description="What is on record about it, the oldest first; empty for one that was never in the queue."
    )
    versions: AlertVersions = Field(description="What the alerts of the period rest on.")


class TrackRecordItem(Answer):
    """How a detector has done on the data at hand, by outcomes known by the last day."""

    detector: str = Field(description="Code of the detector.", examples=["W01"])
    title: Sentence = Field(description="What it is called.")
    reason: Sentence = Field(description="Why its pattern matters.")
    innocent: Sentence = Field(description="What would have to be true for it to be a false alarm.")
    fired: int = Field(description="Unit-periods in which its pattern was met.", examples=[212])
    units: int = Field(description="Units in which it ever was.", examples=[40])
    episodes: int = Field(description="Runs of such periods.", examples=[57])
    matured: int = Field(description="Of those, how many whose outcome is known.", examples=[31])
    hits: int = Field(description="Of those, how many were followed by deterioration.", examples=[12])
    precision: Number | None = Field(description="Hits among the matured; null for none.", examples=[0.387])
    low: Number | None = Field(description="Lower end of its 90% interval.", examples=[0.256])
    high: Number | None = Field(description="Upper end of its 90% interval.", examples=[0.537])
    base_rate: Number | None = Field(
        description="Share of all units of the same periods that deteriorated.", examples=[0.21]
    )
    lift: Number | None = Field(description="Precision in units of the base rate.", examples=[1.84])
    lead_months: Number | None = Field(
        description="Median months from the first signal to the deterioration.", examples=[7.0]
    )
    verdict: Verdict = Field(description="What the figures carry.", examples=["holds"])
    text: Sentence = Field(description="The verdict in words.")


class TrackRecord(Answer):
    """How each detector has done, and what reviews say of what the list misses."""

    items: list[TrackRecordItem] = Field(description="One entry a detector that found what it needs in the data.")
    recall: Number | None = Field(
        description="Of what a reviewer would confirm, the share that was on the list, estimated from draws below the "
        "line; null where nothing can be said.",
        examples=[0.8],
    )
    recall_low: Number | None = Field(description="Lower end of its 90% interval.", examples=[0.55])
    recall_high: Number | None = Field(description="Upper end of its 90% interval.", examples=[0.95])
    recall_note: Sentence = Field(description="What to make of it.")
    versions: AlertVersions = Field(description="What the figures rest on.")


class _Act(Signed):
    expected: int | None = Field(
        default=None,
        description="`entry` of the alert as last seen. Without it the act is refused where it would write over what "
        "somebody else has decided.",
        examples=[7],
    )


class DispositionRequest(_Act):
    """What a reviewer makes of an alert."""

    decision: Literal["confirmed", "dismissed", "watching"] = Field(description="The decision.", examples=["watching"])
    reason: str = Field(
        default="",
        max_length=LONGEST,
        description="Why, for the record; a dismissal needs one.",
        examples=["Loans taken over from branch 02 in May."],
    )


class NoteRequest(_Act):
    """A note on an alert."""

    text: str = Field(
        max_length=LONGEST, description="What the next reader should know.", examples=["Visit on Monday."]
    )


class AssignmentRequest(_Act):
    """To whom an alert is given."""

    to: Person = Field(description="Name of the person who is to decide.", examples=["Wang Fang"])
    due: Day | None = Field(default=None, description="Day by which to decide.", examples=["2025-02-28"])
    note: str = Field(
        default="", max_length=LONGEST, description="What that person should know.", examples=["Second time this year."]
    )


class LinkRequest(_Act):
    """A case elsewhere that an alert belongs to."""

    case: str = Field(
        min_length=1,
        max_length=LONGEST,
        description="Its address or number: kept as text, and never asked for.",
        examples=["AML-2025-118"],
    )


class ReleaseRequest(_Act):
    """Letting the unit's managers see a confirmed alert."""

    reason: str = Field(default="", max_length=LONGEST, description="Why, for the record.", examples=["Visit is over."])


class UndoRequest(_Act):
    """Taking an entry back."""

    reason: Reason = Field(description="Why, for the record.", examples=["Meant for branch 17."])
    entry: int | None = Field(
        default=None, ge=1, le=1_000_000_000, description="Its number; the last that stands by default.", examples=[7]
    )
