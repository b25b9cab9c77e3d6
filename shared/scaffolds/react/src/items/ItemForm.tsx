import { type SubmitEvent, useId, useRef, useState } from "react";

import { FailureNotice } from "../FailureNotice";
import { RequestError } from "../http";
import { type Field, type FieldErrors, type Item, type NewItem, readNewItem } from "./model";

const LABELS: Readonly<Record<Field, { label: string; hint: string }>> = {
  name: { label: "Name", hint: "At most 100 characters." },
  price: { label: "Price in euro", hint: "For example 12.50." },
};
const FIELDS: readonly Field[] = ["name", "price"];
const EMPTY: Readonly<Record<Field, string>> = { name: "", price: "" };

function refusedFields(error: RequestError): FieldErrors {
  const errors: FieldErrors = {};
  for (const field of FIELDS) {
    const problem = error.fields.find(({ pointer }) => pointer.split("/").at(-1) === field);
    if (problem !== undefined) errors[field] = problem.detail;
  }
  return errors;
}

/** The form that adds an item; what is wrong is said beside the field, and the first such field has the focus. */
export function ItemForm({
  add,
  added,
}: {
  readonly add: (item: NewItem) => Promise<Item>;
  readonly added: (item: Item) => void;
}) {
  const id = useId();
  const inputs = useRef<Partial<Record<Field, HTMLInputElement | null>>>({});
  const [filled, setFilled] = useState(EMPTY);
  const [errors, setErrors] = useState<FieldErrors>({});
  const [failure, setFailure] = useState<RequestError | null>(null);
  const [busy, setBusy] = useState(false);

  function refuse(found: FieldErrors): void {
    setErrors(found);
    const first = FIELDS.find((field) => found[field] !== undefined);
    if (first !== undefined) inputs.current[first]?.focus();
  }

  async function submit(): Promise<void> {
    const read = readNewItem(filled);
    setFailure(null);
    if ("errors" in read) {
      refuse(read.errors);
      return;
    }
    setErrors({});
    setBusy(true);
    try {
      added(await add(read.item));
      setFilled(EMPTY);
      inputs.current.name?.focus();
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      const refused = refusedFields(error);
      if (Object.keys(refused).length > 0) refuse(refused);
      else setFailure(error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <form
      className="item-form"
      noValidate
      aria-labelledby={`${id}-title`}
      onSubmit={(event: SubmitEvent) => {
        event.preventDefault();
        if (!busy) void submit();
      }}
    >
      <h2 id={`${id}-title`}>Add an item</h2>
      {failure && <FailureNotice title="The item was not added" failure={failure} />}
      <div className="fields">
        {FIELDS.map((field) => (
          <div className="field" key={field}>
            <label htmlFor={`${id}-${field}`}>{LABELS[field].label}</label>
            <input
              id={`${id}-${field}`}
              ref={(input) => {
                inputs.current[field] = input;
              }}
              name={field}
              inputMode={field === "price" ? "decimal" : "text"}
              autoComplete="off"
              required
              value={filled[field]}
              aria-invalid={errors[field] !== undefined}
              aria-describedby={`${id}-${field}-hint ${id}-${field}-error`}
              onChange={({ target }) => {
                setFilled((now) => ({ ...now, [field]: target.value }));
              }}
            />
            <p className="hint" id={`${id}-${field}-hint`}>
              {LABELS[field].hint}
            </p>
            <p className="error" id={`${id}-${field}-error`}>
              {errors[field]}
            </p>
          </div>
        ))}
        {/* Kept enabled while busy: a disabled button would lose the focus. */}
        <button type="submit" aria-disabled={busy}>
          {busy ? "Adding…" : "Add"}
        </button>
      </div>
    </form>
  );
}
