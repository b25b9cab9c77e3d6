"""Decides how the host speaks to the engine: over which channel, and how long a call may take."""

import grpc
import grpc.aio

RPC_TIMEOUT = 20.0  # seconds


def open_channel(address: str) -> grpc.aio.Channel:
    """A channel to the engine without a message limit of its own: the engine's limit is the one that counts."""
    return grpc.aio.insecure_channel(
        address, options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    )
