"""The door to models is shut for every test outside the one suite that has a server of its own."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from shared.adapters.model import OpenAIModel


def test_a_test_that_asks_a_model_fails_at_once():
    with pytest.raises(pytest.fail.Exception, match="a test asked a model"):
        OpenAIModel("http://127.0.0.1:9/v1", "m").ask("instructions", "question", BaseModel)
