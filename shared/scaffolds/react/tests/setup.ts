import "@testing-library/jest-dom/vitest";

import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";

// Only tests of pages have a document.
if (typeof document !== "undefined") afterEach(cleanup);
