"""Empty and stale projects: listed, and removed when somebody asks by name."""
