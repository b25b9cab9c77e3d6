"""A Durable Functions app with one function: what an app that does nothing costs to index."""

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.route(route="noop", methods=["GET"])
async def noop(req: func.HttpRequest) -> func.HttpResponse:
    """Answer."""
    return func.HttpResponse("ok")
