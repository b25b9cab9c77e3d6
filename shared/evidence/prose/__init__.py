"""What people write for people, read for what it says: tickets, descriptions, designs and threat models."""
