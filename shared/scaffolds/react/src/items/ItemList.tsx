import { useState } from "react";

import { FailureNotice } from "../FailureNotice";
import { RequestError } from "../http";
import type { Item } from "./model";

const euro = new Intl.NumberFormat("en", { style: "currency", currency: "EUR" });

/** The price as people read it; the text itself when it is no amount. */
export function readablePrice(price: string): string {
  const amount = Number(price);
  return price.trim() === "" || Number.isNaN(amount) ? price : euro.format(amount);
}

/** The items shown, each with a button that removes it. */
export function ItemList({
  items,
  total,
  remove,
  more,
}: {
  readonly items: readonly Item[];
  readonly total: number;
  readonly remove: (item: Item) => Promise<void>;
  readonly more: () => Promise<void>;
}) {
  const [failure, setFailure] = useState<RequestError | null>(null);
  const [busy, setBusy] = useState(false);

  async function doing(work: () => Promise<void>): Promise<void> {
    setFailure(null);
    setBusy(true);
    try {
      await work();
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      setFailure(error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <>
      {failure && <FailureNotice title="That did not work" failure={failure} />}
      {total === 0 ? (
        <p>There are no items yet. Add the first one above.</p>
      ) : (
        <>
          <p className="hint">
            {items.length} of {total} shown
          </p>
          <ul className="items">
            {items.map((item) => (
              <li key={item.id}>
                <span className="name">{item.name}</span>
                <span className="price">{readablePrice(item.price)}</span>
                <button
                  type="button"
                  className="quiet"
                  aria-label={`Remove ${item.name}`}
                  aria-disabled={busy}
                  onClick={() => {
                    if (!busy) void doing(() => remove(item));
                  }}
                >
                  Remove
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
      {items.length < total && (
        <button
          type="button"
          className="quiet"
          aria-disabled={busy}
          onClick={() => {
            if (!busy) void doing(more);
          }}
        >
          Show more
        </button>
      )}
    </>
  );
}
