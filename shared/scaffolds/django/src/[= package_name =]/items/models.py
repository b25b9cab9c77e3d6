"""How items are kept. A change here needs a migration: `manage.py makemigrations` writes it."""

from uuid import uuid4

from django.db import models


class Item(models.Model):
    """An item in the database; its number orders it, and its key is what callers see."""

    key = models.UUIDField(unique=True, default=uuid4, editable=False)
    name = models.CharField(max_length=100)
    price = models.DecimalField(max_digits=12, decimal_places=2)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """What the database checks itself."""

        constraints = (
            models.CheckConstraint(condition=models.Q(price__gte=0), name="price_not_negative"),
        )

    def __str__(self) -> str:
        """Return the name and the key."""
        return f"{self.name} ({self.key})"
