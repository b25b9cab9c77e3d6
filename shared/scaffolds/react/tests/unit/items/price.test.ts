import { expect, test } from "vitest";

import { readablePrice } from "../../../src/items/ItemList";

test.each([
  ["12.5", "€12.50"],
  ["0", "€0.00"],
  ["1234567", "€1,234,567.00"],
  ["on request", "on request"],
  ["", ""],
])("%j is shown as %j", (price, shown) => {
  expect(readablePrice(price)).toBe(shown);
});
