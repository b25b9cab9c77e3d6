import { Component, type ErrorInfo, type ReactNode } from "react";

import { FailureNotice } from "./FailureNotice";

/** Shows a way on instead of an empty page when a part of the page fails to render. */
export class ErrorBoundary extends Component<
  { readonly children: ReactNode; readonly report: (error: unknown, where: string) => void },
  { readonly failed: boolean }
> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override componentDidCatch(error: unknown, { componentStack }: ErrorInfo): void {
    this.props.report(error, componentStack ?? "");
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <FailureNotice
        title="This page failed"
        failure={{ message: "The fault is ours. Reloading the page may help." }}
      >
        <button
          type="button"
          onClick={() => {
            window.location.reload();
          }}
        >
          Reload the page
        </button>
      </FailureNotice>
    );
  }
}
