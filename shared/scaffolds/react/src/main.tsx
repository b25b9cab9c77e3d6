import "./styles.css";

import { start } from "./start";

const element = document.getElementById("root");
if (element === null) throw new Error("index.html has no element with the id root");
await start(element, window.location.pathname);
