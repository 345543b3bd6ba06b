"""What one emulated AWS is started with.

Contract: read-only after start-up, but for `status_events`, `sweep` and `speed`, which the control API switches, and `journal_table`,
which a template names.
"""

from dataclasses import dataclass
from pathlib import Path

REGION = "eu-west-1"
# The group of the schedules that programmes make.
PROGRAMMES = "cutover-programmes"
ACCOUNT_ID = "123456789012"
# The accounts that the stack has a role for; a world says what lies in them.
MEMBERS = ["222222222222", "333333333333", "444444444444", "555555555555"]
MEMBER_ROLE_ARN = "arn:aws:iam::*:role/cutover-access"
EXTERNAL_ID = "cutover-rehearsal"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT_ID}:role/cutover-local"


@dataclass
class Settings:
    root: Path  # the checkout: functions/ lies here
    bin_dir: Path  # where cargo put the functions' binaries
    home: Path  # logs and unpacked code
    port: int = 0
    speed: float = 1.0  # waits and retry delays are divided by it
    sweep: bool = True  # fire rate() rules
    status_events: bool = True  # deliver execution status changes
    template: Path | None = None  # a synthesized CDK app to deploy from, instead of stacks/deploy.py
    bare: bool = False  # deploy nothing
    definitions: Path | None = None  # the rendered definitions: <machine>.asl.json
    iam: bool = False  # enforce permissions
    journal_table: str = "cutover-journal"
    stakeholders: str | None = None  # the stack's groups, as JSON; without, nobody listens to what is told of runs

    answers: bool = False  # pages that answer: the function `answer` has an address, and messages have links

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"
