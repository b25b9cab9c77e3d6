"""The GitHub simulator: REST, the GraphQL in use, webhooks and pages over one state."""
