"""How fast, and whether at all, Doneright asks a forge: budgets by identity, circuit breakers by host."""

from shared.adapters.pacing.breaker import CircuitBreaker, CircuitState
from shared.adapters.pacing.budget import NOTHING, Advice, Allowance, Budget, Costs
from shared.adapters.pacing.pace import Call, Pace, Pacing
from shared.adapters.pacing.windows import Limit

__all__ = [
    "NOTHING",
    "Advice",
    "Allowance",
    "Budget",
    "Call",
    "CircuitBreaker",
    "CircuitState",
    "Costs",
    "Limit",
    "Pace",
    "Pacing",
]
