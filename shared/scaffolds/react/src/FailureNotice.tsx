import type { ReactNode } from "react";

/** Says what went wrong, what to quote when asking for help, and offers what can be done. */
export function FailureNotice({
  title,
  failure,
  children,
}: {
  readonly title: string;
  readonly failure: { readonly message: string; readonly correlationId?: string };
  readonly children?: ReactNode;
}) {
  return (
    <div role="alert" className="failure">
      <p>
        <strong>{title}.</strong> {failure.message}
      </p>
      {failure.correlationId !== undefined && (
        <p className="hint">
          Reference: <code>{failure.correlationId}</code>
        </p>
      )}
      {children}
    </div>
  );
}
