"""What Casey asks for, once with mistakes and once without."""

from __future__ import annotations

PROJECT = "Payments API"
PROJECT_ID = "payments-api"

COMPLETE = f"""### Project name

{PROJECT}

### Description

Takes card payments for the shop.

### Owner

casey

### Process

Scrum

### Stack

FastAPI

### Visibility

Private

### Repositories on

Azure DevOps and GitHub

### Minimum reviewers

1

### Backlog seeds

- Take a card payment
- Refund a payment
"""
INCOMPLETE = COMPLETE.replace("\ncasey\n", "\n_No response_\n").replace(PROJECT, "Payments/API")
