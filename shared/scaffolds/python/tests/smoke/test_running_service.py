"""The few questions that tell a working release from a broken one; they change nothing."""

import httpx2


def test_is_alive(http: httpx2.Client) -> None:
    response = http.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok"}


def test_takes_traffic(http: httpx2.Client) -> None:
    assert http.get("/readyz").status_code == 200


def test_echoes_the_correlation_id(http: httpx2.Client) -> None:
    response = http.get("/healthz", headers={"X-Correlation-ID": "smoke-1"})
    assert response.headers["X-Correlation-ID"] == "smoke-1"


def test_unknown_path_is_a_problem(http: httpx2.Client) -> None:
    response = http.get("/there-is-no-such-page")
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["status"] == 404
