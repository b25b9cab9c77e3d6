"""An orchestration that fans out to five activities, as a Durable Functions app; ``bench.stock_worker`` runs the same."""

import azure.durable_functions as df

from bench.fan_out import doubled, fan_out

app = df.DFApp()
app.orchestration_trigger(context_name="context")(fan_out)


@app.activity_trigger(input_name="value")
def double(value: int) -> int:
    """The activity."""
    return doubled(value)
