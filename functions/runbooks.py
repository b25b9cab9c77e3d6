"""Registers the runbooks and their activities with the Functions runtime."""

from __future__ import annotations

import azure.durable_functions as df

from orchestrations import bootstrap
from orchestrations.activities import ACTIVITIES

blueprint = df.Blueprint()

for runbook in (bootstrap.bootstrap, bootstrap.step):
    blueprint.orchestration_trigger(context_name="context")(runbook)

for activity in ACTIVITIES:
    blueprint.activity_trigger(input_name="payload")(activity)
