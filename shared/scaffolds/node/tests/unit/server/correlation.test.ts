import { expect, test } from "vitest";

import { correlationIdFor, traceIdsOf } from "../../../server/correlation";

test("a harmless id is kept", () => {
  expect(correlationIdFor("abc-123_4.5")).toBe("abc-123_4.5");
});

test.each([undefined, "", "a b", 'x"}\n{"level":"ERROR', "é", "a".repeat(65)])(
  "%j gets a new one",
  (offered) => {
    const made = correlationIdFor(offered);
    expect(made).toMatch(/^[0-9a-f]{32}$/);
    expect(correlationIdFor(offered)).not.toBe(made);
  },
);

test("the ids of a trace are read", () => {
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  expect(traceIdsOf(`00-${trace}-00f067aa0ba902b7-01`)).toEqual({
    trace_id: trace,
    span_id: "00f067aa0ba902b7",
  });
});

test.each([
  undefined,
  "",
  "nonsense",
  `00-${"0".repeat(32)}-00f067aa0ba902b7-01`,
  `00-4bf92f3577b34da6a3ce929d0e0e4736-${"0".repeat(16)}-01`,
])("%j holds no trace", (header) => {
  expect(traceIdsOf(header)).toBeUndefined();
});
