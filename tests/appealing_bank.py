"""People who appeal and decide, a policy to put in force, and all that may change after an appeal was raised."""

from pathlib import Path

from score_home import policy_document, write_policy_file
from serving_home import LAST_YEAR, promote_model, write_dataset

from serving.access.principal import Grant, Principal, Role
from serving.advisor import Advisor
from serving.scoring import ScoreRequest

UNIT = "=1+1"
"""A unit whose score no cap holds."""
WORDS = "贷款余额漏计一笔，请复核。"
MANAGER = Principal("m1", "Li Na", "person", (Grant(Role.MANAGER, UNIT),))
NAMESAKE = Principal("h1", "Li Na", "person", (Grant(Role.HR),))
HR = Principal("h2", "Wang Wei", "person", (Grant(Role.HR),))


def put_in_force(advisor: Advisor, folder: Path, **changed) -> None:
    """Activate the policy of `score_home`, with what is changed in it."""
    policy = write_policy_file(folder / f"policy-{changed.get('version', 1)}.yaml", **changed)
    codes = [finding.code for finding in advisor.policies.check(policy).findings]
    advisor.policies.activate(policy, by="Zhao Yun", reason="for the tests of appeals", accept=codes)


def change_everything(advisor: Advisor, folder: Path) -> None:
    """Restate all figures, close an earlier period, put another policy in force and another model in service."""
    advisor.ingest(write_dataset(folder / "restated", scale=1.07))
    advisor.scoring.close(advisor.scoring.score(ScoreRequest(str(LAST_YEAR - 2))), by="Zhao Yun")
    card = policy_document()["scorecards"][0]
    for item, weight in zip(card["items"], (75, 25), strict=True):
        item["weight"] = weight
    put_in_force(advisor, folder, version="2", scorecards=[card], effective={"from": f"{LAST_YEAR}-01-01"})
    promote_model(advisor, seed=2)
