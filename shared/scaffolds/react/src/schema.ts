/** Schemas that work under the content security policy: import `z` from here, never from zod itself. */
import { z } from "zod";

// Compiling schemas at run time needs eval. This must be set before the first schema is made.
z.config({ jitless: true });

export { z };
