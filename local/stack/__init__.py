"""The whole system on one machine: storage emulator, engine, sandbox and host as children that live and die together."""

from local.stack.configuration import Configuration, Ports, PortTakenError
from local.stack.stack import Ready, Stack, StackError

__all__ = ["Configuration", "PortTakenError", "Ports", "Ready", "Stack", "StackError"]
