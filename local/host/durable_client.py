"""Says what a durable client binding receives, so that the SDK's client reaches this host and its engine."""

import json

from local.host.keys import HostKeys
from local.host.settings import DurableSettings

WEBHOOK_PATH = "/runtime/webhooks/durabletask"


def client_configuration(address: str, base_url: str, settings: DurableSettings, keys: HostKeys) -> str:
    """The JSON a durable client binding receives, with the members Azure's extension sends."""
    webhook = f"{base_url}{WEBHOOK_PATH}"
    query = f"taskHub={settings.hub_name}&connection=Storage&code={keys.durable_key}"
    instance = f"{webhook}/instances/INSTANCEID"
    return json.dumps(
        {
            "taskHubName": settings.hub_name,
            "connectionName": "Storage",
            "creationUrls": {
                "createNewInstancePostUri": f"{webhook}/orchestrators/{{functionName}}[/{{instanceId}}]?code={keys.durable_key}",
                "createAndWaitOnNewInstancePostUri": (
                    f"{webhook}/orchestrators/{{functionName}}[/{{instanceId}}]"
                    f"?timeout={{timeoutInSeconds}}&pollingInterval={{intervalInSeconds}}&code={keys.durable_key}"
                ),
            },
            "managementUrls": {
                "id": "INSTANCEID",
                "statusQueryGetUri": f"{instance}?{query}",
                "sendEventPostUri": f"{instance}/raiseEvent/{{eventName}}?{query}",
                "terminatePostUri": f"{instance}/terminate?reason={{text}}&{query}",
                "rewindPostUri": f"{instance}/rewind?reason={{text}}&{query}",
                "purgeHistoryDeleteUri": f"{instance}?{query}",
                "restartPostUri": f"{instance}/restart?{query}",
                "suspendPostUri": f"{instance}/suspend?reason={{text}}&{query}",
                "resumePostUri": f"{instance}/resume?reason={{text}}&{query}",
            },
            "baseUrl": webhook,
            "httpBaseUrl": webhook,
            "requiredQueryStringParameters": f"code={keys.durable_key}",
            "rpcBaseUrl": f"http://{address}",
            "useForwardedHost": False,
            "maxGrpcMessageSizeInBytes": settings.max_grpc_message_size_in_bytes,
            "grpcHttpClientTimeout": "00:01:40",
        }
    )
