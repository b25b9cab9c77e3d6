import { useRef, useState } from "react";

import { FailureNotice } from "../FailureNotice";
import { ItemForm } from "./ItemForm";
import { ItemList } from "./ItemList";
import type { ItemStore } from "./store";
import { useItems } from "./useItems";

/** The example page: replace it with your first own one, file by file. */
export function ItemsPage({ store }: { readonly store: ItemStore }) {
  const { list, reload, more, add, remove } = useItems(store);
  const [news, setNews] = useState("");
  const heading = useRef<HTMLHeadingElement>(null);

  return (
    <>
      <h1>Items</h1>
      {/* Always in the page: readers announce what changes in it, not what comes with it. */}
      <p role="status" className="news">
        {news}
      </p>
      <ItemForm
        add={add}
        added={(item) => {
          setNews(`Added ${item.name}.`);
        }}
      />
      <section aria-labelledby="items-title" aria-busy={list.state === "loading"}>
        <h2 id="items-title" ref={heading} tabIndex={-1}>
          All items
        </h2>
        {list.state === "loading" && <p>Loading…</p>}
        {list.state === "failed" && (
          <FailureNotice title="The items could not be loaded" failure={list.failure}>
            <button type="button" onClick={reload}>
              Try again
            </button>
          </FailureNotice>
        )}
        {list.state === "ready" && (
          <ItemList
            items={list.items}
            total={list.total}
            more={more}
            remove={async (item) => {
              await remove(item.id);
              setNews(`Removed ${item.name}.`);
              // Its button is gone, and the focus with it.
              heading.current?.focus();
            }}
          />
        )}
      </section>
    </>
  );
}
