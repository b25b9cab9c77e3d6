"""All that runs Doneright without a cloud: host, engine, sandbox, stack, demo. Never deployed."""
